package modem

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// startGSM sets a GSM modem up and asks whether it can call and be heard.
func (s *session) startGSM(ctx context.Context) error {
	for _, cmd := range slices.Concat(gsmInit, s.dialect.Init, s.cfg.Init) {
		s.tell(ctx, cmd)
	}
	if up, err := s.callsUp(ctx); err == nil && up { // ATH alone does nothing on some before +CVHU=0
		if err := s.onHook(ctx); err != nil {
			return s.unreachable(err)
		}
	}
	switch {
	case s.dialect.NoAudio != "":
		s.lasting = faultf(ErrSound, "%s", s.dialect.NoAudio)
	case s.cfg.OpenPCM == nil && !s.probing:
		s.lasting = faultf(ErrSound, `no audio port is configured for this modem: set pcm = "/dev/…" for its line`)
	default:
		s.sound = false
		return s.fit(ctx)
	}
	return s.lasting
}

// fit reports why a GSM modem can't make a call that is heard: the SIM, the network, the
// sound. Sound that was found once is not asked for again before a call has failed for it.
func (s *session) fit(ctx context.Context) error {
	if err := s.network(ctx); err != nil || s.sound {
		return err
	}
	if err := s.canSpeak(ctx); err != nil {
		return err
	}
	s.sound = true
	if lte, err := s.stat(ctx, "+CEREG"); err == nil && registered(lte) && s.ims(ctx) == no {
		s.warn("modem is on LTE without voice over LTE (IMS): calls work only where the network has 2G or 3G for it")
	}
	return nil
}

// registration is what stat of +CREG and +CEREG means where a call can't be made
// (TS 27.007 §7.2). 9 and 10 are registered.
var registration = map[int]string{
	0: "the modem is not looking for a network: check the antenna and the SIM",
	2: "the modem is looking for a network: check the antenna and the reception if that goes on",
	3: "the network refuses the SIM: ask its provider",
	4: "the modem has no reception: check the antenna",
	6: "no voice service: the network has registered the SIM for SMS only (+CREG 6): ask its provider for voice",
	7: "no voice service: the network has registered the SIM for SMS only (+CREG 7): ask its provider for voice",
	8: "no voice service: the network allows emergency calls only (+CREG 8): check the SIM with its provider",
}

func registered(stat int) bool { return stat == 1 || stat == 5 || stat == 9 || stat == 10 }

// noVoice reports whether stat of +CREG says that calls are not among what was registered for.
func noVoice(stat int) bool { return stat >= 6 && stat <= 8 }

// noLTEVoice is the fault of a module on LTE whose network gives it no voice.
const noLTEVoice = "no voice service: the module is on LTE without voice over LTE (IMS) and the network has no other " +
	"voice for it (+CREG %d): switch VoLTE on if the module has it, let it use 2G or 3G, or use another SIM"

// network reports why the network or the SIM does not allow a call: the radio may be off, and
// the SIM with it.
func (s *session) network(ctx context.Context) error {
	err := s.sim(ctx)
	if err == nil {
		err = s.registered(ctx)
	}
	if !errors.Is(err, ErrNoService) {
		return err
	}
	if off := s.radioOff(ctx); off != nil {
		return off
	}
	return err
}

// radioOff is the fault of a module whose radio is off (+CFUN: 0 or 4, TS 27.007 §8.2), as a
// program that has used it before may leave it; it is switched on. It is nil where that is not so.
func (s *session) radioOff(ctx context.Context) error {
	info, _ := s.ask(ctx, "AT+CFUN?", "+CFUN:")
	for _, line := range info {
		rest, ok := strings.CutPrefix(line, "+CFUN:")
		level := splitFields(rest)[0]
		if !ok || level != "0" && level != "4" {
			continue
		}
		s.log.Warn("modem's radio is off, and is switched on", "cfun", level)
		s.tell(ctx, "AT+CFUN=1")
		return faultf(ErrNoService, "the modem's radio was off (+CFUN: %s) and has been switched on: if this lasts, "+
			"another program switches it off (ModemManager?), or the module's flight-mode pin", level)
	}
	return nil
}

