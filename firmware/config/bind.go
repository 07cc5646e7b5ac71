package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// binder puts the values of a document into Config, and tells what does not fit.
type binder struct{ *report }

// table binds the values of one table to the fields of struct v. path is how its keys are
// called, "" or "hook.".
func (b binder) table(v reflect.Value, values map[string]any, at *place, name, path string) {
	fields := map[string]reflect.Value{}
	collect(v, fields)
	for key, value := range values {
		where := at.key(key)
		field, ok := fields[key]
		if !ok {
			b.unknown(where, at, name, path, key, fields)
			continue
		}
		b.value(field, value, where, name, path+key)
	}
}

// collect gathers a struct's fields by their TOML names.
func collect(v reflect.Value, fields map[string]reflect.Value) {
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.Anonymous {
			collect(v.Field(i), fields)
		} else {
			fields[f.Tag.Get("toml")] = v.Field(i)
		}
	}
}

// unknown tells a key that the table at table does not have. The key that was most likely
// meant counts as there, but bad.
func (b binder) unknown(at, table *place, name, path, key string, fields map[string]reflect.Value) {
	known := slices.Sorted(maps.Keys(fields))
	meant := didYouMean(key, known)
	home := homeOf(key)
	switch {
	case meant != "":
		b.reject(at, name, path+key, "unknown key; did you mean %q?", meant)
		if table.keys[meant] == nil {
			table.child(meant, at.line).bad = true
		}
	case home != "" && home != name && path == "":
		b.reject(at, name, key, "no key of this table; it belongs in %s", home)
	default:
		b.reject(at, name, path+key, "unknown key; there are %s", strings.Join(known, ", "))
	}
}

// homeOf is the table that has a key of this name, or "".
func homeOf(key string) string {
	t := reflect.TypeFor[Config]()
	for i := range t.NumField() {
		f := t.Field(i)
		elem := f.Type
		if elem.Kind() == reflect.Slice {
			elem = elem.Elem()
		}
		if elem.Kind() != reflect.Struct {
			continue
		}
		fields := map[string]reflect.Value{}
		collect(reflect.Zero(elem), fields)
		if _, ok := fields[key]; ok {
			return tableName(f)
		}
	}
	return ""
}

// tableName is how the table of a field of Config is written.
func tableName(f reflect.StructField) string {
	if f.Type.Kind() == reflect.Slice {
		return "[[" + f.Tag.Get("toml") + "]]"
	}
	return "[" + f.Tag.Get("toml") + "]"
}

var durationType = reflect.TypeFor[time.Duration]()

// value binds one value to a field.
func (b binder) value(field reflect.Value, value any, at *place, table, key string) {
	if field.Type() == durationType {
		b.duration(field, value, at, table, key)
		return
	}
	switch field.Kind() {
	case reflect.String:
		if s, ok := value.(string); ok {
			field.SetString(s)
			return
		}
		b.wrong(value, at, table, key, `text in quotes, such as %s = "…"`)
	case reflect.Bool:
		if v, ok := value.(bool); ok {
			field.SetBool(v)
			return
		}
		b.wrong(value, at, table, key, "true or false, without quotes")
	case reflect.Int:
		if v, ok := value.(int64); ok && v >= 0 && v <= 1<<31-1 {
			field.SetInt(v)
			return
		}
		b.wrong(value, at, table, key, "a whole number from 0, without quotes")
	case reflect.Slice:
		b.slice(field, value, at, table, key)
	case reflect.Map:
		b.texts(field, value, at, table, key)
	case reflect.Struct:
		b.sub(field, value, at, table, key)
	}
}

func (b binder) duration(field reflect.Value, value any, at *place, table, key string) {
	s, ok := value.(string)
	if !ok {
		b.wrong(value, at, table, key, `a time with its unit in quotes, such as %s = "30s"`)
		return
	}
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		b.reject(at, table, key, `%s is no time; write a number and its unit (ms, s, m or h), such as "500ms", "30s" or "10m"`, quote(s))
	case d < 0:
		b.reject(at, table, key, "%s is less than no time", quote(s))
	default:
		field.SetInt(int64(d))
	}
}

