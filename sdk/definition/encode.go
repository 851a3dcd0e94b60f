package definition

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dinrail/dinrail/sdk/expr"
	"github.com/dinrail/dinrail/sdk/model"
)

// fieldError is a value that does not fit into a field.
type fieldError struct{ field, reason string }

func (e *fieldError) Error() string { return e.field + ": " + e.reason }

func misfit(format string, args ...any) error { return &fieldError{"", fmt.Sprintf(format, args...)} }

// within puts a field's name before an error's.
func within(name string, err error) error {
	e, ok := err.(*fieldError) //nolint:errorlint // encode returns it unwrapped
	switch {
	case !ok:
		return &fieldError{name, err.Error()}
	case e.field == "":
		return &fieldError{name, e.reason}
	case strings.HasPrefix(e.field, "["):
		return &fieldError{name + e.field, e.reason}
	default:
		return &fieldError{name + "." + e.field, e.reason}
	}
}

// encode appends a value as the JSON that a field of the model has. Text that is
// empty is null, as everywhere in the model.
func encode(b []byte, f *model.Field, v any) ([]byte, error) {
	if v == nil {
		if f.Kind == model.KindInteger && !f.Array && f.Required {
			return append(b, '0'), nil
		}
		return append(b, "null"...), nil
	}
	if f.Array {
		return encodeList(b, f, v)
	}
	switch f.Kind {
	case model.KindObject:
		return encodeObject(b, f, v)
	case model.KindReference:
		return encodeReference(b, f, v)
	}
	if v == "" {
		return append(b, "null"...), nil
	}
	switch f.Kind {
	case model.KindEnum:
		return encodeWord(b, f, v)
	case model.KindNumber, model.KindInteger:
		return encodeNumber(b, f, v)
	case model.KindBoolean:
		return encodeBool(b, v)
	case model.KindTimestamp:
		t, err := timeOf(v)
		if err != nil {
			return b, err
		}
		b = append(b, '"')
		b = appendTime(b, t)
		return append(b, '"'), nil
	case model.KindDate:
		return encodeDate(b, v)
	default:
		text, ok := expr.TextOf(v)
		if !ok {
			return b, misfit("it is text, and %s came", kindOf(v))
		}
		return expr.AppendString(b, text), nil
	}
}

func encodeList(b []byte, f *model.Field, v any) ([]byte, error) {
	list, ok := v.([]any)
	if !ok {
		return b, misfit("it is a list, and %s came", kindOf(v))
	}
	one := element(*f)
	b = append(b, '[')
	first := true
	for i, x := range list {
		if f.Kind == model.KindReference && nothing(x) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		var err error
		if f.Kind == model.KindObject {
			b, err = encodeLine(b, &one, x, i)
		} else {
			b, err = encode(b, &one, x)
		}
		if err != nil {
			return b, within("["+strconv.Itoa(i)+"]", err)
		}
	}
	return append(b, ']'), nil
}

// encodeLine encodes one of a list of objects; its position is that in the list
// where the system tells none.
func encodeLine(b []byte, f *model.Field, v any, at int) ([]byte, error) {
	line, ok := v.(map[string]any)
	if !ok {
		return b, misfit("it is an object, and %s came", kindOf(v))
	}
	return encodeMembers(b, f, line, at+1)
}

func encodeObject(b []byte, f *model.Field, v any) ([]byte, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return b, misfit("it is an object, and %s came", kindOf(v))
	}
	if empty(m) || money(f) && (m["amount"] == nil || m["amount"] == "") {
		return append(b, "null"...), nil
	}
	return encodeMembers(b, f, m, 0)
}

func encodeMembers(b []byte, f *model.Field, m map[string]any, position int) ([]byte, error) {
	b = append(b, '{')
	for i := range f.Fields {
		part := &f.Fields[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, part.Name...)
		b = append(b, '"', ':')
		v := m[part.Name]
		if v == nil && position > 0 && part.Name == "position" {
			b = strconv.AppendInt(b, int64(position), 10)
			continue
		}
		if v == nil && part.Kind == model.KindEnum && m[part.Name+"_native"] != nil {
			v = model.Unknown // the system has a word, and no table names it
		}
		var err error
		if b, err = encode(b, part, v); err != nil {
			return b, within(part.Name, err)
		}
	}
	return append(b, '}'), nil
}

// empty says whether an object says nothing: money without an amount, an address
// without a line.
func empty(m map[string]any) bool {
	for _, v := range m {
		if v != nil && v != "" {
			return false
		}
	}
	return true
}

// money says whether a field is one of money: without an amount it is null,
// whatever the currency.
func money(f *model.Field) bool { return len(f.Fields) == 2 && f.Fields[0].Name == "amount" }

// nothing says whether a reference refers to nothing.
func nothing(v any) bool {
	m, ok := v.(map[string]any)
	return v == nil || ok && (m["id"] == nil || m["id"] == "") && (m["number"] == nil || m["number"] == "") && (m["name"] == nil || m["name"] == "")
}

