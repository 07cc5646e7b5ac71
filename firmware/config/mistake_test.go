package config_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"hookswitch/firmware/config"
)

// mistakes parses text and returns what is wrong with it, one a line.
func mistakes(t *testing.T, text string) []string {
	t.Helper()
	c, err := config.Parse("f", []byte(text))
	if err == nil {
		return nil
	}
	var e *config.Error
	if !errors.As(err, &e) || c != nil {
		t.Fatalf("Parse = %v, %T %v", c, err, err)
	}
	return strings.Split(err.Error(), "\n")
}

func TestEachMistakeIsToldOnceWithItsLineAndWhatToWrite(t *testing.T) {
	for _, test := range []struct {
		name, text string
		line       int
		where      string // table and key
		says       string
	}{
		{"an unknown key at the top", "dta = \"x\"", 1, "dta", `did you mean "data"?`},
		{"a key above its table", "\nlisten = \":1\"", 2, "listen", "it belongs below [http]"},
		{"a key of the line above its table", "port = \"x\"", 1, "port", "it belongs below [[line]]"},
		{"an unknown key", "[http]\nlissten = \"x\"", 2, "[http] lissten", `did you mean "listen"?`},
		{"two letters swapped", "[http]\nlitsen = \"x\"", 2, "[http] litsen", `did you mean "listen"?`},
		{"a key with a dash", "[dialing]\nmax-call = \"1m\"", 2, "[dialing] max-call", `did you mean "max_call"?`},
		{"a key of another table", "[soap]\nlisten = \"x\"", 2, "[soap] listen", "it belongs in [http]"},
		{"a key like no other", "[auth]\nkerberos = true", 2, "[auth] kerberos", "there are ntlm"},
		{"an unknown table", "[dailing]", 1, "[dailing]", `did you mean "dialing"?`},
		{"a table in the plural", "[[users]]\nname = \"x\"", 1, "[users]", "a user is [[user]]"},
		{"a single table in single brackets", "[line]\nname = \"x\"", 1, "line", "write [[line]]"},
		{"a single table in double brackets", "[[http]]\nlisten = \"x\"", 1, "http", "write [http]"},
		{"a value where a table is", "http = \"x\"", 1, "http", "write [http]"},
		{"a value where the keys are", "keys = 3", 1, "keys", "write [keys]"},
		{"an unknown key in a pin", line + "hook = { pni = \"GPIO26\", active = \"low\" }", 4, "[[line]] hook.pni", `did you mean "pin"?`},
		{"a key misspelt that is needed", "[[line]]\nnmae = \"fxo1\"\nport = \"x\"", 2, "[[line]] nmae", `did you mean "name"?`},

		{"a console where a modem is", "[[line]]\nname = \"fxo1\"\nport = \"/dev/ttyUSB0\"\n[console]\nports = [\"auto\", \"/dev//ttyUSB0\"]", 5, "[console] ports", `line "fxo1"`},
		{"a console on no port", "[console]\nports = [\"ttyS0\"]", 2, "[console] ports", `write "/dev/`},
		{"a number in quotes", line + "baud = \"115200\"", 4, "[[line]] baud", `this is the text "115200"; want a whole number`},
		{"a text without quotes around a number", "[http]\nlisten = 8080", 2, "[http] listen", `this is 8080; want text in quotes`},
		{"a negative number", "[lines]\nqueue = -1", 2, "[lines] queue", "from 0"},
		{"a huge number", "[lines]\nqueue = 9223372036854775807", 2, "[lines] queue", "from 0"},
		{"a fraction", "[lines]\nqueue = 1.5", 2, "[lines] queue", "this is 1.5; want a whole number"},
		{"yes for true", "[auth]\nntlm = \"yes\"", 2, "[auth] ntlm", "want true or false"},
		{"a date", "data = 2026-11-23", 1, "data", "this is a date or time"},
		{"a text for a list", "[dialing]\nallow = \"5xx\"", 2, "[dialing] allow", `want a list of texts, such as allow = ["…", "…"]`},
		{"a number in a list", "[dialing]\nallow = [\n  \"5xx\",\n  911,\n]", 4, "[dialing] allow", "this is 911"},
		{"a list for a text", "data = [\"x\"]", 1, "data", "this is a list"},
		{"a text for a pin", line + "hook = \"GPIO26\"", 4, "[[line]] hook", "want a table in braces"},
		{"a time without unit", "[dialing]\nmax_call = \"600\"", 2, "[dialing] max_call", `"600" is no time; write a number and its unit`},
		{"a time that is a number", "[dialing]\nmax_call = 600", 2, "[dialing] max_call", "want a time with its unit in quotes"},
		{"a time in words", "[redial]\ninterval = \"1 minute\"", 2, "[redial] interval", `"1 minute" is no time`},
		{"a negative time", "[redial]\ninterval = \"-1m\"", 2, "[redial] interval", "less than no time"},
		{"a time too long", "[dialing]\nmax_call = \"45m\"", 2, "[dialing] max_call", "not between 100ms and 30m0s"},
		{"no time for a call", "[dialing]\nmax_call = \"0s\"", 2, "[dialing] max_call", "not between"},
		{"a wait too long", "[lines]\nqueue_wait = \"2h\"", 2, "[lines] queue_wait", "not between"},
		{"a key of the telephone without a text", "[keys]\n1 = 2", 2, "[keys] 1", "want text in quotes"},

		{"a key that no telephone has", "[keys]\n\"A\" = \"pause\"", 2, "[keys] A", "one of 0-9 * #"},
		{"an action that there is not", "[keys]\n\"33\" = \"toend\"", 2, "[keys] 33", `did you mean "to-end"?`},

		{"a newer version", "version = 2\nfuture = true", 1, "version", "newer hookswitch; this one reads version 1"},
		{"no version", "version = 0", 1, "version", "write 1"},
		{"no data directory", "data = \"\"", 1, "data", "name a directory"},
		{"an address without a port", "[http]\nlisten = \"127.0.0.1\"", 2, "[http] listen", "is no address"},
		{"an address with a port too high", "[http]\nlisten = \"127.0.0.1:99999\"", 2, "[http] listen", "is no address"},
		{"an address that is a URL", "[http]\nlisten = \"http://127.0.0.1:80\"", 2, "[http] listen", "is no address"},
		{"the network without TLS", user + "[http]\nlisten = \":8080\"", 5, "[http] listen", `takes tls = "self-signed" or "files"`},
		{"the network without a user", "[http]\ntls = \"self-signed\"\nlisten = \"0.0.0.0:443\"", 3, "[http] listen", "at least one [[user]]"},
		{"an unknown way of TLS", "[http]\ntls = \"selfsigned\"", 2, "[http] tls", `did you mean "self-signed"?`},
		{"a certificate without its key", "[http]\ntls = \"files\"\ncert = \"c.pem\"", 2, "[http] tls", "needs key ="},
		{"a certificate that is not used", "[http]\ncert = \"c.pem\"", 1, "[http] tls", `only with tls = "files"`},
		{"a name with a scheme", "[http]\nname = \"https://board\"", 2, "[http] name", "is no host name"},
		{"no connections", "[http]\nmax_connections = 0", 2, "[http] max_connections", "from 1 to"},

		{"a user without name", "[[user]]\npassword_hash = \"" + hash + "\"", 1, "[[user]] name", `such as name = "anna"`},
		{"a user with an empty name", "[[user]]\nname = \"\"\npassword_hash = \"" + hash + "\"", 2, "[[user]] name", "1 to 64"},
		{"a user's name that is a path", "[[user]]\nname = \"../anna\"\npassword_hash = \"" + hash + "\"", 2, "[[user]] name", "'.' in it"},
		{"two users of one name", user + "\n[[user]]\nname = \"Anna\"\npassword_hash = \"" + hash + "\"", 6, "[[user]] name", `the user "anna" is already on line 2`},
		{"two users of one address", user + "email = \"a@b.c\"\n[[user]]\nname = \"bert\"\nemail = \"A@b.c\"\npassword_hash = \"" + hash + "\"", 7, "[[user]] email", `already on line 4`},
		{"an address without domain", user + "email = \"anna\"", 4, "[[user]] email", "is no mail address"},
		{"a user who can't log in", "[[user]]\nname = \"anna\"", 1, "[[user]] password_hash", "`hookswitch passwd`"},
		{"an empty hash", "[[user]]\nname = \"anna\"\npassword_hash = \"\"", 3, "[[user]] password_hash", "`hookswitch passwd`"},
		{"a password in place of its hash", "[[user]]\nname = \"anna\"\npassword_hash = \"correct horse\"", 3, "[[user]] password_hash", "a password itself has no place here"},
		{"an NT hash that is not used", user + "nt_hash = \"8846f7eaee8fb117ad06bdd830b7586c\"", 4, "[[user]] nt_hash", "set ntlm = true"},
		{"an NT hash that is none", "[auth]\nntlm = true\n" + user + "nt_hash = \"password\"", 6, "[[user]] nt_hash", "32 digits"},
		{"a token in place of its hash", user + "token_hash = [\n\"secret\"]", 5, "[[user]] token_hash", "64 digits"},

		{"a line without name", "[[line]]\nport = \"x\"", 1, "[[line]] name", `such as name = "fxo1"`},
		{"a line's name with a blank", "[[line]]\nname = \"my line\"\nport = \"x\"", 2, "[[line]] name", "is no name"},
		{"two lines of one name", line + "[[line]]\nname = \"fxo1\"\nport = \"y\"", 5, "[[line]] name", "already on line 2"},
		{"two lines on one port", line + "[[line]]\nname = \"fxo2\"\nport = \"/dev//ttyACM0\"", 6, "[[line]] port", `already on line 3`},
		{"sound on another line's port", line + "[[line]]\nname = \"g\"\ndialect = \"gsm\"\nport = \"y\"\npcm = \"/dev/ttyACM0\"", 8, "[[line]] pcm", `already on line 3`},
		{"a line without port", "[[line]]\nname = \"fxo1\"", 1, "[[line]] port", "hookswitch probe"},
		{"an unknown dialect", line + "dialect = \"connexant\"", 4, "[[line]] dialect", `did you mean "conexant"?`},
		{"a mobile line without sound", "[[line]]\nname = \"g\"\nport = \"x\"\ndialect = \"quectel\"", 1, "[[line]] pcm", "a quectel modem carries the sound on a second port"},
		{"sound on an analogue line", line + "dialect = \"voice\"\npcm = \"/dev/x\"", 5, "[[line]] pcm", "on its own port; remove it"},
		{"sound on a modem that has none", line + "dialect = \"sim800\"\npcm = \"/dev/x\"", 5, "[[line]] pcm", "no PCM on a serial port"},
		{"an odd rate", line + "baud = 115000", 4, "[[line]] baud", "115200 is the usual one"},
		{"an unknown board", line + "board = \"waveshare-relay-4ch\"", 4, "[[line]] board", `did you mean "waveshare-relay-3ch"?`},
		{"a terminal without a board", line + "hook = { terminal = \"CH1\" }", 4, "[[line]] hook.terminal", `write board = "…"`},
		{"a terminal that the board does not have", line + "board = \"waveshare-relay-3ch\"\nhook = { terminal = \"CH4\" }", 5, "[[line]] hook.terminal", "it has CH1, CH2, CH3"},
		{"an input on a board without", line + "board = \"waveshare-relay-3ch\"\nloop = { terminal = \"IN1\" }", 5, "[[line]] loop.terminal", "has none; write pin"},
		{"a terminal and a pin", line + "board = \"waveshare-relay-3ch\"\nhook = { terminal = \"CH1\", pin = \"GPIO26\" }", 5, "[[line]] hook.terminal", "remove pin and active"},
		{"two lines on one relay", "[[line]]\nname = \"a\"\nport = \"x\"\nboard = \"waveshare-relay-3ch\"\n[[line]]\nname = \"b\"\nport = \"y\"\nboard = \"waveshare-relay-3ch\"", 5, "[[line]] hook.pin", "GPIO26 is already used"},
		{"two uses of one pin", line + "hook = { pin = \"GPIO26\", active = \"low\" }\nloop = { pin = \"GPIO26\" }", 5, "[[line]] loop.pin", "GPIO26 is already used on line 4"},
		{"a pin by its number", line + "hook = { pin = \"26\", active = \"low\" }", 4, "[[line]] hook.pin", `write "GPIO26"`},
		{"a pin by another name", line + "hook = { pin = \"BCM 26\", active = \"low\" }", 4, "[[line]] hook.pin", `write "GPIO26"`},
		{"a pin in small letters", line + "hook = { pin = \"gpio26\", active = \"low\" }", 4, "[[line]] hook.pin", `write "GPIO26"`},
		{"a pin that there is not", line + "hook = { pin = \"GPIO77\", active = \"low\" }", 4, "[[line]] hook.pin", "does not exist"},
		{"a pin that is a path to nowhere", line + "hook = { pin = \"sys/gpio\", active = \"low\" }", 4, "[[line]] hook.pin", "absolute path"},
		{"a hook without pin", line + "hook = { active = \"low\" }", 4, "[[line]] pin", `hook needs a pin`},
		{"a hook whose level is not told", line + "hook = { pin = \"GPIO26\" }", 4, "[[line]] active", "it is not guessed"},
		{"a level that is none", line + "hook = { pin = \"GPIO26\", active = \"0\" }", 4, "[[line]] hook.active", "not one of high, low"},
		{"a contact that is none", line + "hook = { pin = \"GPIO26\", active = \"low\", contact = \"open\" }", 4, "[[line]] hook.contact", "normally-open, normally-closed"},
		{"an input with a contact", line + "loop = { pin = \"GPIO17\", contact = \"normally-open\" }", 4, "[[line]] loop.contact", "only a relay"},
		{"a relay with a pull resistor", line + "hook = { pin = \"GPIO26\", active = \"low\", pull = \"up\" }", 4, "[[line]] hook.pull", "only an input"},
		{"a pull that is none", line + "ring = { pin = \"GPIO17\", pull = \"high\" }", 4, "[[line]] ring.pull", "not one of up, down"},
		{"a settling time too long", line + "hook = { pin = \"GPIO26\", active = \"low\", settle = \"1m\" }", 4, "[[line]] hook.settle", "not between"},
		{"a break that every line has", line + "loop = { pin = \"GPIO26\", break = \"10ms\" }", 4, "[[line]] loop.break", "not between 90ms"},
		{"power of an unknown kind", line + "power = { pin = \"GPIO26\", active = \"low\", kind = \"relay\" }", 4, "[[line]] power.kind", "not one of supply, key"},
		{"an init command that is none", line + "init = [\"+VGT=128\"]", 4, "[[line]] init", "is no AT command"},
		{"an init command of two lines", line + "init = [\"AT\\rATD911\"]", 4, "[[line]] init", "is no AT command"},
		{"an init command that dials", line + "init = [\"AT+FCLASS=8\", \"atd911\"]", 4, "[[line]] init", "would make or take a call"},
		{"an init command that dials at its end", line + "init = [\"ATX3;D911\"]", 4, "[[line]] init", "would make or take a call"},
		{"a prefix that is a mask", line + "prefix = [\"1x\"]", 4, "[[line]] prefix", "beginning of a number"},
		{"a user that there is not", user + line + "users = [\"ana\"]", 7, "[[line]] users", `did you mean "anna"?`},
		{"progress by nobody", line + "progress = \"none\"", 4, "[[line]] progress", "modem, listen"},
		{"a PIN that is none", "[[line]]\nname = \"g\"\nport = \"/dev/x\"\npcm = \"/dev/y\"\ndialect = \"gsm\"\nsim_pin = \"12a4\"", 6, "[[line]] sim_pin", "4 to 8 digits"},
		{"the PIN of a modem without a SIM", line + "dialect = \"voice\"\nsim_pin = \"1234\"", 5, "[[line]] sim_pin", "no SIM"},
		{"a PIN among the commands", line + "init = [\"AT+CPIN=1234\"]", 4, "[[line]] init", "blocks the SIM"},
		{"pulse dialling without a relay", line + "progress = \"listen\"\npulse = true", 5, "[[line]] pulse", "wire one"},
		{"pulse dialling that the modem should follow", line + "pulse = true\nhook = { pin = \"GPIO26\", active = \"low\" }", 4, "[[line]] pulse", "listen"},
		{"a lead-in too long", line + "lead_in = \"1m\"", 4, "[[line]] lead_in", "not between"},
		{"a voice format that is none", line + "voice_format = \"131 mp3\"", 4, "[[line]] voice_format", "131 ulaw"},
		{"a voice format of a mobile line", "[[line]]\nname = \"g\"\ndialect = \"gsm\"\nport = \"/dev/a\"\npcm = \"/dev/b\"\nvoice_format = \"ulaw\"", 6, "[[line]] voice_format", "one format only"},
		{"a country that there is not", line + "country = \"yy\"", 4, "[[line]] country", "is no country"},

		{"a region that there is not", "[dialing]\nregion = \"USA\"", 2, "[dialing] region", "ISO 3166"},
		{"a mask with a letter", "[dialing]\nallow = [\"NXX\"]", 2, "[dialing] allow", `mask "NXX": 'N' can't stand in a mask`},
		{"a mask in a long list", "[dialing]\ndeny = [\n  \"1900x*\", # premium\n\n  \"1*0\",\n]", 5, "[dialing] deny", `\*`},
		{"an emergency number that is a mask", "[dialing]\nemergency = [\"11x\"]", 2, "[dialing] emergency", "digits only"},
		{"an outside prefix with a comma", "[dialing]\noutside_prefix = [\"9,\"]", 2, "[dialing] outside_prefix", "digits only"},
		{"an international prefix with plus", "[dialing]\ninternational_prefix = \"+\"", 2, "[dialing] international_prefix", "digits only"},
		{"a bound of the board that no call fits into", "[dialing]\nmax_call = \"20m\"\nboard_minutes_per_day = 15", 3, "[dialing] board_minutes_per_day", "less than one call"},
		{"a bound of calls abroad that no call fits into", "[dialing]\nabroad_minutes_per_day = 5", 2, "[dialing] abroad_minutes_per_day", "less than one call"},
		{"a bound of the board beyond reason", "[dialing]\nboard_calls_per_day = 1000000", 2, "[dialing] board_calls_per_day", "0 is no limit"},
		{"a quota beyond reason", "[dialing]\ncalls_per_day = 1000000", 2, "[dialing] calls_per_day", "0 is no limit"},
		{"an unknown choice", "[lines]\nchoose = \"roundrobin\"", 2, "[lines] choose", `did you mean "round-robin"?`},
		{"a queue beyond reason", "[lines]\nqueue = 100000", 2, "[lines] queue", "at most"},
		{"redialling for ever", "[redial]\nattempts = 99", 2, "[redial] attempts", "at most 10"},
		{"redialling at once", "[redial]\ninterval = \"1ms\"", 2, "[redial] interval", "not between 1s"},
		{"a retry window too long", "[soap]\nretry_window = \"1h\"", 2, "[soap] retry_window", "not between"},
		{"a mail server without port", "[mail]\nsmtp = \"mail\"\nfrom = \"a@b.c\"", 2, "[mail] smtp", "is no server"},
		{"mail from nobody", "[mail]\nsmtp = \"mail:25\"", 1, "[mail] from", "name the sender"},
		{"mail from no address", "[mail]\nsmtp = \"mail:25\"\nfrom = \"Board <a@b.c>\"", 3, "[mail] from", "is no mail address"},
		{"mail without a server", "[mail]\nfrom = \"a@b.c\"", 1, "[mail] smtp", "name the server"},
		{"a mail user without password", "[mail]\nsmtp = \"mail:25\"\nfrom = \"a@b.c\"\nuser = \"x\"", 1, "[mail] password_file", "holds its password"},
		{"an unknown log level", "[log]\nlevel = \"verbose\"", 2, "[log] level", "debug, info, warn, error"},

		{"a value without quotes", "\ndata = /var/lib", 2, "", "not TOML"},
		{"an open quote", "data = \"x\n[http]\nlisten = \"127.0.0.1:1\"\n", 1, "", "not TOML"},
		{"a key twice", "data = \"x\"\ndata = \"y\"", 2, "", "not TOML"},
		{"a table twice", "[http]\n[http]", 2, "", "not TOML"},
		{"not UTF-8", "data = \"\xff\"", 1, "", "not TOML"},
		{"a NUL", "data = \"\x00\"", 1, "", "not TOML"},
		{"a bracket that is not closed", "[dialing]\nallow = [\"5xx\"\n[log]\nlevel = \"info\"\ntrace = true\n", 3, "", "not TOML"},
		{"no TOML at all", "<?xml version=\"1.0\"?>\n<configuration>\n</configuration>\n", 1, "", "not TOML"},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := fmt.Sprintf("f:%d: ", test.line)
			if test.where != "" {
				want += test.where + ": "
			}
			got := mistakes(t, test.text)
			if len(got) != 1 || !strings.HasPrefix(got[0], want) || !strings.Contains(got[0], test.says) {
				t.Errorf("got\n%s\nwant one that begins with %q and says %q", strings.Join(got, "\n"), want, test.says)
			}
		})
	}
}

