package emulator

import "fmt"

// Config is a hookswitch.toml for an emulated board: user anna, whose password is the line
// that `hookswitch passwd` printed, and one analogue line.
func Config(password, port string, relay Relay) string {
	active := map[bool]string{true: "low", false: "high"}[relay.ActiveLow]
	return fmt.Sprintf(`data = "/perm"

[http]
listen = ":443"
tls = "self-signed"

[[user]]
name = "anna"
email = "anna@example.com"
%s
admin = true

[[line]]
name = "fxo1"
port = %q
hook = { pin = "GPIO%d", active = %q, contact = "normally-open" }

[dialing]
region = "US"
allow = ["555xxxx"]
`, password, port, relay.Pin, active)
}
