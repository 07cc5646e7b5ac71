package modem

import (
	"slices"
	"strings"

	"hookswitch/hal/modem/dialect"
)

// override chooses the format that a line's voice_format asks for among those that the modem lists.
func override(v dialect.VoiceFormat, listed []dialect.Format) (dialect.Format, codec, error) {
	i := slices.IndexFunc(codecs, func(c codec) bool { return c.short == v.Coding })
	if v.ID < 0 {
		for _, f := range listed {
			if f.At8000() && codecs[i].matches(f.Name, f.Bits) {
				return f, codecs[i], nil
			}
		}
		return dialect.Format{}, codec{}, faultf(ErrNoService, "voice_format is %q, and the modem lists no such format (it has %s): "+
			"write its number too, as in \"131 %s\"", v.Coding, listFormats(listed), v.Coding)
	}
	f := dialect.Format{ID: v.ID, Name: v.Coding, Rates: []dialect.Rate{{Low: rate, High: rate}}}
	if n := slices.IndexFunc(listed, func(l dialect.Format) bool { return l.ID == v.ID }); n >= 0 {
		f.Name, f.Bits = listed[n].Name, listed[n].Bits
	} else if std, ok := standardFormats[v.ID]; ok && v.Coding == "" {
		f.Name, f.Bits = std.Name, std.Bits
	}
	if i >= 0 {
		return f, codecs[i], nil
	}
	if chosen, c, ok := chooseFormat([]dialect.Format{f}, 0); ok {
		return chosen, c, nil
	}
	return dialect.Format{}, codec{}, faultf(ErrNoService, "voice_format is %d, and it is not known how sound is coded in it: "+
		"write that too, as in \"%d ulaw\" (there are %s)", v.ID, v.ID, strings.Join(dialect.Codings, ", "))
}
