package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"
	"unicode"
)

// list is what the listings have in common.
type list struct {
	JSON bool `help:"Print JSON."`
}

// table is how a list is shown to a person.
type table[T any] struct {
	path  string
	head  []string
	row   func(T) []any
	empty string // instead of a table without rows
}

// show asks for a list and prints it.
func (t table[T]) show(ctx context.Context, d *daemonFlags, asJSON bool) error {
	items := []T{}
	if err := d.ask(ctx, http.MethodGet, t.path, nil, &items); err != nil {
		return err
	}
	if asJSON {
		return printJSON(items)
	}
	if len(items) == 0 {
		fmt.Println(t.empty)
		return nil
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(t.head, "\t"))
	for _, item := range items {
		var cells []string
		for _, cell := range t.row(item) {
			cells = append(cells, printable(fmt.Sprint(cell)))
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	return w.Flush()
}

func printJSON(v any) error {
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(v)
}

// printable keeps file names and what modems say from doing things to a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
