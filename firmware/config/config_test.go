package config_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"hookswitch/firmware/config"
	"hookswitch/firmware/keypad"
	"hookswitch/hal/modem/dialect"
)

// hash is that of a password nobody has.
const hash = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"

const (
	user = "[[user]]\nname = \"anna\"\npassword_hash = \"" + hash + "\"\n"
	line = "[[line]]\nname = \"fxo1\"\nport = \"/dev/ttyACM0\"\n"
	gsm  = "[[line]]\nname = \"gsm1\"\ndialect = \"gsm\"\nport = \"/dev/ttyUSB2\"\npcm = \"/dev/ttyUSB4\"\n"
)

func parse(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := config.Parse("test.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheEmptyFileIsAConfigurationWithEveryDefault(t *testing.T) {
	c := parse(t, "")
	if c.Version != config.Version || c.Data != "/var/lib/hookswitch" {
		t.Errorf("version %d, data %q", c.Version, c.Data)
	}
	if want := (config.HTTP{Listen: "127.0.0.1:8080", TLS: config.TLSOff, MaxConnections: 512}); c.HTTP != want {
		t.Errorf("http %+v, want %+v", c.HTTP, want)
	}
	if want := (config.SOAP{CallsPerUser: 1, RetryWindow: time.Second}); c.SOAP != want {
		t.Errorf("soap %+v, want %+v", c.SOAP, want)
	}
	if len(c.Users)+len(c.Lines)+len(c.Dialing.Allow) != 0 || c.Auth.NTLM {
		t.Errorf("users %v, lines %v, allow %v, NTLM %v", c.Users, c.Lines, c.Dialing.Allow, c.Auth.NTLM)
	}
	if c.Dialing.MaxCall != 10*time.Minute || c.Dialing.Region != "US" || c.Dialing.Premium {
		t.Errorf("dialing %+v", c.Dialing)
	}
	if want := (config.Choice{Choose: "first", QueueWait: 30 * time.Second}); c.Choice != want {
		t.Errorf("lines %+v, want %+v", c.Choice, want)
	}
	if want := (config.Redial{Interval: time.Minute}); c.Redial != want {
		t.Errorf("redial %+v, want %+v", c.Redial, want)
	}
	if c.Log.Level != "info" || c.Log.Trace {
		t.Errorf("log %+v", c.Log)
	}
}

func TestTheDesignsExampleIsReadAsItIsMeant(t *testing.T) {
	c := parse(t, `
[http]
listen = "127.0.0.1:8080"
tls    = "off"                  # "off" (loopback only), "self-signed", or certificate files
`+user+`
[[line]]
name    = "fxo1"
dialect = "voice"               # or auto, gsm, simcom, quectel, huawei, conexant …
port    = "/dev/serial/by-id/modem"
baud    = 115200
hook    = { pin = "GPIO26", active = "low", contact = "normally-open" }
loop    = { pin = "GPIO17", active = "high" }
[dialing]
allow = ["[2-9]xxxxxx", "1[2-9]xxxxxxxxx"]   # x = a digit, * at the end = the rest
deny  = ["1900x*"]
max_call = "10m"
`)
	want := config.Line{
		Name: "fxo1", Dialect: "voice", Port: "/dev/serial/by-id/modem", Baud: 115200, PCMBaud: 115200,
		Hook:    config.Hook{Pin: config.Pin{Pin: "GPIO26", Active: config.Low, Contact: config.NormallyOpen}},
		Loop:    config.Loop{Pin: config.Pin{Pin: "GPIO17", Active: config.High}},
		Country: "us", Progress: config.ProgressModem, LeadIn: time.Second,
	}
	if len(c.Lines) != 1 || !reflect.DeepEqual(c.Lines[0], want) {
		t.Errorf("line\n%+v, want\n%+v", c.Lines, want)
	}
	if u := c.Users[0]; u.Name != "anna" || !u.UM || u.Admin {
		t.Errorf("user %+v", u)
	}
	if n, err := c.Dialing.Rules().Check("1 (212) 555-0100"); err != nil || n.String() != "12125550100" {
		t.Errorf("Check = %q, %v", n, err)
	}
	if _, err := c.Dialing.Rules().Check("19005550100"); err == nil {
		t.Error("the deny mask denies nothing")
	}
}

func TestTheSimulatedBoardIsAConfigurationLikeAnyOther(t *testing.T) {
	c := config.Simulated()
	if len(c.Lines) != 2 || c.Lines[0].Name != "fxo1" || c.Lines[1].Name != "gsm1" {
		t.Fatalf("lines %+v", c.Lines)
	}
	if c.Lines[0].Mobile() || !c.Lines[1].Mobile() {
		t.Error("fxo1 is not analogue, or gsm1 not mobile")
	}
	if !c.HTTP.Loopback() || len(c.Users) != 0 {
		t.Errorf("listen %s, users %v", c.HTTP.Listen, c.Users)
	}
	for dial, ok := range map[string]bool{
		"5550100": true, "555-0107": true, "+1 212 555 0199": true, "12125550100": true,
		"5550200": false, "911": false, "2125550100": false,
	} {
		if _, err := c.Dialing.Rules().Check(dial); (err == nil) != ok {
			t.Errorf("Check(%s) = %v", dial, err)
		}
	}
	if q := c.Dialing.Quota(); q.PerHour != 0 || q.PerDay != 0 {
		t.Error("the simulated exchange has a quota")
	}
	for _, l := range c.Lines {
		if l.LeadIn <= 0 || l.Country != "us" || l.Baud == 0 {
			t.Errorf("line %+v has no defaults", l)
		}
	}
}

func TestCallsAreLimitedOnlyWhereTheNetworkCanMakeThem(t *testing.T) {
	for _, test := range []struct {
		name, text string
		hour, day  int
	}{
		{"on loopback", "", 0, 0},
		{"on loopback, with users", user, 60, 200},
		{"from the network", "[http]\nlisten = \":443\"\ntls = \"self-signed\"\n" + user, 60, 200},
		{"as configured", "[http]\nlisten = \":443\"\ntls = \"self-signed\"\n[dialing]\ncalls_per_hour = 10\ncalls_per_day = 0\n" + user, 10, 0},
		{"as configured, on loopback", "[dialing]\ncalls_per_hour = 10", 10, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			if d := parse(t, test.text).Dialing; d.CallsPerHour != test.hour || d.CallsPerDay != test.day {
				t.Errorf("%d an hour, %d a day, want %d and %d", d.CallsPerHour, d.CallsPerDay, test.hour, test.day)
			}
		})
	}
}

