package definition

import (
	"bytes"
	"encoding/json"
	"errors"
)

// Decode reads JSON as expressions take it: numbers with their digits as sent.
// It refuses what follows the value.
func Decode(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, errors.New("something follows the JSON")
	}
	return v, nil
}
