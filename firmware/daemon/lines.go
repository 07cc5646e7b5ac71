package daemon

import (
	"fmt"
	"io"
	"path/filepath"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/call"
	"hookswitch/firmware/config"
	"hookswitch/firmware/trace"
	"hookswitch/hal"
	"hookswitch/hal/hook"
	"hookswitch/hal/modem"
	"hookswitch/hal/modem/dialect"
	"hookswitch/hal/rpi"
	"hookswitch/hal/sim"
)

// lines opens what the configured lines are wired to. A relay or input that can't be
// opened puts its own line in fault, not the board.
func (d *Daemon) lines(opt Options, printer *trace.Printer) ([]call.LineConfig, error) {
	if opt.Config == "" {
		d.sim = sim.New(sim.Options{Dir: filepath.Join(d.cfg.Data, "far-end"), Speed: opt.SpeedUp, Log: d.log, Trace: opt.SimTrace, Edge: opt.SimEdge})
	}
	pins := simPINs(d.cfg.Data)
	bank := d.openRelays(opt.Guard)
	var lines []call.LineConfig
	for _, c := range d.cfg.Lines {
		l := call.LineConfig{
			Name: c.Name, Users: c.Users, Prefixes: c.Prefix, PressOne: c.PressOne, SayKeys: c.SayKeys, LeadIn: c.LeadIn,
			Modem: modem.Config{Name: c.Name, Dialect: c.Dialect, SIMPIN: c.SIMPIN, PINs: pins, Baud: c.Baud, Init: c.Init, Log: d.log, Trace: printer.Bytes(c.Name)},
			Hook:  hook.Config{Settle: c.Hook.Settle, MinOnHook: c.Hook.MinOnHook, LoopBreak: c.Loop.Break, Edge: printer.Edge(c.Name)},
		}
		if v, err := dialect.ParseVoiceFormat(c.Voice); err == nil && c.Voice != "" { // the configuration is checked
			l.Modem.VoiceFormat = &v
		}
		if c.Progress == config.ProgressListen {
			l.Tones = audio.PlanOf(c.Country)
		}
		if c.Pulse {
			p := hook.PulseOf(c.Country)
			l.Pulse = &p
		}
		var err error
		if d.sim != nil {
			err = d.simulate(&l, c, opt.SpeedUp)
		} else {
			wire(&l, c, bank)
		}
		if err != nil {
			return nil, err
		}
		lines = append(lines, l)
	}
	return lines, nil
}

// simulate puts a line on the simulated exchange, over pseudo terminals: the way to the
// modem is the real one.
func (d *Daemon) simulate(l *call.LineConfig, c config.Line, speed float64) error {
	line := d.sim.Voice
	if c.Dialect != "voice" {
		line = d.sim.GSM
	}
	s := line(c.Name)
	port, err := s.PTY()
	if err != nil {
		return fmt.Errorf("daemon: simulated line %s: %w", c.Name, err)
	}
	l.Modem.Open = serialPort(port, c.Baud)
	if c.Dialect == "voice" {
		l.Hook.Relay, l.Hook.Loop = s.Relay(), s.Loop()
		if speed > 1 {
			l.Hook.MinOnHook = time.Duration(float64(2*time.Second) / speed)
		}
		return nil
	}
	pcm, err := s.PCMPTY()
	if err != nil {
		return fmt.Errorf("daemon: simulated line %s: %w", c.Name, err)
	}
	l.Modem.OpenPCM = serialPort(pcm, c.PCMBaud)
	return nil
}

// wire connects a line to real hardware.
func wire(l *call.LineConfig, c config.Line, bank *relayBank) {
	l.Modem.Open = serialPort(c.Port, c.Baud)
	if c.PCM != "" {
		l.Modem.OpenPCM = serialPort(c.PCM, c.PCMBaud)
	}
	if c.Hook.Wired() {
		l.Hook.Relay = bank.open(c.Hook.Pin)
	}
	if c.Select.Wired() {
		l.Hook.Select = bank.open(c.Select)
	}
	l.Lease = bank.lease(c)
	if c.Power.Wired() {
		p := c.Power
		l.Modem.Power = modem.PowerSwitch{
			Relay: openRelay(p.Pin), Key: p.Kind == config.PowerKey, Off: p.Off, Boot: p.Boot,
			PressOff: p.PressOff, PressOn: p.PressOn,
		}.Cycle
	}
	for pin, in := range map[*config.Pin]*hal.Input{&c.Loop.Pin: &l.Hook.Loop, &c.Ring: &l.Hook.Ring, &c.InUse: &l.Hook.InUse} {
		if pin.Wired() {
			*in = openInput(*pin)
		}
	}
}

func serialPort(path string, baud int) func() (io.ReadWriteCloser, error) {
	return func() (io.ReadWriteCloser, error) {
		port, err := rpi.OpenSerial(path, baud)
		if err != nil {
			return nil, err
		}
		return port, nil
	}
}

func rpiPin(p config.Pin) rpi.Pin {
	return rpi.Pin{
		Name: p.Pin, ActiveLow: p.Active == config.Low, NormallyClosed: p.Contact == config.NormallyClosed,
		PullUp: p.Pull == "up", PullDown: p.Pull == "down",
	}
}

// broken is a relay that could not be opened: it says so whenever it is driven.
type broken struct{ err error }

func (b broken) Set(bool) error { return b.err }

func openRelay(p config.Pin) hal.Relay {
	r, err := rpi.OpenRelay(rpiPin(p))
	if err != nil {
		return broken{err}
	}
	return r
}