func TestListenAddresses(t *testing.T) {
	for listen, want := range map[string]bool{
		"127.0.0.1:8080": true, "127.9.9.9:1": true, "[::1]:8080": true, "localhost:8080": true, "[::ffff:127.0.0.1]:80": true,
		":8080": false, "0.0.0.0:80": false, "[::]:80": false, "192.168.1.5:80": false, "board.local:80": false, "": false,
	} {
		if got := (config.HTTP{Listen: listen}).Loopback(); got != want {
			t.Errorf("Loopback(%q) = %v", listen, got)
		}
	}
}

func TestABoardSaysWhatIsWired(t *testing.T) {
	c := parse(t, `
[[line]]
name = "fxo1"
board = "waveshare-relay-3ch"
port = "/dev/ttyACM0"
[[line]]
name = "fxo2"
board = "waveshare-relay-3ch"
port = "/dev/ttyACM1"
hook = { terminal = "CH2", contact = "normally-closed", settle = "50ms" }
power = { terminal = "CH3", off = "7s" }
[[line]]
name = "gsm1"
board = "waveshare-sim7600x-hat"
`)
	if got, want := c.Lines[0].Hook.Pin, (config.Pin{Pin: "GPIO26", Terminal: "CH1", Active: config.Low, Contact: config.NormallyOpen}); got != want {
		t.Errorf("hook of fxo1 %+v, want %+v", got, want)
	}
	if got, want := c.Lines[1].Hook, (config.Hook{Pin: config.Pin{Pin: "GPIO20", Terminal: "CH2", Active: config.Low, Contact: config.NormallyClosed}, Settle: 50 * time.Millisecond}); got != want {
		t.Errorf("hook of fxo2 %+v, want %+v", got, want)
	}
	if p := c.Lines[1].Power; p.Pin.Pin != "GPIO21" || p.Kind != config.PowerSupply || p.Off != 7*time.Second || p.Boot != 20*time.Second {
		t.Errorf("power of fxo2 %+v", p)
	}
	l := c.Lines[2]
	if l.Dialect != "sim7600" || l.Port != "/dev/ttyUSB2" || l.PCM != "/dev/ttyUSB4" || l.Hook.Wired() {
		t.Errorf("gsm1 %+v", l)
	}
	if l.Power.Kind != config.PowerKey || l.Power.Pin.Pin != "GPIO6" || l.Power.PressOn != 2*time.Second {
		t.Errorf("power of gsm1 %+v", l.Power)
	}
}

