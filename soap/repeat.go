package soap

import "bytes"

// shape is a request to the UM service that was read before, and where the text of its
// parameters stands in it. Clients poll: the next request is most likely the same, with
// another call's id at most, and to see that costs a tenth of reading it.
type shape struct {
	doc       []byte
	gaps      [2]span
	op        *umOperation // nil if there is none
	operation []byte
	soap12    bool
}

// span is a part of a document, from one index up to another.
type span struct{ from, to int }

// maxShape is the longest request that is kept. From experience: most have under 1 KiB.
const maxShape = 2 << 10

// learn keeps the request that has just been read to its end. What a header said of the
// caller isn't kept: the next may be another.
func (m *message) learn(op *umOperation) {
	s := &m.last
	s.op = nil
	if m.personal || len(m.in) > maxShape {
		return
	}
	for i := range op.children {
		if s.gaps[i] = m.spans[i]; s.gaps[i].to == 0 {
			return
		}
	}
	s.doc = append(s.doc[:0], m.in...)
	s.operation = append(s.operation[:0], m.operation...)
	s.op, s.soap12 = op, m.soap12
}

// repeats reports whether the request in m.in is m.last with other parameters, which may
// hold only characters that mean nothing to XML. If so m is as if it had been read.
func (m *message) repeats() bool {
	s := &m.last
	if s.op == nil {
		return false
	}
	var found [2]span
	at, old := 0, 0
	for i := range s.op.children {
		same := s.gaps[i].from - old
		if len(m.in)-at < same || !bytes.Equal(m.in[at:at+same], s.doc[old:s.gaps[i].from]) {
			return false
		}
		at += same
		found[i] = span{at, at + plain(m.in[at:])}
		at, old = found[i].to, s.gaps[i].to
	}
	if !bytes.Equal(m.in[at:], s.doc[old:]) {
		return false
	}
	for i := range s.op.children {
		m.args[i] = string(m.in[found[i].from:found[i].to])
	}
	m.operation, m.soap12 = s.operation, s.soap12
	return true
}

// plain counts the characters at the beginning of text that identifiers and numbers are made
// of.
func plain(text []byte) int {
	for i, c := range text {
		if !plainBytes[c] {
			return i
		}
	}
	return len(text)
}

var plainBytes = func() (t [256]bool) {
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_.@" {
		t[c] = true
	}
	return t
}()
