package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/api"
	"github.com/dinrail/dinrail/host/internal/config"
	"github.com/dinrail/dinrail/host/internal/ui"
)

// socketName is the control socket's name in the data folder.
const socketName = "dinrail.sock"

// server is one listener with what it serves.
type server struct {
	listener net.Listener
	http     *http.Server
}

// listen opens the listeners, so that a taken port is an error of the start.
func (d *Daemon) listen(ctx context.Context, cfg *config.Config, handlers *api.API, pages *ui.UI) (servers []*server, err error) {
	defer func() {
		if err != nil {
			for _, s := range servers {
				err = errors.Join(err, s.listener.Close())
			}
		}
	}()
	var lc net.ListenConfig
	all := surfaces(handlers, pages)
	for i := range cfg.Listeners {
		l := &cfg.Listeners[i]
		tcp, err := lc.Listen(ctx, "tcp", l.Address)
		if err != nil {
			where := "host.listen"
			if l.Name != "" {
				where = fmt.Sprintf("the address of listener %q", l.Name)
			}
			if errors.Is(err, syscall.EADDRINUSE) {
				return servers, host.Errorf(host.CodeInvalid, "the address %s is taken by another program; stop it, or set %s to a free one: %w", l.Address, where, err)
			}
			return servers, host.Errorf(host.CodeInvalid, "listen on %s: %w; set %s to an address of this machine", l.Address, err, where)
		}
		s := &server{listener: tcp, http: d.httpServer(seen(l, only(l, all, handlers.Nowhere())))}
		if l.Cert != "" {
			s.http.TLSConfig = newCertificate(l.Cert, l.Key, d.log.Named("listener").With("listener", l.Name)).config()
		}
		servers = append(servers, s)
	}
	path := filepath.Join(cfg.Host.DataDir, socketName)
	// The store's lock is ours, so whoever left this file is gone.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return servers, fmt.Errorf("remove the old control socket: %w", err)
	}
	before := syscall.Umask(0o177)
	local, err := lc.Listen(ctx, "unix", path)
	syscall.Umask(before)
	if err != nil {
		return servers, host.Errorf(host.CodeInvalid, "make the control socket %s: %w; a shorter data_dir may help", path, err)
	}
	servers = append(servers, &server{listener: ownOnly{local}, http: d.httpServer(handlers.Local())})
	for _, s := range servers {
		s.http.RegisterOnShutdown(handlers.EndWaits) // long polls do not hold the stop
	}
	return servers, nil
}

// surfaces are all that one address serves: the pages that people see, and the
// API.
func surfaces(handlers *api.API, pages *ui.UI) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if pages.Serves(r) {
			handlers.Name(w, r)
			pages.ServeHTTP(w, r)
			return
		}
		handlers.ServeHTTP(w, r)
	})
}

func (d *Daemon) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		// Long polls answer within 60 s, checks within 60 s.
		WriteTimeout:   3 * time.Minute,
		IdleTimeout:    2 * time.Minute,
		MaxHeaderBytes: 64 << 10,
		ErrorLog:       d.log.Named("http").StandardLogger(nil),
	}
}

func (s *server) addr() string { return s.listener.Addr().String() }

func (s *server) serve() error {
	serve := s.http.Serve
	if s.http.TLSConfig != nil {
		serve = func(l net.Listener) error { return s.http.ServeTLS(l, "", "") }
	}
	if err := serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", s.addr(), err)
	}
	return nil
}

func (s *server) shutdown(ctx context.Context) {
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close() // the deadline has passed: what still runs is cut
	}
}

// ownOnly accepts peers of the host's own user, and root's, alone.
type ownOnly struct{ net.Listener }

func (l ownOnly) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if uid, err := peer(c); err == nil && (uid == 0 || uid == uint32(os.Geteuid())) {
			return c, nil
		}
		_ = c.Close()
	}
}

func peer(c net.Conn) (uint32, error) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return 0, errors.New("not a unix socket")
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return 0, err
	}
	if credErr != nil {
		return 0, credErr
	}
	return cred.Uid, nil
}