func TestCountries(t *testing.T) {
	for _, test := range []struct{ region, country, want string }{
		{"", "", "us"}, {"GB", "", "uk"}, {"UK", "", "uk"}, {"de", "", "de"}, {"US", "gb", "uk"}, {"US", "FR", "fr"},
	} {
		text := line
		if test.country != "" {
			text += "country = \"" + test.country + "\"\n"
		}
		if test.region != "" {
			text += "[dialing]\nregion = \"" + test.region + "\"\n"
		}
		if got := parse(t, text).Lines[0].Country; got != test.want {
			t.Errorf("region %q, country %q: %q, want %q", test.region, test.country, got, test.want)
		}
	}
}

func TestKeysOfTheTelephoneChangeExchanges(t *testing.T) {
	if keys := parse(t, "").Keys; keys != nil {
		t.Errorf("without [keys]: %v", keys)
	}
	keys := parse(t, "[keys]\n\"7\" = \"none\"\n\"9\" = \"delete\"\n\"33\" = \"next\"").Keys
	for key, want := range map[string]string{"7": "", "9": "delete", "33": "next", "1": "back", "*": "help"} {
		if keys[key] != want {
			t.Errorf("key %s: %q, want %q", key, keys[key], want)
		}
	}
	if len(keys) != len(keypad.Exchange) {
		t.Errorf("%d keys: %v", len(keys), keys)
	}
}

func TestEveryDialectMakesALine(t *testing.T) {
	for _, d := range dialect.All {
		text := line + "dialect = \"" + d.Name + "\"\n"
		if d.GSM && d.NoAudio == "" {
			text += "pcm = \"/dev/ttyUSB9\"\n"
		}
		if l := parse(t, text).Lines[0]; l.Mobile() != d.GSM || l.LeadIn == 0 {
			t.Errorf("%s: %+v", d.Name, l)
		}
	}
}

func TestTheWaysOfWritingTOMLAreOne(t *testing.T) {
	want := parse(t, line+`hook = { pin = "GPIO26", active = "low" }`)
	for name, text := range map[string]string{
		"a table of its own":     line + "[line.hook]\npin = \"GPIO26\"\nactive = \"low\"\n",
		"dotted keys":            line + "hook.pin = \"GPIO26\"\nhook.active = \"low\"\n",
		"an inline list":         `line = [{ name = "fxo1", port = "/dev/ttyACM0", hook = { pin = "GPIO26", active = "low" } }]`,
		"Windows line ends":      strings.ReplaceAll(line+`hook = { pin = "GPIO26", active = "low" }`, "\n", "\r\n"),
		"a byte order mark":      "\ufeff" + line + `hook = { pin = "GPIO26", active = "low" }`,
		"quoted keys":            `[["line"]]` + "\n\"name\" = 'fxo1'\n'port' = '/dev/ttyACM0'\n\"hook\".\"pin\" = 'GPIO26'\nhook.active = '''low'''\n",
		"an explicit version":    "version = 1\n" + line + `hook = { pin = "GPIO26", active = "low" }`,
		"without a last newline": strings.TrimSpace(line + `hook = { pin = "GPIO26", active = "low" }`),
	} {
		if got := parse(t, text); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%+v, want\n%+v", name, got, want)
		}
	}
}

func TestTheExampleLoadsAndNamesEveryKey(t *testing.T) {
	parse(t, config.Example)
	var walk func(t reflect.Type) []string
	walk = func(typ reflect.Type) (keys []string) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			ft := f.Type
			if key := f.Tag.Get("toml"); key != "" {
				keys = append(keys, key)
			}
			if ft.Kind() == reflect.Slice {
				ft = ft.Elem()
			}
			if ft.Kind() == reflect.Struct {
				keys = append(keys, walk(ft)...)
			}
		}
		return keys
	}
	for _, key := range walk(reflect.TypeFor[config.Config]()) {
		if !regexp.MustCompile(`(?m)(^|[#.\[{, ])` + key + `( *=|\])`).MatchString(config.Example) {
			t.Errorf("the example does not name %s", key)
		}
	}
}

