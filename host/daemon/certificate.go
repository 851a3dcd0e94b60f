package daemon

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

// lookAgain is how often the files of a certificate are looked at, at most.
const lookAgain = 5 * time.Second

// soonExpired is how long before its end a certificate is told to be near it.
const soonExpired = 14 * 24 * time.Hour

// certificate is a certificate and its key, read again when their files change.
// A pair that cannot be read leaves the one before in place.
type certificate struct {
	cert, key string
	log       hclog.Logger

	mu     sync.Mutex
	pair   *tls.Certificate
	stamp  string // of the files that were read last, whatever came of it
	looked time.Time
}

func newCertificate(cert, key string, log hclog.Logger) *certificate {
	return &certificate{cert: cert, key: key, log: log}
}

func (c *certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current(time.Now()) }}
}

// current returns the certificate to show.
func (c *certificate) current(now time.Time) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pair != nil && now.Sub(c.looked) < lookAgain {
		return c.pair, nil
	}
	c.looked = now
	stamp := stampOf(c.cert) + stampOf(c.key)
	if c.pair != nil && stamp == c.stamp {
		return c.pair, nil
	}
	c.stamp = stamp
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		if c.pair == nil {
			return nil, fmt.Errorf("read the certificate: %w", err)
		}
		c.log.Error("the certificate cannot be read again; the one before is shown still", "error", err)
		return c.pair, nil
	}
	if c.pair != nil {
		c.log.Info("the certificate was read again", "until", pair.Leaf.NotAfter)
	}
	if left := pair.Leaf.NotAfter.Sub(now); left < 0 {
		c.log.Error("the certificate has expired, and clients refuse it: put a new one in its place", "file", c.cert, "since", pair.Leaf.NotAfter)
	} else if left < soonExpired {
		c.log.Warn("the certificate expires soon: put a new one in its place", "file", c.cert, "at", pair.Leaf.NotAfter)
	}
	c.pair = &pair
	return c.pair, nil
}

// stampOf changes when a file does.
func stampOf(file string) string {
	i, err := os.Stat(file)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(i.ModTime().UnixNano(), i.Size())
}
