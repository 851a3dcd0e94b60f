package api

import (
	"io"
	"net/http"
	"time"

	"github.com/dinrail/dinrail/host"
)

// backup streams a backup. One that fails on its way is cut off, so that nobody
// takes it for whole; its form tells that, too.
func (a *API) backup(c *call) error {
	if a.Backup == nil {
		return host.Errorf(host.CodeUnsupported, "this host was started without what that needs")
	}
	h := c.w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", `attachment; filename="dinrail-`+a.Clock().UTC().Format("20060102T150405Z")+`.backup"`)
	if err := a.Backup(c.Context(), &slow{c.w, http.NewResponseController(c.w)}); err != nil {
		if c.Context().Err() == nil {
			a.Log.Error("a backup was not written to its end", "request", c.id, "error", err)
		}
		panic(http.ErrAbortHandler)
	}
	return nil
}

// slow is an answer that may take as long as somebody reads it.
type slow struct {
	to      io.Writer
	control *http.ResponseController
}

func (s *slow) Write(b []byte) (int, error) {
	_ = s.control.SetWriteDeadline(time.Now().Add(time.Minute)) // where there is no deadline, none has to be moved
	return s.to.Write(b)
}
