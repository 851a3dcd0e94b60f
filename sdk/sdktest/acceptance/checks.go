package acceptance

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	connectorv1 "github.com/dinrail/dinrail/proto/dinrail/connector/v1"
	"github.com/dinrail/dinrail/proto/wire"
)

// handshakeLine is how go-plugin announces itself: versions, network, address,
// protocol.
var handshakeLine = regexp.MustCompile(`^1\|\d+\|unix\|[^|]+\|grpc\|`)

func checkStdout(ctx context.Context, o Options) error {
	dir, err := os.MkdirTemp("", "acceptance")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	log := &tail{}
	cmd := exec.CommandContext(ctx, o.Binary)
	cmd.Env = append(hostEnv(), wire.Handshake.MagicCookieKey+"="+wire.Handshake.MagicCookieValue,
		fmt.Sprintf("PLUGIN_PROTOCOL_VERSIONS=%d", wire.Protocol), "PLUGIN_UNIX_SOCKET_DIR="+dir)
	cmd.Stderr = log
	cmd.WaitDelay = time.Second // for what it may have started
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the connector: %w", err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	cancel()
	_ = cmd.Wait() // killed
	if err != nil {
		return fmt.Errorf("it ended without a handshake: %w%s", err, log)
	}
	if !handshakeLine.MatchString(line) {
		return fmt.Errorf("it printed %q where the handshake belongs", strings.TrimSpace(line))
	}
	return nil
}

func checkHandshake(ctx context.Context, o Options) error {
	s, err := start(o, hostEnv())
	if err != nil {
		return err
	}
	defer s.end()
	if _, err := s.Describe(ctx, &connectorv1.DescribeRequest{}); err != nil {
		return fmt.Errorf("describe: %w", err)
	}
	s.end()
	if !s.client.Exited() {
		return errors.New("it goes on after its host has told it to end")
	}
	return nil
}

func checkEnvironment(ctx context.Context, o Options) error {
	s, err := start(o, nil)
	if err != nil {
		return err
	}
	defer s.end()
	_, err = s.Describe(ctx, &connectorv1.DescribeRequest{})
	return err
}

var (
	categories   = []string{"cmms", "eam", "erp", "wms", "mrp", "mes", "qms", "database", "machine", "other"}
	settingTypes = []string{"string", "number", "bool", "url", "duration"}
	authMethods  = []string{"basic", "api_key", "bearer", "oauth2", "session", "none"}
	fieldTypes   = []string{"string", "number", "boolean", "timestamp", "date", "object", "array", "reference"}
)

func checkDescribe(ctx context.Context, o Options) error {
	s, err := start(o, hostEnv())
	if err != nil {
		return err
	}
	defer s.end()
	definition, err := o.definition()
	if err != nil {
		return err
	}
	first, err := s.Describe(ctx, &connectorv1.DescribeRequest{Definition: definition})
	if err != nil {
		return err
	}
	second, err := s.Describe(ctx, &connectorv1.DescribeRequest{Definition: definition})
	if err != nil {
		return err
	}
	if !proto.Equal(first, second) {
		return errors.New("a second answer differs from the first")
	}
	if first.GetName() == "" || first.GetVersion() == "" {
		return errors.New("the connector has no name or no version")
	}
	if len(first.GetSystems()) == 0 {
		return errors.New("it describes no system")
	}
	for _, sys := range first.GetSystems() {
		if err := checkSystem(sys); err != nil {
			return fmt.Errorf("system %q: %w", sys.GetName(), err)
		}
	}
	return nil
}

func checkSystem(sys *connectorv1.System) error {
	switch {
	case sys.GetName() == "" || sys.GetLabel() == "":
		return errors.New("it has no name or no label")
	case !slices.Contains(categories, sys.GetCategory()):
		return fmt.Errorf("the category %q is none of %s", sys.GetCategory(), strings.Join(categories, ", "))
	case len(sys.GetAuth()) == 0:
		return errors.New(`it has no way to log in; where none is needed, say "none"`)
	}
	fields := slices.Clone(sys.GetSettings())
	for _, a := range sys.GetAuth() {
		if !slices.Contains(authMethods, a.GetName()) {
			return fmt.Errorf("the way to log in %q is none of %s", a.GetName(), strings.Join(authMethods, ", "))
		}
		fields = append(fields, a.GetFields()...)
	}
	for _, f := range fields {
		switch {
		case f.GetName() == "" || f.GetLabel() == "":
			return fmt.Errorf("the setting %q has no name or no label", f.GetName())
		case !slices.Contains(settingTypes, f.GetType()):
			return fmt.Errorf("the setting %q has the type %q, none of %s", f.GetName(), f.GetType(), strings.Join(settingTypes, ", "))
		case f.GetSecret() && f.GetDefault() != "":
			return fmt.Errorf("the setting %q is secret and has a default that everybody can read", f.GetName())
		}
		if _, err := regexp.Compile(f.GetPattern()); err != nil {
			return fmt.Errorf("the setting %q: %w", f.GetName(), err)
		}
	}
	return checkEntities(sys.GetEntities())
}

