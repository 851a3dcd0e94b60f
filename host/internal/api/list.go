package api

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"net/http"
	"sort"

	"github.com/dinrail/dinrail/host"
)

// list is how every list is answered.
type list[T any] struct {
	Data       []T    `json:"data"`
	NextCursor string `json:"next_cursor"`
	HasMore    bool   `json:"has_more"`
}

// cursorOf returns the cursor of this list after a key. Lists other than those
// of records are in order of a key of their own; its cursor is that key with a
// checksum over key and path, so that a cursor of another list is refused.
func (c *call) cursorOf(key string) string {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(key)), c.sum(key))
	return base64.RawURLEncoding.EncodeToString(append(b, key...))
}

func (c *call) sum(key string) uint32 {
	return crc32.ChecksumIEEE([]byte(c.URL.Path + "\x00" + key))
}

// place returns the key after which the list goes on, "" at its start.
func (c *call) place() string {
	text := c.q.values.Get("cursor")
	if text == "" {
		return ""
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) < 4 || binary.BigEndian.Uint32(b) != c.sum(string(b[4:])) {
		c.q.worse = errNoCursor
		return ""
	}
	return string(b[4:])
}

var errNoCursor = &host.Error{Code: host.CodeInvalidCursor, Path: "query.cursor", Message: "this is no cursor of this list; use next_cursor of an earlier answer, or leave it out to start from the beginning"}

// pageOf answers a part of a list that is known whole, in order of its keys.
func pageOf[T any](a *API, c *call, all []T, key func(T) string) error {
	limit, after := c.q.limit(), c.place()
	if err := c.q.err(); err != nil {
		return err
	}
	sort.SliceStable(all, func(i, j int) bool { return key(all[i]) < key(all[j]) })
	from := 0
	if after != "" {
		from = sort.Search(len(all), func(i int) bool { return key(all[i]) > after })
	}
	to := min(from+limit, len(all))
	out := list[T]{Data: append([]T{}, all[from:to]...), HasMore: to < len(all)}
	if to > from {
		after = key(all[to-1])
	}
	out.NextCursor = c.cursorOf(after)
	a.write(c, http.StatusOK, out)
	return nil
}
