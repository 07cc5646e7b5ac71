package config

import (
	"errors"
	"slices"
	"sort"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// maxRepair is how many syntax errors are told at once.
const maxRepair = 20

// place is where in the file a value stands: the line of its key, and those of what is in it.
type place struct {
	line  int
	keys  map[string]*place
	items []*place // of an array, or of an array of tables
	bad   bool     // the value could not be read
}

// key is the place of a value in a table; where it is absent, the place of the table.
func (p *place) key(name string) *place {
	if k := p.keys[name]; k != nil {
		return k
	}
	return &place{line: p.line, bad: p.bad}
}

// item is the place of the i-th element of an array.
func (p *place) item(i int) *place {
	if i < len(p.items) {
		return p.items[i]
	}
	return &place{line: p.line, bad: p.bad}
}

func (p *place) child(name string, line int) *place {
	if p.keys == nil {
		p.keys = map[string]*place{}
	}
	k := p.keys[name]
	if k == nil {
		k = &place{line: line}
		p.keys[name] = k
	}
	return k
}

// parse returns the values of a TOML document, where each of them stands, and the lines
// that are no TOML. Such a line is taken out and the rest parsed all the same.
func parse(data []byte, r *report) (values map[string]any, root *place, damaged []int) {
	for {
		values = nil
		err := toml.Unmarshal(data, &values)
		if err == nil {
			return values, places(data), damaged
		}
		line, text := 1, err.Error()
		if d := new(toml.DecodeError); errors.As(err, &d) {
			line, _ = d.Position()
		}
		// An error on the line after a damaged one is most likely its echo.
		if n := len(damaged); n > 0 && (line <= damaged[n-1]+1 || n == maxRepair) {
			return nil, nil, damaged
		}
		r.add(&place{line: line}, "", "", "not TOML: %s", text[len("toml: "):])
		damaged = append(damaged, line)
		data = blank(data, line)
	}
}

// blank returns data with the n-th line empty.
func blank(data []byte, n int) []byte {
	data = slices.Clone(data)
	line := 1
	for i, b := range data {
		if b == '\n' {
			line++
		} else if line == n {
			data[i] = ' '
		}
	}
	return data
}

// places maps a document that is known to be correct.
func places(data []byte) *place {
	w := walker{p: &unstable.Parser{}, root: &place{line: 1}}
	for i, b := range data {
		if b == '\n' {
			w.ends = append(w.ends, i)
		}
	}
	w.p.Reset(data)
	table := w.root
	for w.p.NextExpression() {
		switch e := w.p.Expression(); e.Kind {
		case unstable.Table:
			table = w.descend(w.root, e.Key())
		case unstable.ArrayTable:
			table = w.descend(w.root, e.Key())
			item := &place{line: table.line}
			if len(table.items) > 0 {
				it := e.Key()
				it.Next()
				item.line = w.line(it.Node())
			}
			table.items = append(table.items, item)
			table = item
		case unstable.KeyValue:
			w.value(w.descend(table, e.Key()), e.Value())
		}
	}
	return w.root
}

type walker struct {
	p    *unstable.Parser
	root *place
	ends []int // offsets of the line ends
}

func (w *walker) line(n *unstable.Node) int {
	return sort.SearchInts(w.ends, int(n.Raw.Offset)) + 1
}

// descend follows a dotted key. On the way an array of tables stands for its last table;
// at the end it stands for itself.
func (w *walker) descend(p *place, key unstable.Iterator) *place {
	for key.Next() {
		if n := len(p.items); n > 0 {
			p = p.items[n-1]
		}
		n := key.Node()
		p = p.child(string(n.Data), w.line(n))
	}
	return p
}

func (w *walker) value(p *place, n *unstable.Node) {
	switch n.Kind {
	case unstable.InlineTable:
		for it := n.Children(); it.Next(); {
			w.value(w.descend(p, it.Node().Key()), it.Node().Value())
		}
	case unstable.Array:
		for it := n.Children(); it.Next(); {
			item := &place{line: p.line}
			if it.Node().Raw.Length > 0 {
				item.line = w.line(it.Node())
			}
			p.items = append(p.items, item)
			w.value(item, it.Node())
		}
	}
}
