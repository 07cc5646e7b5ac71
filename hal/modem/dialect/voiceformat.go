package dialect

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

// Codings are the names of the ways to code sound that a line's voice_format may have.
var Codings = []string{"ulaw", "alaw", "unsigned8", "signed8", "linear16", "ima-adpcm"}

// ParseVoiceFormat reads "131 ulaw", "131" or "ulaw". "" is the zero VoiceFormat but for its
// ID, which is -1.
func ParseVoiceFormat(text string) (v VoiceFormat, err error) {
	v.ID = -1
	for i, word := range strings.Fields(text) {
		n, numErr := strconv.ParseUint(word, 10, 8)
		switch {
		case numErr == nil && i == 0:
			v.ID = int(n)
		case v.Coding == "" && slices.Contains(Codings, word):
			v.Coding = word
		default:
			return VoiceFormat{}, fmt.Errorf("voice format %q: want a number of AT+VSM=?, one of %s, or both, "+
				"as in \"131 ulaw\"", text, strings.Join(Codings, ", "))
		}
	}
	return v, nil
}
