// Package config reads the one configuration file into typed, validated values. Every
// mistake in it is told at once, each with its line.
package config

import (
	_ "embed"
	"fmt"
	"io"
	"os"
	"time"

	"hookswitch/hal/modem/dialect"
)

// Version is what this program writes and reads. A file without a version key has this
// one; a newer one is refused, so that a rolled-back program does not guess.
const Version = 1

// MaxSize of a configuration file, in bytes.
const MaxSize = 256 << 10

// Config is a whole configuration, complete: what the file leaves out has its default.
type Config struct {
	Version int    `toml:"version"`
	Data    string `toml:"data"` // directory of mailboxes, call log and keys

	HTTP    HTTP              `toml:"http"`
	SOAP    SOAP              `toml:"soap"`
	Auth    Auth              `toml:"auth"`
	Users   []User            `toml:"user"`
	Lines   []Line            `toml:"line"`
	Dialing Dialing           `toml:"dialing"`
	Choice  Choice            `toml:"lines"`
	Redial  Redial            `toml:"redial"`
	Keys    map[string]string `toml:"keys"` // key on the telephone → keypad.Action, all of them; nil is Exchange's
	Mail    Mail              `toml:"mail"`
	Log     Log               `toml:"log"`
	Console Console           `toml:"console"`
}

// HTTP is where and how clients reach the board.
type HTTP struct {
	Listen         string `toml:"listen"`          // host:port; beyond loopback it takes TLS and a user
	TLS            string `toml:"tls"`             // one of the TLS constants
	Cert           string `toml:"cert"`            // PEM files, for TLSFiles
	Key            string `toml:"key"`             //
	Name           string `toml:"name"`            // host name in URLs and in a certificate of our own; "" is the machine's
	MaxConnections int    `toml:"max_connections"` // of the network, and as many of this machine; for one more an idle one is closed
}

// Ways of TLS.
const (
	TLSOff        = "off"         // loopback only
	TLSSelfSigned = "self-signed" // made at the first start, its fingerprint shown
	TLSFiles      = "files"       // Cert and Key
)

// SOAP is how the two web services answer where Exchange's versions differed.
type SOAP struct {
	Alerted      bool          `toml:"alerted"`        // UM clients are told Alerted; by default such a call is Connecting (MS-OXWUMS)
	CallsPerUser int           `toml:"calls_per_user"` // at a time; 0 is no limit
	RetryWindow  time.Duration `toml:"retry_window"`   // for so long the same PlayOnPhone is the same call
}

// Auth is what is offered to clients besides Basic and bearer tokens.
type Auth struct {
	NTLM bool `toml:"ntlm"` // NTLMv2 for users with an nt_hash
}

// User may log in, and has a mailbox.
type User struct {
	Name         string   `toml:"name"` // of the login and of the mailbox's directory
	Email        string   `toml:"email"`
	PasswordHash string   `toml:"password_hash"` // HashPassword
	NTHash       string   `toml:"nt_hash"`       // NTHash: as good as the password to whoever reads it
	TokenHash    []string `toml:"token_hash"`    // NewToken: bearer tokens of scripts
	Admin        bool     `toml:"admin"`         // sees and disconnects everybody's calls
	UM           bool     `toml:"um"`            // may play messages on the phone; true by default
	AccessNumber string   `toml:"access_number"` // what UM clients show as the number of voice mail
}

