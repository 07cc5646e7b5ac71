package modem

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"hookswitch/hal/at"
)

// startVoice makes sure of voice mode and chooses the format of sound.
func (s *session) startVoice(ctx context.Context) error {
	for _, cmd := range slices.Concat(voiceInit, s.dialect.Init, s.cfg.Init) {
		s.tell(ctx, cmd)
	}
	if info, err := s.ask(ctx, "AT+FCLASS=?", "+FCLASS"); err == nil {
		s.classes = parseClasses(info)
	}
	if err := s.must(ctx, "AT+FCLASS=8"); err != nil { // tried, whatever the list says: some lists are wrong
		if !refused(err) {
			return s.unreachable(err)
		}
		return faultf(ErrNoService, "this modem has no voice mode (AT+FCLASS=8 is refused; AT+FCLASS=? lists %q): use a voice modem", strings.Join(s.classes, ","))
	}
	if err := s.chooseCodec(ctx); err != nil {
		return err
	}
	for _, cmd := range slices.Concat(voiceSetup, s.dialect.Setup) {
		if s.tell(ctx, cmd) {
			s.setup = append(s.setup, cmd)
		}
	}
	return nil
}

// parseClasses reads the answer to AT+FCLASS=?: 0,1,8 or (0,1,1.0,2,8) or (0-2,8) or, with
// the prefix, "0,1,8".
func parseClasses(info []string) (classes []string) {
	for _, line := range info {
		if strings.HasPrefix(line, "+") {
			line = line[strings.IndexAny(line, ":=")+1:]
		}
		for _, part := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(`(),;" `, r) }) {
			low, high, isRange := strings.Cut(part, "-")
			if first, last := number(low), number(high); isRange && first >= 0 && last >= first && last < 100 {
				for n := first; n <= last; n++ {
					classes = append(classes, fmt.Sprint(n))
				}
				continue
			}
			classes = append(classes, part)
		}
	}
	return classes[:min(len(classes), 100)]
}

// chooseCodec selects the format of sound.
func (s *session) chooseCodec(ctx context.Context) error {
	info, err := s.ask(ctx, "AT+VSM=?", "+VSM")
	if err != nil && !refused(err) {
		return s.unreachable(err)
	}
	s.formats = parseVSM(info)
	s.format, s.codec = s.dialect.Format, codec{}
	offered := func(f Format) bool { return f.ID == s.format.ID && f.at8000() }
	if s.format.Name != "" && (len(s.formats) == 0 || slices.ContainsFunc(s.formats, offered)) {
		_, s.codec, _ = chooseFormat([]Format{s.format}, 0)
	} else if len(s.formats) == 0 { // it does not say: the format that every voice modem has
		s.format, s.codec = Format{ID: 1, Name: "UNSIGNED PCM", Bits: 8, Rates: []Rate{{8000, 8000}}}, unsigned8
	} else {
		var ok bool
		if s.format, s.codec, ok = chooseFormat(s.formats, s.cfg.Baud); !ok {
			return faultf(ErrNoService, "this modem has no voice format that this board speaks at 8000 Hz; it has %s: use another modem", listFormats(s.formats))
		}
	}
	forms := s.dialect.Select
	if forms == nil {
		forms = []string{"AT+VSM=%d,8000", "AT+VSM=%d,8000,0,0"}
	}
	for _, form := range forms {
		cmd := fmt.Sprintf(form, s.format.ID)
		if s.tell(ctx, cmd) {
			s.setup = []string{cmd}
			return nil
		}
	}
	s.log.Warn("modem refuses to select a voice format; its own is taken to be this one", "format", s.format, "codec", s.codec.name)
	return nil
}

func listFormats(formats []Format) string {
	var list []string
	for _, f := range formats {
		list = append(list, f.String())
	}
	return strings.Join(list, "; ")
}

// startGSM sets a GSM modem up and asks whether it can call.
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
		s.lasting = faultf(ErrNoService, "%s", s.dialect.NoAudio)
	case s.cfg.OpenPCM == nil:
		s.lasting = faultf(ErrNoService, `no audio port is configured for this modem: set pcm = "/dev/…" for its line`)
	default:
		return s.network(ctx)
	}
	return s.lasting
}

// registration is what stat of +CREG means where it is not 1 or 5 (TS 27.007 §7.2).
var registration = map[int]string{
	0: "the modem is not looking for a network: check the antenna and the SIM",
	2: "the modem is looking for a network: check the antenna and the reception if that goes on",
	3: "the network refuses the SIM: ask its provider",
	4: "the modem has no reception: check the antenna",
	8: "the network allows emergency calls only: check the SIM with its provider",
}

// network says why the network or the SIM does not allow a call. What a modem does not know
// it is not asked twice.
func (s *session) network(ctx context.Context) error {
	if err := s.sim(ctx); err != nil {
		return err
	}
	worst := -1
	for _, name := range []string{"+CREG", "+CEREG"} {
		info, err := s.ask(ctx, "AT"+name+"?", name+":")
		if err != nil && !refused(err) {
			return s.unreachable(err)
		}
		for _, line := range info {
			fields := splitFields(strings.TrimPrefix(line, name+":"))
			stat := number(fields[min(1, len(fields)-1)])
			if stat == 1 || stat == 5 {
				return nil
			}
			if worst < 0 || stat == 3 {
				worst = stat
			}
		}
	}
	if worst < 0 { // it knows neither command: believed
		return nil
	}
	sentence, ok := registration[worst]
	if !ok {
		sentence = fmt.Sprintf("the modem is not registered for calls (+CREG %d): check the SIM with its provider", worst)
	}
	return faultf(ErrNoService, "%s", sentence)
}

// sim says why the SIM does not allow a call.
func (s *session) sim(ctx context.Context) error {
	info, err := s.ask(ctx, "AT+CPIN?", "+CPIN:")
	var refusal *at.Error
	switch {
	case errors.As(err, &refusal):
		switch cmeCode(refusal.Result) {
		case 10, 13, 15:
			return faultf(ErrNoService, "the modem finds no SIM, or a bad one: check that it is the right way round")
		case 14: // SIM busy
			return faultf(ErrNoService, "the SIM is not ready yet")
		}
		return nil
	case err != nil:
		return s.unreachable(err)
	}
	for _, line := range info {
		state := strings.TrimSpace(strings.TrimPrefix(line, "+CPIN:"))
		if state == "SIM PIN" && s.cfg.SIMPIN != "" {
			return s.unlock(ctx)
		}
		if state != "READY" {
			return faultf(ErrNoService, "the SIM asks for %s: unlock it in a telephone, and switch its PIN off", state)
		}
	}
	return nil
}

// unlock gives the SIM its PIN, once: a third wrong one blocks it.
func (s *session) unlock(ctx context.Context) error {
	if s.pin == nil || *s.pin == "" {
		return faultf(ErrNoService, "the SIM refuses the PIN that is configured, and is not asked again, as a third wrong one blocks it: correct it and start the daemon anew")
	}
	pin := *s.pin
	*s.pin = ""
	if _, err := s.ask(ctx, `AT+CPIN="`+pin+`"`, ""); refused(err) {
		return s.unlock(ctx)
	} else if err != nil {
		return s.unreachable(err)
	}
	*s.pin = pin // right, and so it is after the next power cut
	return faultf(ErrNoService, "the SIM has taken its PIN and is not ready yet")
}
