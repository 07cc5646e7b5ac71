package modem

import (
	"context"
	"slices"
	"strings"

	"hookswitch/hal/modem/dialect"
)

// identify asks the modem what it is, and whether that is the modem that the line says. What
// it does not know it refuses.
func (s *session) identify(ctx context.Context) error {
	if err := s.learn(ctx, "AT+CGMI", "AT+CGMM"); err != nil { // what only a GSM modem knows
		return err
	}
	isGSM := len(s.ident) > 0
	more := []string{"ATI"}
	if !isGSM {
		more = append(more, "ATI3", "AT+GMM")
	}
	if err := s.learn(ctx, more...); err != nil {
		return err
	}
	isGSM, err := s.kind(ctx, isGSM)
	if err != nil {
		return err
	}
	s.choose(dialect.Detect(s.ident, isGSM))
	s.log.Info("modem identified", "dialect", s.dialect.Name, "ident", s.ident)
	return nil
}

// kind reports whether it is a GSM modem. seems is what its identification says; where the
// line says otherwise one more answer decides: a GSM modem tells its registration, a voice
// modem has service class 8.
func (s *session) kind(ctx context.Context, seems bool) (isGSM bool, err error) {
	if !s.known || s.dialect.GSM == seems {
		return seems, nil
	}
	cmd, prefix := "AT+CREG?", "+CREG:"
	if s.dialect.GSM {
		cmd, prefix = "AT+FCLASS=?", "+FCLASS"
	}
	info, err := s.ask(ctx, cmd, prefix)
	if err != nil && !refused(err) {
		return false, err
	}
	proven := slices.ContainsFunc(info, func(line string) bool { return strings.HasPrefix(line, prefix) })
	if s.dialect.GSM {
		proven = slices.Contains(parseClasses(info), "8")
	}
	return proven == seems, nil
}

// choose takes the dialect of the line for a modem that says it is detected. Where they do
// not go together the modem is the one to believe.
func (s *session) choose(detected dialect.Dialect) {
	line := s.dialect
	if !s.known {
		s.dialect, s.known = detected, true
		if !detected.GSM && s.cfg.OpenPCM != nil && !s.probing {
			s.lasting = faultf(ErrNoService, "this is a voice modem (%s), and the line has pcm, which is for a mobile one: "+
				"check which device the line's port is", s.idents())
		}
		return
	}
	switch {
	case line.GSM != detected.GSM:
		s.dialect = detected
		s.lasting = faultf(ErrNoService, "the line says dialect %q, but this is a %s (%s): "+
			"check which device the line's port is, or correct the dialect", line.Name, kindName(detected.GSM), s.idents())
	case detected.NoAudio != "":
		s.dialect = detected
	case line.GSM && line.Maker != "" && detected.Maker != "" && line.Maker != detected.Maker:
		s.dialect = detected
		s.log.Warn("modem is of another make than the line's dialect says; what it says it is holds",
			"dialect", line.Name, "used", detected.Name, "ident", s.ident)
	}
}

func kindName(isGSM bool) string {
	if isGSM {
		return "GSM or LTE modem"
	}
	return "voice modem"
}

// idents is what the modem says of itself, for a sentence.
func (s *session) idents() string {
	if len(s.ident) == 0 {
		return "it does not say which"
	}
	return strings.Join(s.ident[:min(3, len(s.ident))], ", ")
}

// learn adds what the modem answers to s.ident. An error is one of the channel.
func (s *session) learn(ctx context.Context, questions ...string) error {
	for _, q := range questions {
		info, err := s.ask(ctx, q, strings.TrimPrefix(q, "AT"))
		if err != nil && !refused(err) {
			return err
		}
		for _, line := range info {
			_, value, marked := strings.Cut(line, q[2:]+":") // +CGMM: SIM7600
			if !marked {
				value = line
			}
			value = strings.Trim(strings.TrimSpace(value), `"`)
			if value != "" && !slices.Contains(s.ident, value) && len(s.ident) < 32 {
				s.ident = append(s.ident, value)
			}
		}
	}
	return nil
}
