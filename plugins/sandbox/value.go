package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/dinrail/dinrail/sdk/model"
)

// record is an object of a record as received, with what is wrong with the
// whole of it: the first value that is not what it should be. So a mapping
// reads one field after the other, and looks for mistakes once, at its end.
type record struct {
	fields map[string]any
	path   string // of this object within the record, with a dot behind it
	wrong  **fault
}

// fault is why a record cannot be read.
type fault struct{ field, reason string }

// parse reads a record.
func parse(raw json.RawMessage) (record, *fault) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // digits stay as they were sent
	r := record{wrong: new(*fault)}
	if err := d.Decode(&r.fields); err != nil || r.fields == nil {
		return record{}, &fault{"", "it is no JSON object"}
	}
	if id := r.id(); *r.wrong != nil || id == "" {
		return record{}, &fault{"id", "it has no id that is a whole number"}
	}
	return r, nil
}

// blame notes that a field is not what it should be.
func (r record) blame(name, should string, v any) {
	if *r.wrong == nil {
		*r.wrong = &fault{r.path + name, fmt.Sprintf("it should be %s and is %s", should, shape(v))}
	}
}

// shape tells what a value is, without the value itself.
func shape(v any) string {
	switch v.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "an array"
	case string:
		return "another text"
	case json.Number:
		return "a number"
	default:
		return "something else"
	}
}

// value returns a field as a T; the zero T where it is null or missing.
func value[T any](r record, name, should string) T {
	v := r.fields[name]
	t, ok := v.(T)
	if !ok && v != nil {
		r.blame(name, should, v)
	}
	return t
}

func (r record) str(name string) string      { return value[string](r, name, "a text") }
func (r record) text(name string) model.Text { return model.Text(r.str(name)) }

func (r record) number(name string) model.Number {
	return model.Number(value[json.Number](r, name, "a number"))
}

// digits is a number where the model has a text.
func (r record) digits(name string) model.Text { return model.Text(r.number(name)) }

func (r record) id() model.Text {
	n := value[json.Number](r, "id", "a whole number")
	if n == "" {
		return ""
	}
	if _, err := strconv.ParseInt(string(n), 10, 64); err != nil {
		r.blame("id", "a whole number", n)
	}
	return model.Text(n)
}

func (r record) truth(name string) *bool {
	if r.fields[name] == nil {
		return nil
	}
	b := value[bool](r, name, "true or false")
	return &b
}

func (r record) time(name string) model.Time {
	s := r.str(name)
	if s == "" {
		return model.Time{}
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		r.blame(name, "a time", s)
	}
	return model.At(t)
}

func (r record) date(name string) model.Date {
	s := r.str(name)
	if s == "" {
		return ""
	}
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		r.blame(name, "a day", s)
	}
	return model.Date(s)
}

// midnight is a day where the model has a time.
func (r record) midnight(name string) model.Time {
	d := r.date(name)
	if d == "" {
		return model.Time{}
	}
	t, _ := time.Parse(time.DateOnly, string(d)) // date has blamed what is none
	return model.At(t)
}

// object returns an object within; false where it is null or missing.
func (r record) object(name string) (record, bool) {
	m := value[map[string]any](r, name, "an object")
	return record{m, r.path + name + ".", r.wrong}, m != nil
}

// each maps the objects of an array. The array is never null.
func each[T any](r record, name string, read func(record) T) []T {
	list := value[[]any](r, name, "an array")
	out := make([]T, 0, len(list))
	for i, v := range list {
		m, ok := v.(map[string]any)
		if !ok {
			r.blame(name, "an array of objects", v)
			break
		}
		out = append(out, read(record{m, fmt.Sprintf("%s%s.%d.", r.path, name, i), r.wrong}))
	}
	return out
}

func (r record) texts(name string) []string {
	list := value[[]any](r, name, "an array")
	out := make([]string, 0, len(list))
	for _, v := range list {
		s, ok := v.(string)
		if !ok {
			r.blame(name, "an array of texts", v)
			break
		}
		out = append(out, s)
	}
	return out
}

// line reads what every line of an array has.
func (r record) line() model.Line {
	position, err := strconv.Atoi(string(value[json.Number](r, "pos", "a whole number")))
	if err != nil {
		r.blame("pos", "a whole number", r.fields["pos"])
	}
	return model.Line{ID: r.id(), Position: position}
}

// head reads what every record has. Few have a name of their own.
func (r record) head(number, name string) model.Head {
	return model.Head{Number: r.text(number), Name: r.text(name), ExternalReference: r.text("externalKey")}
}

// ref reads a reference to a record of an entity.
func (r record) ref(name, to string) *model.Reference {
	o, ok := r.object(name)
	if !ok {
		return nil
	}
	return o.as(to)
}

// as reads an object as a reference to a record of an entity.
func (r record) as(to string) *model.Reference {
	return model.Ref(to, string(r.id()), r.str("code"), r.str("name"))
}

// refs reads an array of references.
func (r record) refs(name, to string) []model.Reference {
	return each(r, name, func(o record) model.Reference {
		if found := o.as(to); found != nil {
			return *found
		}
		o.blame("id", "a whole number", nil)
		return model.Reference{}
	})
}

// shift reads the word of a shift, which is all that the plant has of it.
func (r record) shift(name string) *model.Reference {
	return model.Ref("shifts", r.str(name), "", r.str(name))
}

// code reads a word that the plant's people define.
func (r record) code(name string) *model.Code {
	o, ok := r.object(name)
	if !ok {
		return nil
	}
	return &model.Code{Code: o.text("code"), Name: o.text("name")}
}

// money reads an amount with its currency.
func (r record) money(name string) *model.Money {
	o, ok := r.object(name)
	if !ok {
		return nil
	}
	return model.Amount(o.str("value"), o.str("currency"))
}

// amount reads an amount whose currency stands elsewhere.
func (r record) amount(name, currency string) *model.Money {
	return model.Amount(r.str(name), currency)
}

func (r record) address(name string) *model.Address {
	o, ok := r.object(name)
	if !ok {
		return nil
	}
	return &model.Address{
		Name: o.text("name"), Line1: o.text("street"), PostalCode: o.text("zip"), City: o.text("town"),
		Region: o.text("region"), Country: o.text("countryCode"),
	}
}

// word translates one of the plant's words; one that the table does not name is
// unknown, and null stays null. The native twin is r.text of the same field.
func word[W ~string](r record, name string, table map[string]W) W {
	native := r.str(name)
	if native == "" {
		return ""
	}
	if w, ok := table[native]; ok {
		return w
	}
	return W(model.Unknown)
}
