package console

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode"
)

const (
	maxLine    = 512     // characters of a command
	maxPasted  = 8 << 10 // characters of a line of a pasted file
	maxHistory = 100     // lines
)

var errLong = errors.New("the line is too long")

// line says how a line is to be read. The zero value reads one that is shown.
type line struct {
	prompt   string
	secret   bool                         // nothing of it is shown
	paste    bool                         // of a file: long, tabs are tabs, no history
	history  *history                     // where ↑ and ↓ look, and the line is kept; may be nil
	complete func(before string) []string // what the word before the cursor may become; may be nil
}

// editor edits one line on a terminal that knows printable characters, CR, LF and
// backspace. A line that is longer than the terminal is wide is shown in part.
type editor struct {
	line
	w       io.Writer
	columns int
	text    []rune
	pos     int // of the cursor in text
	past    int // how far back in the history text is; 0 is a new line
	newest  []rune

	first int    // of text's characters, the first that is shown
	shown []rune // what the terminal shows after the prompt
	col   int    // of the cursor after the prompt
}

// readLine reads a line. Errors: io.EOF for ^D on an empty line, errInterrupted for ^C,
// errLong, and those of nextByte.
func (s *session) readLine(ctx context.Context, l line) (string, error) {
	e := &editor{line: l, w: s.out, columns: s.columns}
	s.editor = e
	defer func() { s.editor = nil }()
	e.start()
	for {
		key, err := readKey(func() (byte, error) { return s.nextByte(ctx) }, s.keys.unread)
		if err != nil {
			return "", err
		}
		if key == '\n' && s.cr { // CR LF is one key
			s.cr = false
			continue
		}
		s.cr = key == '\r'
		switch key {
		case '\r', '\n':
			e.finish()
			if len(e.text) > e.limit() {
				return "", errLong
			}
			if l.history != nil {
				l.history.add(string(e.text))
			}
			return string(e.text), nil
		case ctrlC:
			e.finish()
			return "", errInterrupted
		case ctrlD:
			if len(e.text) == 0 {
				e.finish()
				return "", io.EOF
			}
			e.remove(e.pos, e.pos+1)
		case '\t':
			s.tab(e)
		default:
			e.key(key)
		}
		e.show()
	}
}

func (e *editor) limit() int {
	if e.paste {
		return maxPasted
	}
	return maxLine
}

// key does what a key means that edits the line.
func (e *editor) key(key rune) {
	switch key {
	case 0: // a break, or a cable being plugged in: what was typed before is not to be trusted
		e.remove(0, len(e.text))
	case ctrlA, keyHome:
		e.pos = 0
	case ctrlE, keyEnd:
		e.pos = len(e.text)
	case ctrlB, keyLeft:
		e.pos = max(0, e.pos-1)
	case ctrlF, keyRight:
		e.pos = min(len(e.text), e.pos+1)
	case ctrlH, del:
		e.remove(e.pos-1, e.pos)
	case keyDelete:
		e.remove(e.pos, e.pos+1)
	case ctrlU:
		e.remove(0, e.pos)
	case ctrlK:
		e.remove(e.pos, len(e.text))
	case ctrlW:
		e.remove(e.wordStart(), e.pos)
	case ctrlP, keyUp:
		e.recall(1)
	case ctrlN, keyDown:
		e.recall(-1)
	case ctrlL:
		e.start()
	default:
		if unicode.IsPrint(key) && key < keyUp {
			e.insert(key)
		}
	}
}

func (e *editor) insert(chars ...rune) {
	if len(e.text) > e.limit() { // one too many is kept, to tell by
		return
	}
	e.text = slices.Insert(e.text, e.pos, chars...)
	e.pos += len(chars)
}

func (e *editor) remove(from, to int) {
	from, to = max(0, from), min(len(e.text), to)
	if from >= to {
		return
	}
	e.text = slices.Delete(e.text, from, to)
	if e.pos > from {
		e.pos = max(from, e.pos-(to-from))
	}
}