func TestEveryMistakeIsToldAtOnceInTheOrderOfItsLines(t *testing.T) {
	got := mistakes(t, `lisen = 3
data = 5
[http]
listen = "0.0.0.0:80"
tls = "of"
[soap]
retry_window = "1 sec"
[[user]]
name = "an na"
password_hash = "`+hash+`"
[[line]]
nmae = "a"
dialect = "sincom"
port = "/dev/a"
hook = { pin = "26", active = "lo" }
[[line]]
name = "c" oops
port = "/dev/a"
[dialing]
allow = [
  "55x",
  "5NX",
  "1*2",
]
max_call = "2h"
max_cal = "1m"
[http2]
x = 1
`)
	want := []int{1, 2, 5, 7, 9, 12, 13, 15, 15, 17, 18, 22, 23, 25, 26, 27}
	if len(got) != len(want) {
		t.Fatalf("%d mistakes, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	for i, n := range want {
		if !strings.HasPrefix(got[i], fmt.Sprintf("f:%d: ", n)) {
			t.Errorf("%s\nwant line %d", got[i], n)
		}
	}
}

func TestSeveralLinesThatAreNoTOMLAreToldAtOnce(t *testing.T) {
	got := mistakes(t, "data = x\n[http]\nlisten = \"127.0.0.1:1\"\ntls = off\nfoo = 1\n")
	if len(got) != 3 || !strings.HasPrefix(got[0], "f:1: not TOML") || !strings.HasPrefix(got[1], "f:4: not TOML") || !strings.HasPrefix(got[2], "f:5: [http] foo") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

func TestWhatIsToldIsBounded(t *testing.T) {
	for name, text := range map[string]string{
		"a thousand unknown keys": strings.Repeat("[a]\n", 1) + strings.Repeat("x", 1) + " = 1\n" + manyKeys(1000),
		"a key of 100 kB":         strings.Repeat("k", 100_000) + " = 1",
		"a value of 100 kB":       "[http]\ntls = \"" + strings.Repeat("v", 100_000) + "\"",
		"a value that moves":      "[http]\ntls = \"\\u001b[2J\\u001b[H\"",
		"a key that moves":        "[http]\n\"\\u001b[2J\" = 1",
	} {
		got := strings.Join(mistakes(t, text), "\n")
		if got == "" || len(got) > 30_000 {
			t.Errorf("%s: %d bytes told", name, len(got))
		}
		if strings.Contains(got, "\x1b") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "unknown%d = 1\n", i)
	}
	return b.String()
}

func TestHostileDocumentsAreToldPromptly(t *testing.T) {
	for name, text := range map[string]string{
		"deep lists":           "a = " + strings.Repeat("[", 100_000),
		"deep closed lists":    "a = " + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000),
		"deep tables":          "a = " + strings.Repeat("{a=", 9_000) + "1" + strings.Repeat("}", 9_000),
		"deep dots":            strings.Repeat("a.", 100_000) + "a = 1",
		"deep table name":      "[" + strings.Repeat("line.", 40_000) + "a]",
		"many lines":           strings.Repeat("[[line]]\n", 20_000),
		"many users":           strings.Repeat("[[user]]\nname='x'\n", 10_000),
		"lists in the lines":   "line = [" + strings.Repeat("{},", 80_000) + "]",
		"lines in hook":        line + "[[line.hook]]\n[[line.hook]]\n",
		"a line in a line":     "[[line]]\n[[line.line]]\n[[line.line.line]]\n",
		"keys in keys":         "[keys.keys.keys]\nkeys = 1",
		"a dotted array":       "[[line]]\nhook.pin.pin = 1",
		"syntax errors":        strings.Repeat("= 1\n\n", 50_000),
		"dots in a broken key": "a..b = 1",
	} {
		t.Run(name, func(t *testing.T) {
			if len(mistakes(t, text)) == 0 {
				t.Error("accepted")
			}
		})
	}
}

