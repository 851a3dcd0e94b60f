package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"

	"github.com/hashicorp/go-plugin/runner"
)

// process runs one connector program for go-plugin: from an open file, so that
// what was checked is what runs; in a process group of its own; and bound to
// the host's life by the kernel.
type process struct {
	cmd    *exec.Cmd
	name   string
	exited chan struct{} // closed when the program has ended
	stdout io.ReadCloser
	stderr *drained
	ends   []io.Closer // the child's ends of the pipes
	mu     sync.Mutex
	err    error
	killed bool
}

var _ runner.Runner = (*process)(nil)

// drained is a pipe that tells when its reader has had all of it.
type drained struct {
	io.ReadCloser
	once sync.Once
	done chan struct{}
}

// Read implements io.Reader. Its one reader comes for more only after it has
// taken what it got, so an end told here is the end of what was taken.
func (d *drained) Read(b []byte) (int, error) {
	n, err := d.ReadCloser.Read(b)
	if err != nil {
		d.once.Do(func() { close(d.done) })
	}
	return n, err
}

// newProcess prepares the program. env is all it sees of an environment.
func newProcess(file *os.File, name string, env []string) (*process, error) {
	stdout, childOut, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	stderr, childErr, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, stdout.Close(), childOut.Close())
	}
	return &process{
		name:   name,
		exited: make(chan struct{}),
		stdout: stdout,
		stderr: &drained{ReadCloser: stderr, done: make(chan struct{})},
		ends:   []io.Closer{childOut, childErr},
		cmd: &exec.Cmd{
			// Descriptor 3 in the child is the file that was checked.
			Path:       "/proc/self/fd/3",
			Args:       []string{name},
			Env:        env,
			Stdout:     childOut,
			Stderr:     childErr,
			ExtraFiles: []*os.File{file},
			SysProcAttr: &syscall.SysProcAttr{
				Setpgid:   true,
				Pdeathsig: syscall.SIGKILL,
			},
		},
	}, nil
}

// Start starts the program. The kernel's death signal goes out when the thread
// that started it ends, not the process; so that thread waits for it.
func (p *process) Start(context.Context) error {
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the program
		err := p.cmd.Start()
		for _, c := range p.ends {
			_ = c.Close()
		}
		started <- err
		if err != nil {
			close(p.exited)
			return
		}
		err = p.cmd.Wait()
		p.mu.Lock()
		p.err = err
		p.mu.Unlock()
		close(p.exited)
	}()
	if err := <-started; err != nil {
		_ = p.stdout.Close()
		_ = p.stderr.Close()
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	return nil
}

// Wait waits until the program has ended.
func (p *process) Wait(ctx context.Context) error {
	select {
	case <-p.exited:
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Kill ends the program and whatever it has started.
func (p *process) Kill(context.Context) error {
	p.mu.Lock()
	p.killed = true
	p.mu.Unlock()
	select {
	case <-p.exited:
		return nil
	default:
	}
	if err := syscall.Kill(-p.pid(), syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}

// how says in words how the program ended, for people.
func (p *process) how() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		return "it ended by itself"
	}
	return "it ended with " + p.err.Error()
}

func (p *process) pid() int {
	if p.cmd.Process == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

func (p *process) ended() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// Diagnose implements runner.Runner.
func (p *process) Diagnose(context.Context) string { return p.name + ": see the log of the connector" }

// Stdout implements runner.Runner.
func (p *process) Stdout() io.ReadCloser { return p.stdout }

// Stderr implements runner.Runner.
func (p *process) Stderr() io.ReadCloser { return p.stderr }

// Name implements runner.Runner.
func (p *process) Name() string { return p.name }

// ID implements runner.Runner.
func (p *process) ID() string { return strconv.Itoa(p.pid()) }

// PluginToHost implements runner.AddrTranslator: both see the same files.
func (*process) PluginToHost(network, addr string) (string, string, error) { return network, addr, nil }

// HostToPlugin implements runner.AddrTranslator.
func (*process) HostToPlugin(network, addr string) (string, string, error) { return network, addr, nil }
