package modem

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// VoiceFormat overrides what a voice modem claims of its formats (AT+VSM=?): some lists are
// wrong.
type VoiceFormat struct {
	ID     int    // the format that is selected; -1 leaves that to the modem's list
	Coding string // how sound is coded in it, a name in Codings; "" is what the list says
}

// Codings are the names of the ways to code sound that this board has.
func Codings() (names []string) {
	for _, c := range codecs {
		names = append(names, c.short)
	}
	return names
}

// ParseVoiceFormat reads "131 ulaw", "131" or "ulaw". "" is the zero VoiceFormat but for its
// ID, which is -1.
func ParseVoiceFormat(text string) (v VoiceFormat, err error) {
	v.ID = -1
	for i, word := range strings.Fields(text) {
		n, numErr := strconv.ParseUint(word, 10, 8)
		switch {
		case numErr == nil && i == 0:
			v.ID = int(n)
		case v.Coding == "" && slices.Contains(Codings(), word):
			v.Coding = word
		default:
			return VoiceFormat{}, fmt.Errorf("modem: voice format %q: want a number of AT+VSM=?, one of %s, or both, "+
				"as in \"131 ulaw\"", text, strings.Join(Codings(), ", "))
		}
	}
	return v, nil
}

// override chooses the format that v asks for among those that the modem lists.
func (v VoiceFormat) override(listed []Format) (Format, codec, error) {
	i := slices.IndexFunc(codecs, func(c codec) bool { return c.short == v.Coding })
	if v.ID < 0 {
		for _, f := range listed {
			if f.at8000() && codecs[i].matches(f.Name, f.Bits) {
				return f, codecs[i], nil
			}
		}
		return Format{}, codec{}, faultf(ErrNoService, "voice_format is %q, and the modem lists no such format (it has %s): "+
			"write its number too, as in \"131 %s\"", v.Coding, listFormats(listed), v.Coding)
	}
	f := Format{ID: v.ID, Name: v.Coding, Rates: []Rate{{rate, rate}}}
	if n := slices.IndexFunc(listed, func(l Format) bool { return l.ID == v.ID }); n >= 0 {
		f.Name, f.Bits = listed[n].Name, listed[n].Bits
	} else if std, ok := standardFormats[v.ID]; ok && v.Coding == "" {
		f.Name, f.Bits = std.Name, std.Bits
	}
	if i >= 0 {
		return f, codecs[i], nil
	}
	if chosen, c, ok := chooseFormat([]Format{f}, 0); ok {
		return chosen, c, nil
	}
	return Format{}, codec{}, faultf(ErrNoService, "voice_format is %d, and it is not known how sound is coded in it: "+
		"write that too, as in \"%d ulaw\" (there are %s)", v.ID, v.ID, strings.Join(Codings(), ", "))
}