// Line is one telephone line: a modem, and on an analogue line how its hook is wired.
type Line struct {
	Name    string `toml:"name"`
	Dialect string `toml:"dialect"` // what modem it is: a name of dialect.All; "auto" asks it
	Port    string `toml:"port"`    // device of the AT commands
	Baud    int    `toml:"baud"`
	Voice   string `toml:"voice_format"` // how a voice modem's sound is coded, where what it claims is wrong
	SIMPIN  string `toml:"sim_pin"`      // of the SIM card
	PCM     string `toml:"pcm"`          // device of the sound of a mobile modem
	PCMBaud int    `toml:"pcm_baud"`     //

	Board  string `toml:"board"` // relay board or HAT, a name of board.Names; fills in what is wired
	Hook   Hook   `toml:"hook"`
	Loop   Loop   `toml:"loop"`
	Ring   Pin    `toml:"ring"`   // ringing voltage
	InUse  Pin    `toml:"in_use"` // a parallel telephone is off-hook
	Select Pin    `toml:"select"` // a relay that joins the modem to this line during a call
	Power  Power  `toml:"power"`

	Init     []string      `toml:"init"`      // further AT commands after the dialect's own
	Country  string        `toml:"country"`   // whose tones and pulses: ISO 3166 in lower case, "uk" too
	Prefix   []string      `toml:"prefix"`    // the line takes only numbers that begin so; empty is all
	Users    []string      `toml:"users"`     // the line takes only these users' calls; empty is everybody's
	Pulse    bool          `toml:"pulse"`     // the hook relay dials, not the modem
	PressOne bool          `toml:"press_one"` // the message waits until the person presses 1
	Progress string        `toml:"progress"`  // who hears answer and busy: one of the Progress constants
	SayKeys  bool          `toml:"say_keys"`  // the person is told the keys before the message
	LeadIn   time.Duration `toml:"lead_in"`   // silence between the answer and the first word
}

// Who hears a call's progress.
const (
	ProgressModem  = "modem"
	ProgressListen = "listen" // the board, in the received audio
)

// Pin is a GPIO and how it is wired. The zero value is no pin.
type Pin struct {
	Pin      string `toml:"pin"`      // "GPIO26", or the absolute path of a value file
	Terminal string `toml:"terminal"` // name on the line's board, instead of pin, active and contact
	Active   string `toml:"active"`   // High or Low: the level that energises the coil, or that an input has when it is active
	Contact  string `toml:"contact"`  // relays: NormallyOpen or NormallyClosed
	Pull     string `toml:"pull"`     // inputs: "up", "down" or ""
}

// Levels and contacts.
const (
	High           = "high"
	Low            = "low"
	NormallyOpen   = "normally-open"
	NormallyClosed = "normally-closed"
)

// Wired reports whether there is a pin.
func (p Pin) Wired() bool { return p.Pin != "" }

// Hook is the hook relay.
type Hook struct {
	Pin
	Settle    time.Duration `toml:"settle"`      // from closing the contact to a usable line; 0 is hook's default
	MinOnHook time.Duration `toml:"min_on_hook"` // between two calls; 0 is hook's default
}

// Loop is the loop-current input.
type Loop struct {
	Pin
	Break time.Duration `toml:"break"` // current missing for so long is a disconnect; 0 is hook's default
}

// Power switches a modem that does not answer off and on again: by a relay in its supply,
// or by holding its power key.
type Power struct {
	Pin
	Kind     string        `toml:"kind"`      // PowerSupply or PowerKey
	Off      time.Duration `toml:"off"`       // supply: off for so long
	PressOn  time.Duration `toml:"press_on"`  // key: held to switch on
	PressOff time.Duration `toml:"press_off"` // key: held to switch off
	Boot     time.Duration `toml:"boot"`      // until the modem is to be expected back
}

// Kinds of Power.
const (
	PowerSupply = "supply"
	PowerKey    = "key"
)

// Dialing says what may be dialled, how often and for how long. See dialing.Rules.
type Dialing struct {
	Region              string        `toml:"region"`               // ISO 3166: whose emergency and premium numbers
	Allow               []string      `toml:"allow"`                // masks; nothing is diallable until it is here
	Deny                []string      `toml:"deny"`                 // masks; stronger than Allow
	Emergency           []string      `toml:"emergency"`            // emergency numbers that may be dialled all the same
	Premium             bool          `toml:"premium"`              // premium-rate and shared-cost numbers may be dialled
	OutsidePrefix       []string      `toml:"outside_prefix"`       // what a PBX wants before a number of the outside
	InternationalPrefix string        `toml:"international_prefix"` // what an analogue line dials for "+"; "" is the region's
	MaxCall             time.Duration `toml:"max_call"`             // from the answer to on-hook; no longer message is played
	CallsPerHour        int           `toml:"calls_per_hour"`       // of one user; 0 is no limit
	CallsPerDay         int           `toml:"calls_per_day"`        // of one user; 0 is no limit
	NumbersPerHour      int           `toml:"numbers_per_hour"`     // different ones, of one user; 0 is no limit

	BoardCallsPerDay    int `toml:"board_calls_per_day"`    // of all users; 0 is no limit
	BoardMinutesPerDay  int `toml:"board_minutes_per_day"`  // of all users; 0 is no limit
	AbroadMinutesPerDay int `toml:"abroad_minutes_per_day"` // of all users' calls abroad; 0 is no limit
}

