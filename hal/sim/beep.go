package sim

import (
	"strconv"
	"strings"
	"time"
)

// beeper makes the tones of +VTS and of dialling.
type beeper struct {
	queue []beepTone
	n     int // samples of the first that have sounded
}

type beepTone struct {
	freqs   []float64
	samples int
}

// keyGap is the silence between two keys (ITU-T Q.24: at least 40 ms).
const keyGap = 80 * time.Millisecond

// maxTones is how many tones a +VTS may have.
const maxTones = 64

func (b *beeper) tone(freqs []float64, d time.Duration) {
	if d > 0 {
		b.queue = append(b.queue, beepTone{freqs, samplesIn(d)})
	}
}

// key adds a DTMF key.
func (b *beeper) key(key byte, d time.Duration) { b.tone(keyTones(key), d) }

func (b *beeper) silent() bool { return len(b.queue) == 0 }

// add mixes the next samples into out.
func (b *beeper) add(out []int16) {
	for len(out) > 0 && len(b.queue) > 0 {
		t := b.queue[0]
		n := min(len(out), t.samples-b.n)
		addSines(out[:n], b.n, amplitude(keyLevel), t.freqs)
		out, b.n = out[n:], b.n+n
		if b.n == t.samples {
			b.queue, b.n = b.queue[1:], 0
		}
	}
}

// beep is +VTS (V.253 §10.3.10): 5, {5,20} and [f1,f2,20] in any number, times in 10 ms.
func (v *voiceModem) beep(c command) result {
	if c.op == 't' {
		return v.info("(200-3200),(200-3200),(0-255)")
	}
	if c.op != '=' || v.class != 8 {
		return fail
	}
	var b beeper
	usual := time.Duration(v.param("+VTD")) * 10 * time.Millisecond
	for rest := c.arg; rest != ""; {
		var good bool
		if rest, good = b.parse(rest, usual); !good || len(b.queue) > maxTones {
			return fail
		}
		rest = strings.TrimLeft(rest, " ")
		if rest != "" && !strings.HasPrefix(rest, ",") {
			return fail
		}
		rest = strings.TrimLeft(strings.TrimPrefix(rest, ","), " ")
	}
	if b.silent() {
		return fail
	}
	v.beeper, v.mode = b, beeping
	return later
}

// parse takes one tone off the list.
func (b *beeper) parse(s string, usual time.Duration) (rest string, good bool) {
	switch s[0] {
	case '{':
		inner, rest, closed := strings.Cut(s[1:], "}")
		key, length, timed := strings.Cut(inner, ",")
		d, sense := tens(length, timed, usual)
		return rest, closed && sense && len(key) == 1 && b.keyed(key[0], d)
	case '[':
		inner, rest, closed := strings.Cut(s[1:], "]")
		f := append(strings.Split(inner, ","), "", "")
		d, sense := tens(f[2], f[2] != "", usual)
		freqs, tones := frequencies(f[:2])
		if !closed || !sense || !tones {
			return rest, false
		}
		b.tone(freqs, d)
		return rest, true
	}
	return s[1:], b.keyed(s[0], usual)
}

func (b *beeper) keyed(key byte, d time.Duration) bool {
	if key >= 'a' && key <= 'd' {
		key -= 'a' - 'A'
	}
	if keyTones(key) == nil {
		return false
	}
	b.key(key, d)
	b.tone(nil, keyGap)
	return true
}

func tens(s string, given bool, usual time.Duration) (time.Duration, bool) {
	if !given {
		return usual, true
	}
	n, err := strconv.Atoi(strings.TrimSpace(s))
	return time.Duration(n) * 10 * time.Millisecond, err == nil && n >= 0 && n <= 1000
}

func frequencies(list []string) (freqs []float64, good bool) {
	for _, s := range list {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		f, err := strconv.Atoi(s)
		if err != nil || f < 0 || f > rate/2 {
			return nil, false
		}
		if f > 0 {
			freqs = append(freqs, float64(f))
		}
	}
	return freqs, true
}
