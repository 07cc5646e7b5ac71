package config

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"hookswitch/board"
)

// fromBoard fills in what the line's board says of its modem and of named terminals.
func (k *checker) fromBoard(l *Line, at *place) {
	b := &board.Board{}
	if l.Board != "" {
		var err error
		if b, err = board.Load(l.Board); err != nil {
			k.add(at.key("board"), lineTable, "board", "there is no board %s%s; there are %s", quote(l.Board), hint(l.Board, board.Names()), strings.Join(board.Names(), ", "))
			at.key("hook").bad = true
			return
		}
	}
	if m := b.Modem; m != nil {
		if at.keys["dialect"] == nil {
			l.Dialect = m.Dialect
		}
		if at.keys["baud"] == nil {
			l.Baud = m.Baud
		}
		l.Port, l.PCM = orText(l.Port, m.Port), orText(l.PCM, m.PCM)
	}
	if l.Hook.Pin.Pin == "" && l.Hook.Terminal == "" && !l.Mobile() {
		l.Hook.Terminal = b.Hook
	}
	k.relayTerminal(&l.Hook.Pin, b, at, "hook")
	k.relayTerminal(&l.Power.Pin, b, at, "power")
	k.relayTerminal(&l.Select, b, at, "select")
	k.inputTerminal(&l.Loop.Pin, b, at, "loop")
	k.inputTerminal(&l.Ring, b, at, "ring")
	k.inputTerminal(&l.InUse, b, at, "in_use")
	if p := b.Power; p != nil && !l.Power.Wired() {
		l.Power = Power{
			Pin: Pin{Pin: p.Pin, Active: p.Active}, Kind: PowerKey,
			PressOn: p.PressOn.Duration, PressOff: p.PressOff.Duration, Boot: p.Boot.Duration,
		}
	}
}

