package api

import (
	"bytes"

	"github.com/dinrail/dinrail/host"
)

// RecordJSON returns a record as this API answers it, for events.
func RecordJSON(r *host.Record) []byte {
	var b bytes.Buffer
	writeRecord(&b, r, false)
	return b.Bytes()
}