func checkEntities(es []*connectorv1.Entity) error {
	seen := map[string]bool{}
	for _, e := range es {
		if e.GetName() == "" || e.GetName() == "native/" || seen[e.GetName()] {
			return fmt.Errorf("the entity %q has no name or is named twice", e.GetName())
		}
		seen[e.GetName()] = true
		for _, f := range e.GetFields() {
			if f.GetName() == "" || !slices.Contains(fieldTypes, f.GetType()) {
				return fmt.Errorf("the field %q of %s has the type %q, none of %s", f.GetName(), e.GetName(), f.GetType(), strings.Join(fieldTypes, ", "))
			}
		}
	}
	return nil
}

func checkLogin(ctx context.Context, o Options) error {
	return with(ctx, o, func(s *session, handle string) error {
		res, err := s.Check(ctx, &connectorv1.CheckRequest{Handle: handle})
		if err != nil {
			return fmt.Errorf("check the good login: %w", err)
		}
		if res.GetIdentity() == "" {
			return errors.New("it does not tell whom the login is")
		}
		sys, err := s.system(ctx)
		if err != nil {
			return err
		}
		wrong, ok := wrongCredentials(sys, o)
		if !ok {
			return nil // there is nothing to be wrong
		}
		handle, err = s.openWith(ctx, wrong)
		if err == nil {
			_, err = s.Check(ctx, &connectorv1.CheckRequest{Handle: handle})
		}
		if err == nil {
			return errors.New("it accepts a wrong login")
		}
		if f, ok := wire.FailureOf(err); !ok || f.Code != wire.AuthRequired || f.Message == "" {
			return fmt.Errorf("a wrong login is to be %s with words for a person, not: %w", wire.AuthRequired, err)
		}
		return nil
	})
}

// wrongCredentials replaces the secrets of the login.
func wrongCredentials(sys *connectorv1.System, o Options) (map[string]string, bool) {
	wrong, changed := map[string]string{}, false
	for name, v := range o.Credentials {
		wrong[name] = v
	}
	for i, a := range sys.GetAuth() {
		if a.GetName() != o.Auth && (o.Auth != "" || i > 0) {
			continue
		}
		for _, f := range a.GetFields() {
			if _, given := wrong[f.GetName()]; given && f.GetSecret() {
				wrong[f.GetName()], changed = "wrong", true
			}
		}
	}
	return wrong, changed
}

func checkHandles(ctx context.Context, o Options) error {
	return with(ctx, o, func(s *session, first string) error {
		second, err := s.open(ctx)
		if err != nil {
			return err
		}
		if first == second {
			return errors.New("two open connections have the same handle")
		}
		for range 2 {
			if _, err := s.Close(ctx, &connectorv1.CloseRequest{Handle: first}); err != nil {
				return fmt.Errorf("close (a second time is allowed): %w", err)
			}
		}
		if _, err := s.Check(ctx, &connectorv1.CheckRequest{Handle: second}); err != nil {
			return fmt.Errorf("closing one connection broke another: %w", err)
		}
		_, err = s.Check(ctx, &connectorv1.CheckRequest{Handle: first})
		if f, ok := wire.FailureOf(err); !ok || f.Code != wire.NotFound {
			return fmt.Errorf("a closed handle is to be %s, not: %w", wire.NotFound, orNothing(err))
		}
		return nil
	})
}

func orNothing(err error) error {
	if err == nil {
		return errors.New("accepted")
	}
	return err
}

func checkUnknown(ctx context.Context, o Options) error {
	return with(ctx, o, func(s *session, handle string) error {
		_, err := reading{start: full(handle, "native/no-such-entity", nil)}.run(ctx, s)
		if f, ok := wire.FailureOf(err); !ok || f.Message == "" {
			return fmt.Errorf("reading an entity that is not there is to be a failure with words, not: %w", orNothing(err))
		}
		if _, err := s.Check(ctx, &connectorv1.CheckRequest{Handle: handle}); err != nil {
			return fmt.Errorf("it is of no use after it: %w", err)
		}
		return nil
	})
}