func orText(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (k *checker) relayTerminal(p *Pin, b *board.Board, at *place, key string) {
	if p.Terminal == "" {
		return
	}
	r, ok := b.Relay(p.Terminal)
	var names []string
	for _, r := range b.Relays {
		names = append(names, r.Terminal)
	}
	if k.terminal(p, ok, names, b, at, key) {
		p.Pin, p.Active = r.Pin, r.Active
		if p.Contact != "" && !slices.Contains(r.Contacts, p.Contact) {
			k.add(at.key(key).key("contact"), lineTable, key+".contact", "%s of %s has no %s contact", p.Terminal, b.Name, quote(p.Contact))
		}
	}
}

func (k *checker) inputTerminal(p *Pin, b *board.Board, at *place, key string) {
	if p.Terminal == "" {
		return
	}
	in, ok := b.Input(p.Terminal)
	var names []string
	for _, in := range b.Inputs {
		names = append(names, in.Terminal)
	}
	if k.terminal(p, ok, names, b, at, key) {
		p.Pin, p.Active = in.Pin, in.Active
	}
}

// terminal reports whether a terminal can be used, and tells why not.
func (k *checker) terminal(p *Pin, found bool, names []string, b *board.Board, at *place, key string) bool {
	where := at.key(key).key("terminal")
	switch {
	case b.Name == "":
		k.add(where, lineTable, key+".terminal", "a terminal is named after the line's board; write board = \"…\", or pin instead")
	case !found && len(names) == 0:
		k.add(where, lineTable, key+".terminal", "%s has none; write pin instead", b.Name)
	case !found:
		k.add(where, lineTable, key+".terminal", "%s has no %s here; it has %s", b.Name, quote(p.Terminal), strings.Join(names, ", "))
	case p.Pin != "" || p.Active != "":
		k.add(where, lineTable, key+".terminal", "the board says which pin this is and which level; remove pin and active")
	default:
		return true
	}
	at.key(key).bad = true
	return false
}

// pins checks what is wired to the line.
func (k *checker) pins(l *Line, at *place, used map[string]int) {
	for _, p := range []struct {
		key         string
		pin         *Pin
		relay, coil bool // it has a contact; a wrong level would energise something
	}{
		{"hook", &l.Hook.Pin, true, true}, {"select", &l.Select, true, true}, {"power", &l.Power.Pin, l.Power.Kind != PowerKey, true},
		{"loop", &l.Loop.Pin, false, false}, {"ring", &l.Ring, false, false}, {"in_use", &l.InUse, false, false},
	} {
		where := at.key(p.key)
		if where.bad {
			continue
		}
		if !p.pin.Wired() {
			if at.keys[p.key] != nil {
				k.missing(where, lineTable, "pin", `%s needs a pin, such as pin = "GPIO26"`, p.key)
			}
			continue
		}
		if text := wrongPin(p.pin.Pin); text != "" {
			k.add(where.key("pin"), lineTable, p.key+".pin", "%s", text)
		}
		k.uniquePin(used, p.pin.Pin, where, p.key)
		k.wiring(p.pin, where, p.key, p.relay, p.coil)
	}
	k.times(l, at)
}

// uniquePin tells a pin that has another use already.
func (k *checker) uniquePin(used map[string]int, pin string, at *place, key string) {
	where := at.key("pin")
	if first, ok := used[pin]; ok {
		k.add(where, lineTable, key+".pin", "%s is already used on line %d", pin, first)
		return
	}
	used[pin] = where.line
}

var pinName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.:-]{0,31}$`)

// wrongPin tells what is wrong with a pin's name, or "".
func wrongPin(name string) string {
	digits := strings.TrimLeft(strings.ToUpper(strings.ReplaceAll(name, " ", "")), "GPIOBCM_")
	n, err := strconv.ParseUint(digits, 10, 16)
	isPi := strings.HasPrefix(name, "GPIO") && err == nil && name == "GPIO"+strconv.FormatUint(n, 10)
	switch {
	case strings.HasPrefix(name, "/"):
		return ""
	case isPi && n > 53:
		return name + " does not exist; the header has GPIO2 to GPIO27"
	case isPi:
		return ""
	case err == nil:
		return quote(name) + ` is no pin; write "GPIO` + strconv.FormatUint(n, 10) + `", the BCM number, not that of the header`
	case !pinName.MatchString(name):
		return quote(name) + ` is no pin; write "GPIO26", or the absolute path of a value file`
	}
	return ""
}

// wiring checks how a pin is wired. Which level energises a coil is never guessed: a wrong
// guess is a line that is off-hook whenever it should not be.
func (k *checker) wiring(p *Pin, at *place, key string, relay, coil bool) {
	switch {
	case p.Active == "" && coil && !strings.HasPrefix(p.Pin, "/"):
		k.missing(at, lineTable, "active", `%s: write the level that switches it on, active = "low" or "high"; it is not guessed`, key)
	case p.Active == "":
		p.Active = High
	default:
		k.oneOf(at.key("active"), lineTable, key+".active", p.Active, High, Low)
	}
	switch {
	case !relay && p.Contact != "":
		k.add(at.key("contact"), lineTable, key+".contact", "only a relay has a contact; remove it")
	case relay && p.Contact == "":
		p.Contact = NormallyOpen
	case relay:
		k.oneOf(at.key("contact"), lineTable, key+".contact", p.Contact, NormallyOpen, NormallyClosed)
	}
	if coil && p.Pull != "" {
		k.add(at.key("pull"), lineTable, key+".pull", "only an input has a pull resistor; remove it")
	} else if p.Pull != "" {
		k.oneOf(at.key("pull"), lineTable, key+".pull", p.Pull, "up", "down")
	}
}

// Defaults of Power, and bounds of what is wired.
const (
	powerOff     = 5 * time.Second  // a supply's capacitors
	powerBoot    = 20 * time.Second // SIM7600; others are quicker
	pressOn      = 2 * time.Second  // SIM7600X HAT manual
	pressOff     = 3 * time.Second  // SIM7600X HAT manual
	maxSettle    = 2 * time.Second
	maxMinOnHook = time.Minute
	minBreak     = 90 * time.Millisecond // shorter ones are the exchange's own
	maxBreak     = 5 * time.Second
	maxPower     = 5 * time.Minute
)

// times checks and completes the times of what is wired.
func (k *checker) times(l *Line, at *place) {
	hook, loop, power := at.key("hook"), at.key("loop"), at.key("power")
	k.within(hook.key("settle"), lineTable, "hook.settle", l.Hook.Settle, 0, maxSettle)
	k.within(hook.key("min_on_hook"), lineTable, "hook.min_on_hook", l.Hook.MinOnHook, 0, maxMinOnHook)
	if l.Loop.Break != 0 {
		k.within(loop.key("break"), lineTable, "loop.break", l.Loop.Break, minBreak, maxBreak)
	}
	p := &l.Power
	if !p.Wired() {
		return
	}
	p.Kind = orText(p.Kind, PowerSupply)
	k.oneOf(power.key("kind"), lineTable, "power.kind", p.Kind, PowerSupply, PowerKey)
	for _, t := range []struct {
		key      string
		d        *time.Duration
		standard time.Duration
	}{{"off", &p.Off, powerOff}, {"press_on", &p.PressOn, pressOn}, {"press_off", &p.PressOff, pressOff}, {"boot", &p.Boot, powerBoot}} {
		if *t.d == 0 {
			*t.d = t.standard
		}
		k.within(power.key(t.key), lineTable, "power."+t.key, *t.d, 100*time.Millisecond, maxPower)
	}
}
