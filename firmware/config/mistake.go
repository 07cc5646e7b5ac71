package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMistakes bounds what is told of a file that is no configuration at all.
const maxMistakes = 100

// Mistake is one thing that is wrong, and what to write instead.
type Mistake struct {
	File  string
	Line  int    // from 1
	Table string // "[http]", or "" above the first table
	Key   string // "listen", "hook.pin", or "" where it is not about one key
	Text  string
}

// String is "file:line: [table] key: text".
func (m Mistake) String() string {
	s := fmt.Sprintf("%s:%d:", m.File, m.Line)
	if m.Table != "" {
		s += " " + m.Table
	}
	if m.Key != "" {
		s += " " + m.Key
	}
	return strings.TrimSuffix(s, ":") + ": " + m.Text
}

// Error is every mistake of a file, in the order of its lines.
type Error struct{ Mistakes []Mistake }

// Error tells one mistake a line.
func (e *Error) Error() string {
	lines := make([]string, len(e.Mistakes))
	for i, m := range e.Mistakes {
		lines[i] = m.String()
	}
	return strings.Join(lines, "\n")
}

// report collects mistakes while a file is read.
type report struct {
	file     string
	mistakes []Mistake
}

// add tells a mistake at a place, unless a worse one has been told of it.
func (r *report) add(at *place, table, key, format string, args ...any) {
	if at.bad {
		return
	}
	r.mistakes = append(r.mistakes, Mistake{
		File: r.file, Line: at.line, Table: printable(table), Key: printable(key), Text: printable(fmt.Sprintf(format, args...)),
	})
}

// maxText bounds what is told of one mistake, in characters.
const maxText = 400

// printable is a text with nothing in it that moves a cursor or fills a screen.
func printable(s string) string {
	s = strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return '·'
		}
		return c
	}, s)
	if utf8.RuneCountInString(s) > maxText {
		s = string([]rune(s)[:maxText]) + "…"
	}
	return s
}

// reject tells a mistake at a place that leaves it without a value.
func (r *report) reject(at *place, table, key, format string, args ...any) {
	r.add(at, table, key, format, args...)
	at.bad = true
}

// err is nil when there is no mistake.
func (r *report) err() error {
	if len(r.mistakes) == 0 {
		return nil
	}
	slices.SortStableFunc(r.mistakes, func(a, b Mistake) int { return cmp.Compare(a.Line, b.Line) })
	if n := len(r.mistakes); n > maxMistakes {
		last := r.mistakes[maxMistakes]
		last.Table, last.Key, last.Text = "", "", fmt.Sprintf("and %d more mistakes from here on", n-maxMistakes)
		r.mistakes = append(r.mistakes[:maxMistakes:maxMistakes], last)
	}
	return &Error{r.mistakes}
}

// didYouMean is the name among known that is nearest to a misspelt one, or "".
func didYouMean(name string, known []string) string {
	name = strings.ToLower(strings.ReplaceAll(name, "-", "_"))
	best, least := "", max(1, min(len(name)/3, 3))+1
	for _, k := range known {
		if len(name) > len(k)+least || len(k) > len(name)+least {
			continue
		}
		if d := distance(name, strings.ReplaceAll(k, "-", "_")); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is the number of letters to insert, remove, change, or swap with the next
// (Damerau and Levenshtein, each part changed once).
func distance(a, b string) int {
	var before []int // the row before last
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

// hint is " (did you mean X?)", or "".
func hint(name string, known []string) string {
	if k := didYouMean(name, known); k != "" {
		return fmt.Sprintf("; did you mean %q?", k)
	}
	return ""
}
