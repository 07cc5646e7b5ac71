package config

import (
	"bytes"
	"reflect"
	"slices"
)

// Parse reads a configuration; name is what mistakes call it. The error is an *Error.
func Parse(name string, data []byte) (*Config, error) {
	r := &report{file: name}
	if len(data) > MaxSize {
		r.add(&place{line: 1}, "", "", "larger than %d KiB: this is no configuration", MaxSize>>10)
		return nil, r.err()
	}
	if !r.encoding(data) {
		return nil, r.err()
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	values, root, damaged := parse(data, r)
	if values == nil && len(damaged) > 0 {
		return nil, r.err()
	}
	c := defaults()
	binder{r}.root(c, values, root)
	if c.Version > Version {
		r.mistakes = nil
		r.add(root.key("version"), "", "version", "made for a newer hookswitch; this one reads version %d", Version)
		return nil, r.err()
	}
	k := &checker{report: r, c: c, root: root, damaged: len(damaged) > 0}
	k.check()
	if err := r.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// root binds the document.
func (b binder) root(c *Config, values map[string]any, at *place) {
	v := reflect.ValueOf(c).Elem()
	fields := map[string]reflect.Value{}
	collect(v, fields)
	for key, value := range values {
		where, field := at.key(key), fields[key]
		switch {
		case !field.IsValid():
			b.unknownAtTop(where, key, value)
		case field.Kind() == reflect.Struct:
			b.sub(field, value, where, "", key)
		default:
			b.value(field, value, where, "", key)
		}
	}
}

func (b binder) unknownAtTop(at *place, key string, value any) {
	var tables, keys []string
	t := reflect.TypeFor[Config]()
	for i := range t.NumField() {
		f := t.Field(i)
		if k := f.Type.Kind(); k == reflect.String || k == reflect.Int {
			keys = append(keys, f.Tag.Get("toml"))
		} else {
			tables = append(tables, f.Tag.Get("toml"))
		}
	}
	_, isTable := value.(map[string]any)
	if list, ok := value.([]any); ok && len(list) > 0 {
		_, isTable = list[0].(map[string]any)
	}
	home := homeOf(key)
	switch {
	case isTable && slices.Contains([]string{"users", "accounts"}, key):
		b.reject(at, "["+key+"]", "", "unknown table; a user is [[user]]")
	case isTable:
		b.reject(at, "["+key+"]", "", "unknown table%s", hint(key, tables))
	case didYouMean(key, keys) == "" && home != "":
		b.reject(at, "", key, "no key of the top; it belongs below %s", home)
	default:
		b.reject(at, "", key, "unknown key%s", hint(key, append(keys, tables...)))
	}
}