func encodeReference(b []byte, f *model.Field, v any) ([]byte, error) {
	m, ok := v.(map[string]any)
	switch {
	case !ok:
		return b, misfit("it is a reference, { id = … }, and %s came", kindOf(v))
	case nothing(m):
		return append(b, "null"...), nil
	}
	entity := f.Target
	if entity == "" {
		entity, _ = m["entity"].(string)
	}
	b = append(b, `{"entity":`...)
	b = expr.AppendString(b, entity)
	for _, name := range []string{"id", "number", "name"} {
		b = append(b, ',', '"')
		b = append(b, name...)
		b = append(b, '"', ':')
		text, ok := expr.TextOf(m[name])
		switch {
		case ok && text != "":
			b = expr.AppendString(b, text)
		case m[name] == nil || text == "" && ok:
			b = append(b, "null"...)
		default:
			return b, within(name, misfit("it is text, and %s came", kindOf(m[name])))
		}
	}
	return append(b, '}'), nil
}

func encodeWord(b []byte, f *model.Field, v any) ([]byte, error) {
	text, ok := expr.TextOf(v)
	if !ok {
		return b, misfit("it is a word, and %s came", kindOf(v))
	}
	for _, w := range f.Words {
		if w == text {
			return expr.AppendString(b, text), nil
		}
	}
	return append(b, `"`+model.Unknown+`"`...), nil
}

func encodeNumber(b []byte, f *model.Field, v any) ([]byte, error) {
	text := ""
	switch v := v.(type) {
	case json.Number:
		text = string(v)
	case string:
		text = strings.TrimSpace(v)
	default:
		return b, misfit("it is a number, and %s came", kindOf(v))
	}
	if !numeric(text) {
		return b, misfit("it is a number, and %.40q came", text)
	}
	if f.Kind == model.KindInteger {
		whole, part, _ := strings.Cut(text, ".")
		if strings.Trim(part, "0") != "" || strings.ContainsAny(text, "eE") {
			return b, misfit("it is a whole number, and %.40q came", text)
		}
		text = whole
	}
	return append(b, text...), nil
}

// numeric says whether text is a number of JSON.
func numeric(text string) bool {
	if text == "" || len(text) > 400 {
		return false
	}
	if c := text[0]; c != '-' && (c < '0' || c > '9') {
		return false
	}
	return json.Valid([]byte(text))
}

func encodeBool(b []byte, v any) ([]byte, error) {
	switch v {
	case true, "true", json.Number("1"):
		return append(b, "true"...), nil
	case false, "false", json.Number("0"):
		return append(b, "false"...), nil
	}
	return b, misfit("it is true or false, and %s came", kindOf(v))
}

func encodeDate(b []byte, v any) ([]byte, error) {
	text, ok := v.(string)
	if !ok {
		return b, misfit("it is a day such as 2026-05-04, and %s came", kindOf(v))
	}
	day := text
	if len(text) > 10 && (text[10] == 'T' || text[10] == ' ') {
		day = text[:10] // the day where the system was
	}
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return b, misfit("it is a day such as 2026-05-04, and %.40q came; parsetime reads other forms", text)
	}
	b = append(b, '"')
	b = append(b, day...)
	return append(b, '"'), nil
}

// timeOf reads a time with its zone.
func timeOf(v any) (time.Time, error) {
	text, ok := v.(string)
	if !ok {
		return time.Time{}, misfit("it is a time such as 2026-05-04T07:30:00Z, and %s came; fromunix and fromunixms read numbers", kindOf(v))
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err == nil {
		return t.UTC(), nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	if _, err := time.Parse("2006-01-02T15:04:05", text); err == nil {
		return time.Time{}, misfit("it is a time, and %q has no zone; localtime(…, zone) gives it one", text)
	}
	return time.Time{}, misfit("it is a time such as 2026-05-04T07:30:00Z, and %.40q came; localtime and parsetime read other forms", text)
}

// appendTime appends RFC 3339 in UTC with milliseconds.
func appendTime(b []byte, t time.Time) []byte {
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(b, "2006-01-02T15:04:05.000Z")
	}
	hour, minute, second := t.Clock()
	digits := func(n, width int) {
		for div := pow10[width-1]; div > 0; div /= 10 {
			b = append(b, byte('0'+n/div%10))
		}
	}
	digits(year, 4)
	b = append(b, '-')
	digits(int(month), 2)
	b = append(b, '-')
	digits(day, 2)
	b = append(b, 'T')
	digits(hour, 2)
	b = append(b, ':')
	digits(minute, 2)
	b = append(b, ':')
	digits(second, 2)
	b = append(b, '.')
	digits(t.Nanosecond()/1_000_000, 3)
	return append(b, 'Z')
}

var pow10 = [...]int{1, 10, 100, 1000}

// kindOf names what came, for people; the value itself may be anything.
func kindOf(v any) string {
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("the text %.40q", v)
	case bool:
		return "true or false"
	case json.Number:
		return "the number " + string(v)[:min(len(v), 40)]
	case []any:
		return "a list"
	default:
		return "an object"
	}
}