// Whatever is read, it never panics, and what is accepted holds what the daemon relies on.
func FuzzParse(f *testing.F) {
	f.Add([]byte(config.Example))
	f.Add([]byte(user + line + gsm))
	f.Add([]byte("[[line]]\n[line.hook]\npin=\"GPIO26\"\n[[line]]\nhook={pin=3}"))
	f.Add([]byte("a = [[[[\n]]]]\n\"\" = 1\n[\"\"]\n[[line.a.b]]"))
	f.Add([]byte("line = [{},{name='x'}]\nuser = [[]]\nkeys.1 = 'back'"))
	f.Add([]byte("[http]\nlisten = \":443\"\n[dialing]\nallow=['[2-9]x*', '\\*1#']"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := config.Parse("f", data)
		var e *config.Error
		switch {
		case err != nil && (!errors.As(err, &e) || c != nil || len(e.Mistakes) == 0 || err.Error() == ""):
			t.Fatalf("Parse = %v, %v", c, err)
		case err != nil:
			for _, m := range e.Mistakes {
				if m.Line < 1 || m.Line > 1+strings.Count(string(data), "\n") || m.Text == "" {
					t.Fatalf("mistake %+v", m)
				}
			}
			return
		}
		if !c.HTTP.Loopback() && (c.HTTP.TLS == config.TLSOff || len(c.Users) == 0) {
			t.Fatalf("open to the network: %+v", c.HTTP)
		}
		for _, l := range c.Lines {
			if l.Name == "" || l.Port == "" || l.LeadIn < 0 || l.Country == "" {
				t.Fatalf("line %+v", l)
			}
			if l.Hook.Wired() && (l.Hook.Active == "" || l.Hook.Contact == "") {
				t.Fatalf("hook %+v", l.Hook)
			}
		}
		if c.Dialing.MaxCall <= 0 || c.Dialing.CallsPerHour < 0 {
			t.Fatalf("dialing %+v", c.Dialing)
		}
		_, _ = c.Dialing.Rules().Check("5550100")
	})
}
