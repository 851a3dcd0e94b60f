package model

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Head is what every entity has beside its own fields.
type Head struct {
	Number            Text `json:"number" doc:"What people call it, such as WO-10042."`
	Name              Text `json:"name" doc:"Its name or title."`
	ExternalReference Text `json:"external_reference" doc:"The integrator's own key."`
	URL               Text `json:"url" doc:"The record's page in the system."`
}

// Line is what every line of an embedded array has beside its own fields.
type Line struct {
	ID       Text `json:"id"`
	Position int  `json:"position"`
}

// Text is a string that is null where there is none.
type Text string

// MarshalJSON writes null where there is no text.
func (t Text) MarshalJSON() ([]byte, error) {
	if t == "" {
		return null, nil
	}
	return json.Marshal(string(t))
}

// Number is a number with the digits that the system sent; empty is null.
type Number string

// Int is a whole number as a Number.
func Int(n int64) Number { return Number(strconv.FormatInt(n, 10)) }

// MarshalJSON writes the digits as they are, and refuses what is no number.
func (n Number) MarshalJSON() ([]byte, error) {
	if n == "" {
		return null, nil
	}
	return json.Marshal(json.Number(n))
}

// UnmarshalJSON keeps the digits as they are.
func (n *Number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	var digits json.Number
	if err := json.Unmarshal(b, &digits); err != nil {
		return err
	}
	if len(b) > 0 && b[0] == '"' {
		return fmt.Errorf("read number: %s is a string", b)
	}
	*n = Number(digits)
	return nil
}

// timeLayout is RFC 3339 in UTC with milliseconds.
const timeLayout = "2006-01-02T15:04:05.000Z"

// Time is a point in time; the zero Time is null.
type Time struct{ time.Time }

// At is t as a Time.
func At(t time.Time) Time { return Time{t} }

// MarshalJSON writes RFC 3339 in UTC with milliseconds.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return null, nil
	}
	b := make([]byte, 0, len(timeLayout)+2)
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, timeLayout)
	return append(b, '"'), nil
}

// UnmarshalJSON reads any RFC 3339 time, or null.
func (t *Time) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	return t.Time.UnmarshalJSON(b)
}

// Date is a day without a time, 2006-01-02; empty is null.
type Date string

// DateOf is the day of t, in t's own zone.
func DateOf(t time.Time) Date {
	if t.IsZero() {
		return ""
	}
	return Date(t.Format(time.DateOnly))
}

// MarshalJSON refuses what is no date.
func (d Date) MarshalJSON() ([]byte, error) {
	if d == "" {
		return null, nil
	}
	if _, err := time.Parse(time.DateOnly, string(d)); err != nil {
		return nil, fmt.Errorf("write date: %q is not of the form 2006-01-02", string(d))
	}
	return quoted(string(d)), nil
}

// Reference points to a record of another entity. Number and name help people;
// the host adds them from its copy where the system does not send them.
type Reference struct {
	Entity string `json:"entity"`
	ID     Text   `json:"id"`
	Number Text   `json:"number"`
	Name   Text   `json:"name"`
}

// Ref refers to a record; without an id it is nil, which is null.
func Ref(entity, id, number, name string) *Reference {
	if id == "" {
		return nil
	}
	return &Reference{Entity: entity, ID: Text(id), Number: Text(number), Name: Text(name)}
}

// Money is an amount in a currency.
type Money struct {
	Amount   Text `json:"amount"`
	Currency Text `json:"currency"`
}

// Amount is money; without an amount it is nil, which is null.
func Amount(amount, currency string) *Money {
	if amount == "" {
		return nil
	}
	return &Money{Amount: Text(amount), Currency: Text(currency)}
}

// Address is where someone is, or something goes.
type Address struct {
	Kind       Text `json:"kind"`
	Name       Text `json:"name"`
	Line1      Text `json:"line1"`
	Line2      Text `json:"line2"`
	City       Text `json:"city"`
	Region     Text `json:"region"`
	PostalCode Text `json:"postal_code"`
	Country    Text `json:"country" doc:"ISO 3166-1 alpha-2."`
}

// Code is a word that the system's users define, with its meaning.
type Code struct {
	Code Text `json:"code"`
	Name Text `json:"name"`
}

// Coding says which accounts bear a cost.
type Coding struct {
	Account    *Reference `json:"account" ref:"accounts"`
	CostCenter *Reference `json:"cost_center" ref:"accounts"`
	Project    *Reference `json:"project" ref:"accounts"`
}

// Unknown is the word, in every enumeration, for a native value that no mapping
// names. It is refused on write: write the native twin instead.
const Unknown = "unknown"

var null = []byte("null")

// quoted writes a word that needs no escaping, or null for none.
func quoted(word string) []byte {
	if word == "" {
		return null
	}
	return strconv.AppendQuote(make([]byte, 0, len(word)+2), word)
}

// words turns the constants of an enumeration into strings.
func words[W ~string](all ...W) []string {
	list := make([]string, len(all))
	for i, w := range all {
		list[i] = string(w)
	}
	return list
}
