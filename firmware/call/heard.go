package call

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"hookswitch/firmware/audio"
)

// slack is how much of a message may be unheard at its end without anybody missing it: what
// a modem holds when the far end hangs up, and the silence that messages end with.
const slack = 500 * time.Millisecond

// Heard reports whether the far end has heard the whole message.
func (i Info) Heard() bool {
	return !i.Answered.IsZero() && i.PlayedMS >= i.DurationMS-slack.Milliseconds()
}

// Told is the reason, and how much of the message was heard where that is not all of it.
func (i Info) Told() string {
	if i.State != Disconnected || i.Answered.IsZero() || i.Heard() || strings.HasPrefix(i.Reason, played) {
		return i.Reason
	}
	ms := func(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
	return i.Reason + "; " + audio.Portion(ms(i.PlayedMS), ms(i.DurationMS)) + " heard"
}

// played begins the reason of a call that has played all that is there of its message.
const played = "played"

// heard is how much of its messages a call's far end has heard: each part counts once,
// however often it is played.
type heard struct {
	mu         sync.Mutex     // guards what follows: the end of a call need not wait for its goroutine
	message    *audio.Message // at the moment
	parts      []stretch      // heard of it, in order and apart
	before     time.Duration  // heard of the messages before it
	length     time.Duration  // of those
	incomplete string         // what was not there to be heard
}

type stretch struct{ from, to time.Duration }

// begin goes on with another message.
func (h *heard) begin(m *audio.Message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.before, h.length = h.played(), h.duration()
	if h.message != nil {
		h.note()
	}
	h.message, h.parts = m, nil
}

// note keeps what is missing of the message. A part is enough: what was not there nobody heard.
func (h *heard) note() {
	h.incomplete = cmp.Or(h.incomplete, h.message.Description().Incomplete())
}

// add notes that a part of the message was heard.
func (h *heard) add(from, to time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if to <= from {
		return
	}
	h.parts = append(h.parts, stretch{from, to})
	slices.SortFunc(h.parts, func(a, b stretch) int { return cmp.Compare(a.from, b.from) })
	apart := h.parts[:1]
	for _, p := range h.parts[1:] {
		if last := &apart[len(apart)-1]; p.from <= last.to {
			last.to = max(last.to, p.to)
		} else {
			apart = append(apart, p)
		}
	}
	h.parts = apart
}

func (h *heard) played() time.Duration {
	sum := h.before
	for _, p := range h.parts {
		sum += p.to - p.from
	}
	return sum
}

// duration is how long the messages are, with what is missing of them.
func (h *heard) duration() time.Duration {
	if h.message == nil {
		return h.length
	}
	d := h.message.Description()
	return h.length + d.Duration + d.Missing
}

// there is how long the messages are without what is missing of them.
func (h *heard) there() time.Duration {
	if h.message == nil {
		return h.length
	}
	return h.length + h.message.Description().Duration
}

// tell completes what is told of a call that has ended with how much of its message was
// heard. failed is nil where nothing but the conversation itself ended it.
func (h *heard) tell(info *Info, failed error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.message == nil {
		return
	}
	h.note()
	sum, there, all := h.played(), h.there(), h.duration()
	h.message = nil // lets go of it
	info.PlayedMS, info.DurationMS = sum.Milliseconds(), all.Milliseconds()
	switch {
	case failed != nil || info.Answered.IsZero():
	case h.incomplete != "" && sum >= there-slack:
		info.Reason = played + ", " + h.incomplete
	case sum < all-slack:
		info.Reason = "ended by a key"
	}
}
