package modem

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"hookswitch/hal/modem/dialect"
)

// startVoice makes sure of voice mode and chooses the format of sound.
func (s *session) startVoice(ctx context.Context) error {
	for _, cmd := range slices.Concat(voiceInit, s.dialect.Init, s.cfg.Init) {
		s.tell(ctx, cmd)
	}
	if err := s.startFlow(ctx); err != nil {
		return s.unreachable(err)
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
	if err := s.pickFormat(); err != nil {
		return err
	}
	if baud := s.cfg.Baud; baud > 0 && float64(baud)/10 < s.codec.bytes*rate {
		s.warn("modem's baud rate carries less than the sound needs, unless it is a USB modem: set baud = 115200")
	}
	return s.selectFormat(ctx)
}

// pickFormat chooses the line's format, that of the dialect where the modem offers it, or
// the best of those that it lists.
func (s *session) pickFormat() (err error) {
	if want := s.cfg.VoiceFormat; want != nil {
		s.format, s.codec, err = override(*want, s.formats)
		return err
	}
	s.format, s.codec = s.dialect.Format, codec{}
	offered := func(f dialect.Format) bool { return f.ID == s.format.ID && f.At8000() }
	if s.format.Name != "" && (len(s.formats) == 0 || slices.ContainsFunc(s.formats, offered)) {
		_, s.codec, _ = chooseFormat([]dialect.Format{s.format}, 0)
	} else if len(s.formats) == 0 { // it does not say: the format that every voice modem has
		s.format, s.codec = dialect.Format{ID: 1, Name: "UNSIGNED PCM", Bits: 8, Rates: []dialect.Rate{{Low: 8000, High: 8000}}}, unsigned8
	} else {
		var ok bool
		if s.format, s.codec, ok = chooseFormat(s.formats, s.cfg.Baud); !ok {
			return faultf(ErrNoService, "this modem has no voice format that this board speaks at 8000 Hz; it has %s: use another modem", listFormats(s.formats))
		}
	}
	return nil
}

// selectFormat makes the modem use the format that was chosen.
func (s *session) selectFormat(ctx context.Context) error {
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

func listFormats(formats []dialect.Format) string {
	var list []string
	for _, f := range formats {
		list = append(list, f.String())
	}
	return strings.Join(list, "; ")
}

// voiceInit is what every voice modem is told. X4 tells dial tone and busy from each other
// (V.250 6.3.5), S0=0 is never to answer by itself, S7 is how long to wait for an answer,
// M0 keeps the loudspeaker quiet, &D2 hangs up when the port is closed, +VCID=1 tells who calls.
var voiceInit = []string{"ATX4", "ATS0=0", "ATS7=60", "ATM0", "AT&D2", "AT+VCID=1"}

// voiceSetup is set-up of voice mode (V.253): no hang-up and no end of the message of the
// modem's own accord, and an answer is when ringback has been gone for 4.5 s, longer than
// its longest pause, or has not come within 10 s.
var voiceSetup = []string{"AT+VIT=0", "AT+VNH=0", "AT+VRA=45", "AT+VRN=10"}

// answerLimit is S7.
const answerLimit = 60
