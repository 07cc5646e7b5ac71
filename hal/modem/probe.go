package modem

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"hookswitch/hal"
	"hookswitch/hal/modem/dialect"
)

// Report is what Probe has found out about a modem.
type Report struct {
	Ident    []string `json:"ident"`              // what it says of itself
	Dialect  string   `json:"dialect"`            // the one that auto would use
	About    string   `json:"about"`              // what that dialect is for
	GSM      bool     `json:"gsm"`                // a GSM or LTE modem, else a voice modem
	Classes  []string `json:"classes,omitempty"`  // AT+FCLASS=?; voice is 8
	Formats  []string `json:"formats,omitempty"`  // AT+VSM=?
	Sound    string   `json:"sound,omitempty"`    // how sound would be sent
	Network  string   `json:"network,omitempty"`  // registration, in words
	Operator string   `json:"operator,omitempty"` // AT+COPS?
	Signal   int      `json:"signal,omitempty"`   // dBm; 0 is not known
	Fault    string   `json:"fault,omitempty"`    // why it will not do and what to do; "" where it will

	NetworkFault string `json:"network_fault,omitempty"` // the part of Fault that is the SIM's and the network's
	SoundFault   string `json:"sound_fault,omitempty"`   // the part that a call would not be heard for
}

// Probe hangs the modem on port up, finds out what it is and whether it will do, and closes
// the port. The error is for a port with nothing on it that could be asked.
func Probe(ctx context.Context, port io.ReadWriteCloser) (Report, error) {
	s := newSession(&Config{Dialect: dialect.Auto, PINs: &PINs{}}, slog.New(slog.DiscardHandler), port)
	s.probing = true
	defer s.close()
	fault := s.start(ctx)
	if !s.ready {
		return Report{Ident: s.ident}, fault
	}
	r := Report{
		Ident: s.ident, Dialect: s.dialect.Name, About: s.dialect.About, GSM: s.dialect.GSM,
		Classes: s.classes, Sound: s.codec.name,
	}
	for _, f := range s.formats {
		r.Formats = append(r.Formats, f.String())
	}
	if !r.GSM {
		r.Fault = sentence(fault)
		return r, nil
	}
	s.probeNetwork(ctx, &r)
	if r.SoundFault = sentence(s.probeSound(ctx)); r.SoundFault == "" {
		r.Sound = "16-bit linear on a second port"
	}
	r.Fault = r.NetworkFault
	switch {
	case r.Fault == "":
		r.Fault = r.SoundFault
	case r.SoundFault != "":
		r.Fault += "; and " + r.SoundFault
	}
	return r, nil
}

func sentence(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// probeSound reports why a call would not be heard. A module that may have started just now
// is asked again.
func (s *session) probeSound(ctx context.Context) error {
	if s.lasting != nil {
		return s.lasting
	}
	err := s.canSpeak(ctx)
	for begin := time.Now(); err != nil && time.Since(begin) < slowSound && hal.Sleep(ctx, slowSoundAgain) == nil; {
		err = s.canSpeak(ctx)
	}
	return err
}

// probeNetwork asks for what a person with an antenna in hand wants to know.
func (s *session) probeNetwork(ctx context.Context, r *Report) {
	r.Network = "registered"
	if r.NetworkFault = sentence(s.network(ctx)); r.NetworkFault != "" {
		r.Network = "not registered"
	}
	if info, err := s.ask(ctx, "AT+COPS?", "+COPS:"); err == nil && len(info) > 0 {
		if fields := splitFields(info[0]); len(fields) > 2 {
			r.Operator = strings.Trim(fields[2], `"`)
		}
	}
	info, err := s.ask(ctx, "AT+CSQ", "+CSQ:")
	if err == nil && len(info) > 0 {
		// TS 27.007 §8.5: 0 is -113 dBm or less, 31 is -51 dBm or more, 99 is not known.
		if rssi := number(splitFields(strings.TrimPrefix(info[0], "+CSQ:"))[0]); rssi >= 0 && rssi <= 31 {
			r.Signal = -113 + 2*rssi
		}
	}
}

// String is the report in sentences.
func (r Report) String() string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	kind := "A voice modem"
	if r.GSM {
		kind = "A GSM or LTE modem"
	}
	say("%s; dialect %q, for %s.", kind, r.Dialect, r.About)
	if len(r.Ident) > 0 {
		say("It says of itself: %s.", strings.Join(r.Ident, "; "))
	} else {
		say("It says nothing of itself.")
	}
	if len(r.Classes) > 0 {
		say("Service classes: %s (voice is 8).", strings.Join(r.Classes, ", "))
	}
	if len(r.Formats) > 0 {
		say("Voice formats: %s.", strings.Join(r.Formats, "; "))
	}
	if r.Sound != "" {
		say("Sound is sent as %s.", r.Sound)
	}
	if r.Network != "" {
		say("Network: %s.", strings.Join(r.network(), ", "))
	}
	if r.Fault == "" {
		say("It will do.")
	} else {
		say("It will not do: %s.", r.Fault)
	}
	return b.String()
}

// network is what is known of the network.
func (r Report) network() []string {
	list := []string{r.Network}
	if r.Operator != "" {
		list = append(list, "operator "+r.Operator)
	}
	if r.Signal != 0 {
		quality := "good"
		switch { // by experience: below -101 dBm calls drop
		case r.Signal < -101:
			quality = "too weak"
		case r.Signal < -89:
			quality = "weak"
		}
		list = append(list, fmt.Sprintf("signal %d dBm, %s", r.Signal, quality))
	}
	return list
}
