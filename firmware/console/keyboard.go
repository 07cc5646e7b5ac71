package console

import (
	"bytes"
	"errors"
	"io"
	"time"
	"unicode/utf8"
)

const (
	// A line at 115200 baud brings 11.5 kB a second. What is faster has no baud rate, and
	// is slowed down so that it can't take the processor from a call.
	inputRate  = 16 << 10 // bytes a second
	inputBurst = 64 << 10
	typeAhead  = 512 // bytes that may be typed while a command runs
	readSize   = 512
	maxEmpty   = 100 // reads of nothing, in a row
)

// Control characters that are keys.
const (
	ctrlA  = 1
	ctrlB  = 2
	ctrlC  = 3
	ctrlD  = 4
	ctrlE  = 5
	ctrlF  = 6
	ctrlH  = 8
	ctrlK  = 11
	ctrlL  = 12
	ctrlN  = 14
	ctrlP  = 16
	ctrlU  = 21
	ctrlW  = 23
	escape = 27
	del    = 127
)

// Keys that come as escape sequences, beyond Unicode.
const (
	keyUp rune = utf8.MaxRune + 1 + iota
	keyDown
	keyRight
	keyLeft
	keyHome
	keyEnd
	keyDelete
	keyNone // one that means nothing here, or garbage
)

var (
	errGone        = errors.New("console: port gone")
	errInterrupted = errors.New("interrupted")
)

// keyboard is what comes from a port, in the order in which it came.
type keyboard struct {
	chunks chan []byte   // from the reader; closed when the port has gone
	stop   chan struct{} // ends the reader
	err    error         // why the port has gone; set before chunks is closed
	buf    []byte        // taken from chunks and not yet looked at
}

func newKeyboard() *keyboard {
	return &keyboard{chunks: make(chan []byte), stop: make(chan struct{})}
}

// read is the reader. It ends when the port has gone or, with the next read, after stop.
func (k *keyboard) read(r io.Reader) {
	defer close(k.chunks)
	debt, since, empty := 0, time.Now(), 0
	for {
		buf := make([]byte, readSize)
		n, err := r.Read(buf)
		if n > 0 {
			empty = 0
			select {
			case k.chunks <- buf[:n]:
			case <-k.stop:
				return
			}
		} else if empty++; empty > maxEmpty && err == nil {
			err = io.ErrNoProgress
		}
		if err != nil {
			k.err = err
			return
		}
		now := time.Now()
		debt = max(0, debt-int(min(now.Sub(since), time.Minute)*inputRate/time.Second)) + n
		since = now
		if debt > inputBurst && !k.rest(time.Duration(debt-inputBurst)*time.Second/inputRate) {
			return
		}
	}
}

// rest waits, or is false when the reader is to end.
func (k *keyboard) rest(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-k.stop:
		return false
	}
}

// unread puts a byte back, to be the next.
func (k *keyboard) unread(b byte) { k.buf = append([]byte{b}, k.buf...) }

// gone is why the port has gone, once chunks is closed.
func (k *keyboard) gone() error { return errors.Join(errGone, k.err) }

// watch looks for ^C, and for the end of the port, while a command runs, until stop closes.
// What else is typed is kept for the next prompt.
func (k *keyboard) watch(stop <-chan struct{}, interrupt func(error)) {
	for {
		select {
		case b, ok := <-k.chunks:
			if !ok {
				interrupt(k.gone())
				return
			}
			if i := bytes.LastIndexByte(b, ctrlC); i >= 0 {
				interrupt(errInterrupted)
				k.buf, b = nil, b[i+1:]
			}
			k.buf = append(k.buf, b[:min(len(b), max(0, typeAhead-len(k.buf)))]...)
		case <-stop:
			return
		}
	}
}

// sequences are the final characters of escape sequences (ECMA-48 8.3, and what xterm and
// VT220 make of it) that are keys.
var sequences = map[string]rune{
	"A": keyUp, "B": keyDown, "C": keyRight, "D": keyLeft, "H": keyHome, "F": keyEnd,
	"1~": keyHome, "7~": keyHome, "4~": keyEnd, "8~": keyEnd, "3~": keyDelete,
}

// maxSequence is the longest escape sequence that is waited for.
const maxSequence = 17

// readKey returns one key: a printable character, a control character, or one of the keys
// above. Whatever makes no sense is keyNone. What noise has begun, a control character ends
// and is a key itself: the CR after it must not be lost.
func readKey(next func() (byte, error), unread func(byte)) (rune, error) {
	b, err := next()
	switch {
	case err != nil:
		return 0, err
	case b == escape:
		return readSequence(next, unread)
	case b < utf8.RuneSelf:
		return rune(b), nil
	}
	char := []byte{b}
	for !utf8.FullRune(char) {
		if b, err = next(); err != nil {
			return 0, err
		}
		if utf8.RuneStart(b) { // of the next character
			unread(b)
			return keyNone, nil
		}
		char = append(char, b)
	}
	if r, size := utf8.DecodeRune(char); r != utf8.RuneError && size == len(char) {
		return r, nil
	}
	return keyNone, nil
}

func readSequence(next func() (byte, error), unread func(byte)) (rune, error) {
	for seq := ""; len(seq) < maxSequence; {
		b, err := next()
		switch {
		case err != nil:
			return 0, err
		case b < ' ':
			unread(b)
			return keyNone, nil
		case seq == "" && b != '[' && b != 'O':
			return keyNone, nil
		}
		seq += string(rune(b))
		if len(seq) > 1 && b >= '@' && b <= '~' { // its last character
			if key, ok := sequences[seq[1:]]; ok {
				return key, nil
			}
			break
		}
	}
	return keyNone, nil
}