// What is commented out in the example is right too: uncommented, it loads.
func TestTheExampleLoadsWithEveryCommentedKey(t *testing.T) {
	text := regexp.MustCompile(`(?m)^#(\[\[|[a-z_.]+ *=|"[0-9*#]+" *=)`).ReplaceAllString(config.Example, "$1")
	text = strings.Replace(text, `"…" `, `"`+hash+`" `, 1)
	text = strings.Replace(text, `tls    = "off" `, `tls = "files" `, 1)
	if strings.Count(text, "\n[[user]]") != 1 || strings.Count(text, "\n[[line]]") != 3 || !strings.Contains(text, "\n\"33\" =") {
		t.Fatalf("not uncommented:\n%s", text)
	}
	c := parse(t, text)
	d := parse(t, config.Example)
	if !reflect.DeepEqual(c.SOAP, d.SOAP) || !reflect.DeepEqual(c.Choice, d.Choice) || !reflect.DeepEqual(c.Redial, d.Redial) || c.Log != d.Log {
		t.Error("what the example shows as defaults are others")
	}
	if l, want := c.Lines[0], d.Lines[0]; l.Baud != want.Baud || l.LeadIn != want.LeadIn || l.Progress != want.Progress || l.Pulse != want.Pulse || l.Country != want.Country {
		t.Errorf("what the example shows as a line's defaults are others: %+v, %+v", l, want)
	}
}

// The configurations that the packages bring load.
func TestTheShippedConfigurationLoads(t *testing.T) {
	if _, err := config.Load("../../board/debian/hookswitch.toml"); err != nil {
		t.Error(err)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	good, bad, large := filepath.Join(dir, "good.toml"), filepath.Join(dir, "bad.toml"), filepath.Join(dir, "large.toml")
	for path, text := range map[string]string{good: line, bad: "\nlisten = 3\n", large: strings.Repeat("# filler\n", config.MaxSize/9+1)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if c, err := config.Load(good); err != nil || len(c.Lines) != 1 {
		t.Errorf("Load(good) = %+v, %v", c, err)
	}
	var mistakes *config.Error
	if _, err := config.Load(bad); !errors.As(err, &mistakes) || mistakes.Mistakes[0].File != bad || mistakes.Mistakes[0].Line != 2 {
		t.Errorf("Load(bad) = %v", err)
	}
	if _, err := config.Load(large); !errors.As(err, &mistakes) || !strings.Contains(err.Error(), "256 KiB") {
		t.Errorf("Load(large) = %v", err)
	}
	if _, err := config.Load(filepath.Join(dir, "none.toml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load(none) = %v", err)
	}
	if _, err := config.Load(dir); err == nil || errors.As(err, &mistakes) && len(mistakes.Mistakes) == 0 {
		t.Errorf("Load(directory) = %v", err)
	}
	if _, err := config.Load("/dev/zero"); !errors.As(err, &mistakes) {
		t.Errorf("Load(endless file) = %v", err)
	}
}

// What people copy permits somebody's own numbers and nothing that a thief wants.
func TestTheExamplesPermitOwnNumbersOnly(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := map[string]string{"example.toml": config.Example, "README.md": string(readme)}
	for _, name := range []string{"../../board/debian/hookswitch.toml", "../../board/card/hookswitch.toml"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		examples[name] = string(text)
	}
	for name, text := range examples {
		allow := regexp.MustCompile(`(?m)^#?allow *= *\[.*?\]`).FindString(text)
		c := parse(t, "[dialing]\nregion = \"US\"\n"+strings.TrimPrefix(allow, "#"))
		if _, err := c.Dialing.Rules().Check("+1 212 555 0142"); allow == "" || err != nil {
			t.Errorf("%s: %q does not permit the number that it names: %v", name, allow, err)
		}
		for _, dial := range []string{"911", "19005551234", "18765550100", "9765551", "+442079460000", "13105550100", "5550100", "0", "411"} {
			if d, err := c.Dialing.Rules().Check(dial); err == nil {
				t.Errorf("%s: %q permits %s", name, allow, d)
			}
		}
	}
}

func TestTheTechniciansPortsAreThoseThatNoLineHas(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"uart", "usb"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	uart, usb, byID := filepath.Join(dir, "uart"), filepath.Join(dir, "usb"), filepath.Join(dir, "by-id")
	if err := os.Symlink(uart, byID); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name      string
		ports     []string
		appliance bool
		want      []string
	}{
		{"a modem has a port by another name", []string{uart, usb}, true, []string{usb}},
		{"no console is wanted", []string{}, true, nil},
		{"nothing is said, on any machine", nil, false, nil},
		{"nothing is said, on an appliance", nil, true, []string{"/dev/ttyAMA0"}},
		{"the board's own", []string{config.ConsoleAuto, usb}, false, []string{"/dev/ttyAMA0", usb}},
	} {
		c := config.Config{Console: config.Console{Ports: test.ports}, Lines: []config.Line{{Port: byID}}}
		if got := c.TechnicianPorts(test.appliance); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
