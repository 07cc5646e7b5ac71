package audio

import (
	"encoding/binary"
	"io"
	"time"
)

// speeds that Slower and Faster step through.
var speeds = []float64{0.6, 0.7, 0.85, 1, 1.25, 1.5, 1.75, 2}

const (
	normalSpeed = 3                 // index into speeds
	block       = frame             // samples made at a time
	remembered  = 30 * Rate / block // blocks that Unheard can take back
)

// Player plays a sound as a person with a telephone asks for it. It is an io.Reader of
// 16-bit little-endian samples at Rate, which ends with io.EOF at the sound's end, and goes
// on after a Seek. It never waits: where the sound is still on its way there is silence. One
// goroutine at a time may use it.
type Player struct {
	message *Message
	pos     int // where in sound the next block begins
	ahead   int // by how much what was played goes on later than at pos
	speed   int // index into speeds
	paused  bool
	toEnd   bool // once it is known where that is

	block   [block]int16 // made last
	unread  []int16      // what is left of it
	half    bool         // one byte of unread[0] has been read
	history []int        // where in sound each block began, the latest last

	begun bool        // something of the sound has been read
	seam  int         // samples that still lie in a fade from tail into what was moved to
	tail  [edge]int16 // what would have come; silence where the listener has been cut off
}

// edge is the length of a fade where the sound would break off: 5 ms, too short to be
// noticed and long enough not to click.
const edge = Rate / 200

// NewPlayer returns a player at the start of clip.
func NewPlayer(clip Clip) *Player { return NewMessage(clip).Player() }

// Player returns a player at the start of s.
func (s *Message) Player() *Player { return &Player{message: s, speed: normalSpeed} }

// Read gives the next samples; silence, without end, during a pause.
func (p *Player) Read(b []byte) (n int, err error) {
	for n < len(b) {
		if len(p.unread) == 0 && !p.next() {
			break
		}
		s := uint16(p.unread[0])
		switch {
		case p.half:
			b[n] = byte(s >> 8)
			n++
			p.half, p.unread = false, p.unread[1:]
		case len(b)-n == 1:
			b[n] = byte(s)
			n++
			p.half = true
		default:
			binary.LittleEndian.PutUint16(b[n:], s)
			n += 2
			p.unread = p.unread[1:]
		}
	}
	if n == 0 && len(b) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// next makes a block; it returns false at the sound's end.
func (p *Player) next() bool {
	n, whole := p.message.size()
	if p.toEnd && whole {
		p.pos, p.toEnd = n, false
	}
	if !p.paused && whole && p.pos >= n {
		return false
	}
	waiting := p.toEnd || !whole && p.pos+p.ahead+2*block > n
	if len(p.history) == remembered {
		p.history = append(p.history[:0], p.history[remembered/2:]...)
	}
	p.history = append(p.history, p.pos)
	p.unread = p.block[:]
	switch {
	case p.paused, waiting:
		clear(p.unread)
	case p.speed == normalSpeed:
		p.pos = min(max(p.pos+p.ahead, 0), n)
		k := p.message.at(p.unread, p.pos)
		p.unread = p.unread[:k]
		p.pos += k
		p.ahead = 0
	default:
		next := stretch(&p.block, p.message, p.pos, p.pos+p.ahead)
		p.pos = min(p.pos+int(block*speeds[p.speed]), n)
		p.ahead = next - p.pos
	}
	p.fadeIn()
	p.begun = true
	return true
}

// fadeIn leads from tail into a new block behind a seam.
func (p *Player) fadeIn() {
	for i := 0; i < len(p.unread) && p.seam > 0; i++ {
		w := (float32(edge-p.seam) + 0.5) / edge
		p.unread[i] = round16(w*float32(p.unread[i]) + (1-w)*float32(p.tail[edge-p.seam]))
		p.seam--
	}
}

// leave keeps what would come next, to fade from it into what will come instead.
func (p *Player) leave() {
	if !p.begun || p.seam > 0 { // nobody has heard where we are
		return
	}
	p.seam, p.tail = edge, [edge]int16{}
	n := copy(p.tail[:], p.unread)
	if at := p.pos + p.ahead; !p.paused && at >= 0 {
		p.message.at(p.tail[n:], at)
	}
}

// Position is where in the sound the next sample comes from.
func (p *Player) Position() time.Duration {
	return time.Duration(p.position()) * time.Second / Rate
}

func (p *Player) position() int {
	if len(p.unread) == 0 || len(p.history) == 0 {
		return p.pos
	}
	from := p.history[len(p.history)-1]
	return p.pos - (p.pos-from)*len(p.unread)/block
}

// Seek moves by a time, forward or (negative) back, within the sound, as far as
// it is there.
func (p *Player) Seek(by time.Duration) { p.moveTo(p.position() + samples(by)) }

// ToEnd moves to the sound's end.
func (p *Player) ToEnd() {
	n, whole := p.message.size()
	p.moveTo(n)
	p.toEnd = !whole
}

func (p *Player) moveTo(pos int) {
	p.leave()
	n, _ := p.message.size()
	p.toEnd = false
	p.pos = min(max(pos, 0), n)
	p.ahead = 0
	p.unread, p.half = nil, false
	p.history = p.history[:0]
}

// Unheard goes back to what was playing d before the last sample read, in the time of the
// listener: through changes of speed and pauses, not through seeks. The listener has been
// cut off there: what comes next begins softly.
func (p *Player) Unheard(d time.Duration) {
	pos, end := p.position(), p.pos
	back := samples(d)
	if n := len(p.history); n > 0 && len(p.unread) > 0 {
		back += len(p.unread)
	}
	for n := len(p.history); back > 0 && n > 0; n-- {
		from := p.history[n-1]
		pos = from
		if back < block {
			pos = end - (end-from)*back/block
		}
		end = from
		back -= block
	}
	p.moveTo(pos)
	if d > 0 && p.begun {
		p.seam, p.tail = edge, [edge]int16{}
	}
}

// Pause makes silence of what is read until Resume.
func (p *Player) Pause() { p.setPaused(true) }

// Resume ends a pause.
func (p *Player) Resume() { p.setPaused(false) }

func (p *Player) setPaused(paused bool) {
	if p.paused == paused {
		return
	}
	p.leave()
	p.pos, p.ahead = p.position(), 0
	p.unread, p.half = nil, false
	p.paused = paused
}

// Paused says whether Pause was called last.
func (p *Player) Paused() bool { return p.paused }

// Slower slows down by a step, to 0.6 of the normal speed at least. The voice keeps its pitch.
func (p *Player) Slower() { p.speed = max(p.speed-1, 0) }

// Faster speeds up by a step, to twice the normal speed at most. The voice keeps its pitch.
func (p *Player) Faster() { p.speed = min(p.speed+1, len(speeds)-1) }

// Speed is 1 where the message plays as it was spoken.
func (p *Player) Speed() float64 { return speeds[p.speed] }

// Load goes on with another sound, from its start, at the speed chosen.
func (p *Player) Load(s *Message) {
	p.leave()
	p.message = s
	p.moveTo(0)
}
