package sim

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// transcript is the AT dialogue of a line as text:
//
//	> ATDT5550100\r        the host
//	@2.52                  seconds later
//	< \r\nOK\r\n           the modem
//	# > 4000 bytes of voice data
type transcript struct {
	mu   sync.Mutex // guards what follows
	text []byte
	last time.Time // of the last byte
	open [2]side   // the host's line and the modem's, which have not ended
}

type side struct {
	line  []byte
	voice int // bytes of voice data
}

const (
	longestLog = 1 << 20
	pauseShown = 5 * time.Millisecond // shorter ones are not worth a line
)

// add appends bytes that the host ('>') or the modem ('<') has sent.
func (t *transcript) add(mark byte, b []byte, voice bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	pause := now.Sub(t.last)
	host, modem := &t.open[0], &t.open[1]
	self := host
	if mark == '<' {
		self = modem
	}
	switch {
	case !voice && host.voice+modem.voice > 0, voice && len(host.line)+len(modem.line) > 0, !voice && pause >= pauseShown:
		t.endLocked()
	case mark == '>' && strings.HasSuffix(string(modem.line), `\n`): // else it is the echo of this line
		t.endLocked()
	}
	if !t.last.IsZero() && pause >= pauseShown && host.voice+modem.voice == 0 {
		t.text = fmt.Appendf(t.text, "@%.3g\n", pause.Seconds())
	}
	t.last = now
	if voice {
		self.voice += len(b)
		return
	}
	for _, c := range b {
		self.line = appendEscaped(self.line, c)
	}
	if mark == '>' && b[len(b)-1] == '\r' {
		host.end(&t.text, '>')
	}
}

func (s *side) end(text *[]byte, mark byte) {
	switch {
	case s.voice > 0:
		*text = fmt.Appendf(*text, "# %c %d bytes of voice data\n", mark, s.voice)
	case len(s.line) > 0:
		*text = fmt.Appendf(*text, "%c %s\n", mark, s.line)
	}
	s.voice, s.line = 0, s.line[:0]
}

func (t *transcript) endLocked() {
	t.open[0].end(&t.text, '>')
	t.open[1].end(&t.text, '<')
	if len(t.text) > longestLog {
		t.text = append([]byte("# …\n"), t.text[len(t.text)-longestLog/2:]...)
	}
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.endLocked()
	return strings.ToValidUTF8(string(t.text), "")
}

func appendEscaped(dst []byte, c byte) []byte {
	switch {
	case c == '\r':
		return append(dst, `\r`...)
	case c == '\n':
		return append(dst, `\n`...)
	case c == '\\':
		return append(dst, `\\`...)
	case c < ' ' || c > '~':
		return fmt.Appendf(dst, `\x%02x`, c)
	}
	return append(dst, c)
}
