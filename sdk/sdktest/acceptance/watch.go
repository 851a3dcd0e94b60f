package acceptance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
)

// Lines of a log that are no flood: the host counts what comes beyond them.
const (
	quietLines = 200
	pageLines  = 5 // and so many for each page
)

// checkLog reads everything and looks at what was logged meanwhile.
func checkLog(ctx context.Context, o Options) error {
	s, err := start(o, hostEnv())
	if err != nil {
		return err
	}
	defer s.end()
	s.log.keepAll()
	handle, err := s.open(ctx)
	if err != nil {
		return err
	}
	if _, err := s.Check(ctx, &connectorv1.CheckRequest{Handle: handle}); err != nil {
		return fmt.Errorf("check: %w", err)
	}
	entities, err := s.entities(ctx, handle)
	if err != nil {
		return err
	}
	pages := 0
	for _, e := range entities {
		read, err := reading{start: full(handle, e.GetName(), nil)}.run(ctx, s)
		if err != nil {
			return fmt.Errorf("%s: %w", e.GetName(), err)
		}
		pages += len(read)
	}
	sys, err := s.system(ctx)
	if err != nil {
		return err
	}
	secrets := secretsOf(sys, o)
	s.end() // what it wrote has come by then
	text := s.log.all()
	if n := strings.Count(text, "\n"); n > quietLines+pageLines*pages {
		return fmt.Errorf("it wrote %d lines for %d pages; the host keeps no such flood", n, pages)
	}
	for name, v := range secrets {
		if strings.Contains(text, v) {
			return fmt.Errorf("its log holds the secret %q", name)
		}
	}
	return nil
}

// secretsOf returns the values that nobody may see; those of a few letters are
// in any text.
func secretsOf(sys *connectorv1.System, o Options) map[string]string {
	secrets := map[string]string{}
	add := func(f *connectorv1.Setting, v any) {
		if text, ok := v.(string); ok && f.GetSecret() && len(text) >= 4 {
			secrets[f.GetName()] = text
		}
	}
	for _, f := range sys.GetSettings() {
		add(f, o.Settings[f.GetName()])
	}
	for _, a := range sys.GetAuth() {
		for _, f := range a.GetFields() {
			add(f, o.Credentials[f.GetName()])
		}
	}
	return secrets
}

// checkRefused looks at the calls that a wrong login makes: once the system has
// refused it, nothing is called with it any more. Some systems lock a login
// after few attempts. A connector that reports no calls cannot be seen through.
func checkRefused(ctx context.Context, o Options) error {
	return with(ctx, o, func(s *session, _ string) error {
		sys, err := s.system(ctx)
		if err != nil {
			return err
		}
		wrong, ok := wrongCredentials(sys, o)
		if !ok {
			return nil
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		reports, err := s.Reports(ctx, &connectorv1.ReportsRequest{})
		if err != nil {
			return nil // it reports nothing
		}
		calls := make(chan *connectorv1.Call)
		handle, err := s.openWith(ctx, wrong)
		if err != nil {
			return nil // it is refused for its form, without a call
		}
		go func() {
			defer close(calls)
			for {
				m, err := reports.Recv()
				if err != nil {
					return
				}
				if m.GetHandle() == handle && m.GetCall() != nil {
					select {
					case calls <- m.GetCall():
					case <-ctx.Done():
						return
					}
				}
			}
		}()
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = s.Check(ctx, &connectorv1.CheckRequest{Handle: handle}) // what it answers is looked at by another check
		}()
		refused, after := 0, 0
		for quiet := (<-chan time.Time)(nil); ; {
			select {
			case c, ok := <-calls:
				switch {
				case !ok:
					return nil
				case refused > 0:
					after++
				case slices.Contains([]int32{401, 403}, c.GetStatus()):
					refused++
				}
			case <-done:
				done, quiet = nil, time.After(patience)
			case <-quiet:
				if after > 0 {
					return errors.New("it goes on calling with a login that the system has refused; a login may be locked by that")
				}
				return nil
			}
		}
	})
}