// wordStart is where the word before the cursor begins.
func (e *editor) wordStart() int {
	i := e.pos
	for i > 0 && e.text[i-1] == ' ' {
		i--
	}
	for i > 0 && e.text[i-1] != ' ' {
		i--
	}
	return i
}

// recall goes back, or forth, in the history.
func (e *editor) recall(by int) {
	if e.history == nil {
		return
	}
	to := e.past + by
	if to < 0 || to > len(e.history.lines) {
		return
	}
	if e.past == 0 {
		e.newest = slices.Clone(e.text)
	}
	e.past = to
	e.text = slices.Clone(e.newest)
	if to > 0 {
		e.text = []rune(e.history.lines[len(e.history.lines)-to])
	}
	e.pos = len(e.text)
}

// start shows the prompt and the line on a new one, whatever is on the terminal.
func (e *editor) start() {
	e.put("\r" + e.prompt)
	e.shown, e.col = nil, 0
	e.show()
}

// finish leaves the line as it is and goes to the next.
func (e *editor) finish() {
	if !e.secret {
		e.pos = len(e.text)
		e.show()
	}
	e.put("\r\n")
}

// hide takes the line off the terminal, so that something else can be said; start shows it again.
func (e *editor) hide() {
	if !e.secret {
		e.put("\r" + strings.Repeat(" ", len(e.prompt)+len(e.shown)))
	}
	e.put("\r")
}

// show makes the terminal show the line as it is now. It writes only what has changed.
func (e *editor) show() {
	if e.secret {
		return
	}
	room := max(8, e.columns-len(e.prompt)-2)
	if e.pos < e.first || e.pos > e.first+room { // the cursor has left what is shown
		e.first = max(0, e.pos-room/2)
	}
	want := slices.Clone(e.text[min(e.first, len(e.text)):min(e.first+room, len(e.text))])
	if e.first > 0 && len(want) > 0 {
		want[0] = '<'
	}
	for i, r := range want {
		if r == '\t' {
			want[i] = ' '
		}
	}
	same := 0
	for same < min(len(want), len(e.shown)) && want[same] == e.shown[same] {
		same++
	}
	if same < max(len(want), len(e.shown)) {
		e.move(same)
		gap := max(0, len(e.shown)-len(want))
		e.put(string(want[same:]) + strings.Repeat(" ", gap))
		e.shown, e.col = want, len(want)+gap
	}
	e.move(e.pos - e.first)
}

// move moves the cursor: to the left by backspaces, to the right by writing what is there.
func (e *editor) move(col int) {
	if col < e.col {
		e.put(strings.Repeat("\b", e.col-col))
	} else {
		e.put(string(e.shown[e.col:col]))
	}
	e.col = col
}

func (e *editor) put(text string) { _, _ = io.WriteString(e.w, text) } // the writer keeps its error

// tab completes the word before the cursor, or lists what it may become.
func (s *session) tab(e *editor) {
	if e.paste {
		e.insert('\t')
		return
	}
	if e.complete == nil {
		return
	}
	before := string(e.text[:e.pos])
	word := before[strings.LastIndexByte(before, ' ')+1:]
	list := e.complete(before)
	if len(list) == 0 {
		e.put("\a")
		return
	}
	common := list[0]
	for _, c := range list {
		for !strings.HasPrefix(c, common) {
			common = common[:len(common)-1]
		}
	}
	if len(list) == 1 {
		common += " "
	}
	if rest, ok := strings.CutPrefix(common, word); ok && rest != "" {
		e.insert([]rune(rest)...)
		return
	}
	e.hide()
	s.printColumns(list)
	e.start()
}

// history is the lines of before, oldest first.
type history struct{ lines []string }

func (h *history) add(line string) {
	if strings.TrimSpace(line) == "" || len(h.lines) > 0 && h.lines[len(h.lines)-1] == line {
		return
	}
	h.lines = append(h.lines, line)
	if len(h.lines) > maxHistory {
		h.lines = slices.Delete(h.lines, 0, 1)
	}
}