// registered reports why the network does not allow a call. Registration on LTE alone (+CEREG)
// is one for voice only with IMS; where the module does not tell of that, it is believed, with
// a warning.
func (s *session) registered(ctx context.Context) error {
	cs, err := s.stat(ctx, "+CREG")
	if err != nil || registered(cs) {
		return err
	}
	lte, err := s.stat(ctx, "+CEREG")
	if err != nil {
		return err
	}
	if registered(lte) {
		ims := s.ims(ctx)
		switch {
		case ims == no && cs >= 0:
			return faultf(ErrNoService, noLTEVoice, cs)
		case ims == yes:
			return nil
		case !noVoice(cs):
			s.warn("modem is registered on LTE only, and it is not known whether it has voice there")
			return nil
		}
	}
	switch {
	case cs < 0 && lte < 0: // it knows neither command: believed
		return nil
	case cs < 0 || lte == 3 && !noVoice(cs):
		cs = lte
	}
	sentence, ok := registration[cs]
	if !ok {
		sentence = fmt.Sprintf("the modem is not registered for calls (+CREG %d): check the SIM with its provider", cs)
	}
	return faultf(ErrNoService, "%s", sentence)
}

// stat asks +CREG or +CEREG; -1 is for a modem that does not tell.
func (s *session) stat(ctx context.Context, name string) (int, error) {
	info, err := s.ask(ctx, "AT"+name+"?", name+":")
	if err != nil && !refused(err) {
		return -1, s.unreachable(err)
	}
	stat := -1
	for _, line := range info {
		fields := splitFields(strings.TrimPrefix(line, name+":"))
		if n := number(fields[min(1, len(fields)-1)]); !registered(stat) {
			stat = n
		}
	}
	return stat, nil
}

// told is what a modem says of something that it may not know.
type told int

const (
	unknown told = iota
	yes
	no
)

// imsQuestions ask for IMS: +CIREG (TS 27.007) and Quectel's, with the field that says 1 for
// registered.
var imsQuestions = []struct {
	cmd, prefix, first string
	at                 int
}{
	{"AT+CIREG?", "+CIREG:", "", 1},         // +CIREG: <n>,<registered>[,<services>]
	{`AT+QCFG="ims"`, "+QCFG:", `"ims"`, 2}, // +QCFG: "ims",<setting>,<registered>
}

// ims reports whether the module has voice over LTE.
func (s *session) ims(ctx context.Context) told {
	found := unknown
	for _, q := range imsQuestions {
		info, _ := s.ask(ctx, q.cmd, q.prefix)
		for _, line := range info {
			fields := splitFields(strings.TrimPrefix(line, q.prefix))
			if len(fields) <= q.at || q.first != "" && !strings.EqualFold(fields[0], q.first) {
				continue
			}
			switch fields[q.at] {
			case "1":
				return yes
			case "0":
				found = no
			}
		}
	}
	return found
}

// warn logs what may be wrong, once in a session.
func (s *session) warn(text string) {
	if !slices.Contains(s.warned, text) {
		s.warned = append(s.warned, text)
		s.log.Warn(text)
	}
}

// gsmInit is what every GSM modem is told. CMEE=1 gives errors numbers, CREG and CEREG tell
// when the network is lost; with COLP=1 the OK of ATD would wait for the answer; CVHU=0 makes
// ATH hang up; S0=0 is never to answer by itself; CLIP and CCWA tell who calls, and that somebody
// calls while a call is up. Without its second parameter +CCWA changes nothing in the network.
var gsmInit = []string{
	"ATS0=0", "AT+CMEE=1", "AT+CREG=1", "AT+CEREG=1", "AT+COLP=0", "AT+CVHU=0",
	"AT+CLIP=1", "AT+CCWA=1",
}
