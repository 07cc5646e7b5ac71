// Package board is what is soldered where: relay boards, modem HATs and Pis as data, one
// TOML file each, beside a page for the person with the screwdriver.
package board

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// ErrUnknown is that of a name that no board has.
var ErrUnknown = errors.New("board: unknown")

// Board is one board or HAT.
type Board struct {
	Name   string   `toml:"-"`      // its file's name
	Title  string   `toml:"title"`  // what is printed on it, and by whom
	Config []string `toml:"config"` // lines of config.txt that it needs before Linux runs
	Hook   string   `toml:"hook"`   // the relay that is the hook unless another is named
	Relays []Relay  `toml:"relay"`
	Inputs []Input  `toml:"input"`
	Modem  *Modem   `toml:"modem"` // nil where there is none on it
	Power  *Power   `toml:"power"` // the modem's power key; nil where there is none
}

// Relay is one relay.
type Relay struct {
	Terminal string   `toml:"terminal"` // as printed on the board
	Pin      string   `toml:"pin"`      // "GPIO26"
	Active   string   `toml:"active"`   // the level that energises the coil: "high" or "low"
	Contacts []string `toml:"contacts"` // "normally-open", "normally-closed": those that are led out
}

// Input is one input.
type Input struct {
	Terminal string `toml:"terminal"`
	Pin      string `toml:"pin"`
	Active   string `toml:"active"` // the level while current flows, or voltage is there
}

// Modem is the modem on a HAT.
type Modem struct {
	Dialect string `toml:"dialect"`
	Port    string `toml:"port"`
	PCM     string `toml:"pcm"`
	Baud    int    `toml:"baud"`
}

// Power is a modem's power key: held to switch it on, and off.
type Power struct {
	Pin      string   `toml:"pin"`
	Active   string   `toml:"active"`
	PressOn  Duration `toml:"press_on"`
	PressOff Duration `toml:"press_off"`
	Boot     Duration `toml:"boot"` // until it answers
}

// Duration is a time as a board file has it, "2s".
type Duration struct{ time.Duration }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) (err error) {
	d.Duration, err = time.ParseDuration(string(text))
	return err
}

//go:embed *.toml
var files embed.FS

// Names of all boards, sorted.
func Names() []string {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		panic(err) // what is embedded can be read
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".toml"))
	}
	return names
}

// Load returns a board, ErrUnknown where there is none of that name.
func Load(name string) (*Board, error) {
	if !slices.Contains(Names(), name) {
		return nil, fmt.Errorf("%w: %q", ErrUnknown, name)
	}
	f, err := files.Open(name + ".toml")
	if err != nil {
		return nil, fmt.Errorf("board: %w", err)
	}
	defer f.Close()
	b := &Board{Name: name}
	if err := toml.NewDecoder(f).DisallowUnknownFields().Decode(b); err != nil {
		return nil, fmt.Errorf("board: %s: %w", name, err)
	}
	return b, nil
}

// Relay returns the relay of a terminal's name.
func (b *Board) Relay(terminal string) (Relay, bool) {
	i := slices.IndexFunc(b.Relays, func(r Relay) bool { return r.Terminal == terminal })
	if i < 0 {
		return Relay{}, false
	}
	return b.Relays[i], true
}

// Input returns the input of a terminal's name.
func (b *Board) Input(terminal string) (Input, bool) {
	i := slices.IndexFunc(b.Inputs, func(in Input) bool { return in.Terminal == terminal })
	if i < 0 {
		return Input{}, false
	}
	return b.Inputs[i], true
}
