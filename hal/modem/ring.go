package modem

import (
	"sync"
	"time"
)

// ringFor is how long after its last sign a line counts as ringing: networks ring every 4 to
// 6 s, and caller id comes between two of them.
const ringFor = 6 * time.Second

// ringLog remembers when the line was last heard to ring, and who calls.
type ringLog struct {
	told func() // called when it begins to ring, and when the caller becomes known; may be nil

	mu     sync.Mutex // guards what follows
	last   time.Time
	caller string
}

// note takes a sign of ringing; caller is "" where it does not tell.
func (r *ringLog) note(caller string) {
	r.mu.Lock()
	begins := time.Since(r.last) >= ringFor
	if begins {
		r.caller = ""
	}
	learned := caller != "" && r.caller == ""
	if learned {
		r.caller = caller
	}
	r.last = time.Now()
	r.mu.Unlock()
	if (begins || learned) && r.told != nil {
		r.told()
	}
}

// now is who calls, and for how long the line still counts as ringing: 0 is not at all.
func (r *ringLog) now() (caller string, left time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if left = ringFor - time.Since(r.last); left <= 0 {
		return "", 0
	}
	return r.caller, left
}

// Ringing is who calls the line, "" where that is not told, and for how long it still counts
// as ringing: 6 s from the last RING, +CRING, caller id or incoming +CLCC; 0 is not at all.
// Changed is closed when it begins and when the caller becomes known, not when it ends.
func (m *Modem) Ringing() (caller string, left time.Duration) { return m.ring.now() }

// ringChanged tells everybody that the line rings.
func (m *Modem) ringChanged() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.changedLocked()
}

// free is ErrRinging while the line rings: whoever seized it would answer a stranger.
func (s *session) free() error {
	if _, left := s.ring.now(); left > 0 {
		return ErrRinging
	}
	return nil
}
