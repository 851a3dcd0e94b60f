package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options are what the program is started with.
type options struct {
	listen, data   string
	user, password string
	session        time.Duration
	seed           uint64
	scale, orders  int
	speed          float64
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("dinrail-sandbox: ")
	o, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// parse reads the flags, and says what is wrong with them.
func parse(args []string, complain io.Writer) (options, error) {
	var o options
	set := flag.NewFlagSet("dinrail-sandbox", flag.ContinueOnError)
	set.SetOutput(complain)
	set.StringVar(&o.listen, "listen", "127.0.0.1:7421", "`address` to listen at; :0 takes a free port")
	set.StringVar(&o.data, "data", "", "`folder` that keeps the plant; without one it is in memory only")
	set.StringVar(&o.user, "user", "operator", "`name` to log in with")
	set.StringVar(&o.password, "password", "plant-7", "`password` to log in with; one changed by a switch is kept and wins")
	set.DurationVar(&o.session, "session", 8*time.Hour, "how long a login lasts")
	set.Uint64Var(&o.seed, "seed", 7, "the same seed makes the same plant")
	set.IntVar(&o.scale, "scale", 1, "so many `times` the history")
	set.IntVar(&o.orders, "orders", 0, "exactly so `many` work orders, instead of what the scale gives")
	set.Float64Var(&o.speed, "speed", 1, "`beats` of plant life a second; 0 is frozen")
	if err := set.Parse(args); err != nil {
		return o, err
	}
	err := o.check(set.Args())
	if err != nil {
		fmt.Fprintf(complain, "dinrail-sandbox: %v\n", err)
	}
	return o, err
}

func (o options) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q: all settings are flags, see --help", rest[0])
	case o.scale < 1 || o.scale > 1000:
		return errors.New("--scale must be from 1 to 1000")
	case o.orders < 0:
		return errors.New("--orders must not be negative")
	case o.session < time.Second:
		return errors.New("--session must be at least 1s")
	case o.user == "" || o.password == "":
		return errors.New("--user and --password must not be empty")
	case o.speed < 0 || o.speed > 1000:
		return errors.New("--speed must be from 0 to 1000")
	}
	return nil
}

// run serves the plant until the context ends. The port is taken before the data
// is touched, so a second program at the same address harms nothing.
func run(ctx context.Context, o options, out io.Writer) error {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", o.listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer listener.Close()
	p := newPlant(time.Now)
	l, err := furnish(p, &o)
	if err != nil {
		return err
	}
	start := settings{Password: o.password, Speed: o.speed, SessionSeconds: int(o.session / time.Second)}
	s := newServer(o.user, p, l, newSwitches(start))
	fmt.Fprintf(out, "sandbox listening on http://%s\n", listener.Addr())

	web := &http.Server{Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lived := make(chan struct{})
	go func() {
		defer close(lived)
		l.run(ctx, s.switches)
	}()
	served := make(chan error, 1)
	go func() { served <- web.Serve(listener) }()
	select {
	case err = <-served:
		err = fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	cancel()
	<-lived
	return errors.Join(err, shut(web), p.close())
}

// furnish loads the plant from its folder, or makes a new one.
func furnish(p *plant, o *options) (*life, error) {
	kept := &journal{}
	found := false
	if o.data != "" {
		var err error
		if kept, found, err = openJournal(o.data, p); err != nil {
			return nil, err
		}
	}
	l := newLife(p, o.seed)
	if found {
		l.floor.recall()
	} else if err := seed(p, l.floor, *o); err != nil {
		return nil, err
	}
	if o.data == "" {
		return l, nil
	}
	if kept.password != "" {
		o.password = kept.password
	}
	p.journal = kept
	return l, kept.compact(p)
}

// shut lets calls end, and cuts off those that take too long.
func shut(web *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := web.Shutdown(ctx); errors.Is(err, context.DeadlineExceeded) {
		return web.Close()
	} else if err != nil {
		return err
	}
	return nil
}

// close writes the plant once more, in its shortest form.
func (p *plant) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.journal == nil {
		return nil
	}
	return errors.Join(p.journal.compact(p), p.journal.close())
}