// Choice says which idle line takes a call, and what happens when none is.
type Choice struct {
	Choose    string        `toml:"choose"` // "first", "round-robin" or "least-used"
	Queue     int           `toml:"queue"`  // calls that may wait for a line
	QueueWait time.Duration `toml:"queue_wait"`
}

// Redial is what happens after busy or no answer.
type Redial struct {
	Attempts int           `toml:"attempts"` // further ones; 0 is never
	Interval time.Duration `toml:"interval"`
}

// Mail is the server that takes new PINs to their users.
type Mail struct {
	SMTP         string `toml:"smtp"` // host:port; "" is no mail
	From         string `toml:"from"`
	User         string `toml:"user"`
	PasswordFile string `toml:"password_file"`
}

// Console is where a technician finds the console.
type Console struct {
	Ports []string `toml:"ports"` // serial ports, 115200 baud; ConsoleAuto finds them
}

// ConsoleAuto stands for the UART of a board's header; where a line has that, for each USB
// adapter that no line has.
const ConsoleAuto = "auto"

// Log is what the daemon tells.
type Log struct {
	Level string `toml:"level"` // "debug", "info", "warn" or "error"
	Trace bool   `toml:"trace"` // the AT dialogue and relay edges; never the numbers' secrets, but the numbers
}

// Example is a configuration file with every key, and what it means.
//
//go:embed example.toml
var Example string

// Load reads the configuration file at path. What is wrong inside it is an *Error.
func Load(path string) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	return Parse(path, data)
}

// Simulated is the configuration of the simulated board: an analogue and a mobile line,
// whose ports the simulator opens, no user, loopback only, and nothing diallable but the
// simulated exchange's own numbers.
func Simulated() *Config {
	c := defaults()
	c.Data = "hookswitch-data"
	fxo, gsm := defaultLine(), defaultLine()
	fxo.Name, fxo.Dialect = "fxo1", "voice"
	gsm.Name, gsm.Dialect = "gsm1", "gsm"
	c.Lines = []Line{fxo, gsm}
	for i := range c.Lines {
		c.Lines[i].complete()
		c.Lines[i].Country = "us"
	}
	c.Dialing.CallsPerHour, c.Dialing.CallsPerDay = 0, 0 // nobody pays for them
	c.Dialing.BoardCallsPerDay, c.Dialing.BoardMinutesPerDay, c.Dialing.AbroadMinutesPerDay = 0, 0, 0
	c.Dialing.Allow = []string{"55501xx", "1xxx55501xx", "+1xxx55501xx"}
	return c
}

func defaults() *Config {
	return &Config{
		Version: Version,
		Data:    "/var/lib/hookswitch",
		HTTP:    HTTP{Listen: "127.0.0.1:8080", TLS: TLSOff, MaxConnections: 512},
		SOAP:    SOAP{CallsPerUser: 1, RetryWindow: time.Second},
		Dialing: Dialing{Region: "US", MaxCall: 10 * time.Minute, CallsPerHour: unset, CallsPerDay: unset,
			BoardCallsPerDay: boardCallsPerDay, BoardMinutesPerDay: boardMinutesPerDay, AbroadMinutesPerDay: abroadMinutesPerDay},
		Choice: Choice{Choose: "first", QueueWait: 30 * time.Second},
		Redial: Redial{Interval: 60 * time.Second},
		Log:    Log{Level: "info"},
	}
}

// unset marks what has a default that depends on the rest of the configuration.
const unset = -1

func defaultUser() User { return User{UM: true} }

func defaultLine() Line {
	return Line{Dialect: dialect.Auto, Baud: 115200, PCMBaud: 115200, Progress: ProgressModem, LeadIn: unset}
}
