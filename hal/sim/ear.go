package sim

import "time"

// ear is a voice modem's tone detectors. They are told what sounds instead of listening,
// but need as long as real ones to be sure.
type ear struct {
	kind  soundKind
	since time.Duration // when it began

	busy    int // bursts of busy or reorder tone in a row
	sits    int // special information tones
	told    bool
	rang    bool          // ringback has been heard
	ringEnd time.Duration // when it was last heard
	key     byte
	keyFor  time.Duration
}

const (
	busySure     = 2 // bursts
	sitSure      = 2 // special information tones
	dialToneSure = 300 * time.Millisecond
	dialToneEnd  = time.Second // in a call: the far end has gone
	keySure      = 40 * time.Millisecond
	keyAgain     = 80 * time.Millisecond // while it is held
)

// hear takes a frame and returns the codes of what has become sure.
func (e *ear) hear(now time.Duration, s sound) (codes []byte) {
	if s.kind != e.kind {
		codes = e.onset(s.kind)
		e.kind, e.since, e.told = s.kind, now, false
	}
	switch e.kind {
	case ringback:
		e.rang, e.ringEnd = true, now
	case dialTone:
		if !e.told && now-e.since >= dialToneEnd {
			e.told = true
			codes = append(codes, 'd')
		}
	}
	return append(codes, e.press(s.key)...)
}

// onset counts bursts: cadence is what tells the tones apart.
func (e *ear) onset(kind soundKind) []byte {
	switch kind {
	case ringback:
		return []byte{'r'}
	case busyTone, reorderTone:
		if e.busy++; e.busy >= busySure {
			code := byte('b')
			if kind == reorderTone {
				code = 'K'
			}
			return []byte{code, code}
		}
	case sitTone:
		if e.sits++; e.sits == sitSure {
			return []byte{'J'}
		}
	case voices, dialTone:
		e.busy, e.sits = 0, 0
	}
	return nil
}

// invited says that a dial tone is there to dial on.
func (e *ear) invited(now time.Duration) bool {
	return e.kind == dialTone && now-e.since >= dialToneSure
}

// press reports a key: its start, itself for as long as it is held, its end (V.253 §9.2).
func (e *ear) press(key byte) (codes []byte) {
	if key != e.key {
		if e.keyFor >= keySure {
			codes = append(codes, '~')
		}
		e.key, e.keyFor = key, 0
	}
	if key == 0 {
		return codes
	}
	e.keyFor += frameTime
	switch {
	case e.keyFor == keySure:
		codes = append(codes, '/', key)
	case e.keyFor > keySure && (e.keyFor-keySure)%keyAgain == 0:
		codes = append(codes, key)
	}
	return codes
}
