package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"

	"github.com/dinrail/dinrail/host"
)

// signature signs a delivery with each key: the value of webhook-signature, as
// Standard Webhooks 1.0 has it ("Symmetric signatures": v1 is HMAC-SHA256 over
// id, time and body joined by dots).
func signature(keys [][]byte, id host.EventID, at time.Time, body []byte) string {
	var out []byte
	for _, key := range keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id))
		mac.Write([]byte{'.'})
		mac.Write(strconv.AppendInt(nil, at.Unix(), 10))
		mac.Write([]byte{'.'})
		mac.Write(body)
		if len(out) > 0 {
			out = append(out, ' ')
		}
		out = append(out, "v1,"...)
		out = base64.StdEncoding.AppendEncode(out, mac.Sum(nil))
	}
	return string(out)
}
