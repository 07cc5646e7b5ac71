package guard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"hookswitch/hal"
)

// Both directions are packets of fixed layout, little-endian, one for one:
//
//	request  op 1 | relays 8 | until 8
//	reply    status 1 | ended 8 | text up to 255
const (
	requestSize = 17
	replyHead   = 9
	maxReply    = replyHead + 255
)

type op byte

const (
	opClose op = 'c' // close a contact until a time
	opOpen  op = 'o' // open it
	opRenew op = 'r' // extend the leases of those that are closed; with none, it asks for a sign of life
)

type status byte

const (
	statusDone    status = iota
	statusEnded          // not closed: its lease had ended before
	statusFailed         // the pin could not be driven; text says why
	statusBusy           // the pin is another program's; text is hal.ErrBusy's and more
	statusInvalid        // not a request
)

// request asks the guard for something.
type request struct {
	op     op
	relays uint64 // a mask: one relay for opClose and opOpen, any for opRenew
	until  int64  // CLOCK_MONOTONIC in ns, for opClose and opRenew
}

func (r request) append(b []byte) []byte {
	b = append(b, byte(r.op))
	b = binary.LittleEndian.AppendUint64(b, r.relays)
	return binary.LittleEndian.AppendUint64(b, uint64(r.until))
}

// parseRequest reports whether b is a request that a guard of n relays understands.
func parseRequest(b []byte, n int) (r request, ok bool) {
	if len(b) != requestSize {
		return request{}, false
	}
	r = request{op(b[0]), binary.LittleEndian.Uint64(b[1:]), int64(binary.LittleEndian.Uint64(b[9:]))}
	if n < maxRelays && r.relays>>n != 0 {
		return request{}, false
	}
	switch r.op {
	case opClose, opOpen:
		return r, r.relays != 0 && r.relays&(r.relays-1) == 0
	case opRenew:
		return r, true
	}
	return request{}, false
}

// reply is the guard's to one request.
type reply struct {
	status status
	ended  uint64 // a mask of contacts whose lease has ended, told once
	text   string
}

func (r reply) append(b []byte) []byte {
	b = append(b, byte(r.status))
	b = binary.LittleEndian.AppendUint64(b, r.ended)
	return append(b, r.text[:min(len(r.text), maxReply-replyHead)]...)
}

func parseReply(b []byte) (r reply, err error) {
	if len(b) < replyHead || len(b) > maxReply || status(b[0]) > statusInvalid {
		return reply{}, fmt.Errorf("guard: a reply of %d bytes that is none", len(b))
	}
	return reply{status(b[0]), binary.LittleEndian.Uint64(b[1:]), string(b[replyHead:])}, nil
}

func (r reply) err() error {
	switch r.status {
	case statusDone:
		return nil
	case statusEnded:
		return hal.ErrLeaseEnded
	case statusFailed:
		return errors.New(r.text)
	case statusBusy:
		return fmt.Errorf("%w%s", hal.ErrBusy, strings.TrimPrefix(r.text, hal.ErrBusy.Error()))
	}
	return errors.New("guard: the process did not understand; is it of another version?")
}