// maxItems is how many users, lines, or masks there may be.
const maxItems = 4096

func (b binder) slice(field reflect.Value, value any, at *place, table, key string) {
	elem := field.Type().Elem()
	items, ok := value.([]any)
	switch {
	case elem.Kind() == reflect.Struct && !ok:
		b.reject(at, "", key, "write [[%s]], in double brackets, above each of them", key)
	case !ok:
		b.wrong(value, at, table, key, `a list of texts, such as %s = ["…", "…"]`)
	case len(items) > maxItems:
		b.reject(at, table, key, "%d of them; at most %d are taken", len(items), maxItems)
	case elem.Kind() == reflect.Struct:
		for i, item := range items {
			v := newElement(elem)
			b.sub(v, item, at.item(i), "[["+key+"]]", "")
			field.Set(reflect.Append(field, v))
		}
	default:
		for i, item := range items {
			v := reflect.New(elem).Elem()
			b.value(v, item, at.item(i), table, key)
			field.Set(reflect.Append(field, v))
		}
	}
}

func newElement(t reflect.Type) reflect.Value {
	switch t {
	case reflect.TypeFor[User]():
		u := defaultUser()
		return reflect.ValueOf(&u).Elem()
	case reflect.TypeFor[Line]():
		l := defaultLine()
		return reflect.ValueOf(&l).Elem()
	}
	return reflect.New(t).Elem()
}

// sub binds a table within a table: a table of the document's own where table is "".
func (b binder) sub(field reflect.Value, value any, at *place, table, key string) {
	values, ok := value.(map[string]any)
	switch {
	case !ok && table == "":
		if _, list := value.([]any); list {
			b.reject(at, "", key, "there is only one; write [%s], in single brackets", key)
			return
		}
		b.reject(at, "", key, "this is a table; write [%s] on a line of its own and its keys below", key)
	case !ok:
		b.wrong(value, at, table, key, `a table in braces, such as %s = { pin = "GPIO26", active = "low" }`)
	case table == "":
		b.table(field, values, at, "["+key+"]", "")
	case key == "":
		b.table(field, values, at, table, "")
	default:
		b.table(field, values, at, table, key+".")
	}
}

// texts binds a table of freely named texts.
func (b binder) texts(field reflect.Value, value any, at *place, table, key string) {
	values, ok := value.(map[string]any)
	if !ok {
		b.reject(at, "", key, "this is a table; write [%s] on a line of its own and its keys below", key)
		return
	}
	m := map[string]string{}
	for k, v := range values {
		var s string
		b.value(reflect.ValueOf(&s).Elem(), v, at.key(k), "["+key+"]", k)
		m[k] = s
	}
	field.Set(reflect.ValueOf(m))
}

// wrong tells that a value is of the wrong type; want may have a %s for the key.
func (b binder) wrong(value any, at *place, table, key, want string) {
	if strings.Contains(want, "%s") {
		want = fmt.Sprintf(want, key[strings.LastIndex(key, ".")+1:])
	}
	b.reject(at, table, key, "%s; want %s", typeName(value), want)
}

// typeName is what a TOML value is, in words.
func typeName(v any) string {
	switch v := v.(type) {
	case string:
		return "this is the text " + quote(v)
	case bool, int64, float64:
		return fmt.Sprintf("this is %v", v)
	case []any:
		return "this is a list"
	case map[string]any:
		return "this is a table"
	}
	return "this is a date or time"
}

// quote is a text of the file as it is told: bounded, and nothing that moves a cursor.
func quote(s string) string {
	if r := []rune(s); len(r) > 40 {
		s = string(r[:40]) + "…"
	}
	return fmt.Sprintf("%q", s)
}
