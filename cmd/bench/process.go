package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a child that was started here and that is measured from outside, by what the kernel counts for it.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // valid once ended is closed
}

// start runs a program with an environment of its own. Its output goes to the writers.
func start(cmd *exec.Cmd, stdout, stderr io.Writer) (*process, error) {
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	p := &process{cmd: cmd, ended: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// stop asks the process to end and waits for it; after a time it is killed.
func (p *process) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-p.ended:
	case <-time.After(40 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.ended
		return errors.New("the process did not stop when it was asked to")
	}
	return p.err
}

// tick is the unit in which the kernel counts the CPU time of a process (USER_HZ, which every Linux has at 100).
const tick = 10 * time.Millisecond

// cpu returns the CPU time that the process used so far, in user mode and in the kernel for it.
func (p *process) cpu() (time.Duration, error) {
	text, err := p.proc("stat")
	if err != nil {
		return 0, err
	}
	// The second field is the program's name in parentheses and may hold anything.
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	const user, system = 11, 12 // counted from the third field on: 14 and 15 of proc(5)
	if len(fields) <= system {
		return 0, fmt.Errorf("/proc says %q of a process", text)
	}
	var total time.Duration
	for _, field := range []string{fields[user], fields[system]} {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("CPU time of a process: %w", err)
		}
		total += time.Duration(n) * tick
	}
	return total, nil
}

// memory returns the bytes of physical memory that the process holds now.
func (p *process) memory() (int64, error) {
	text, err := p.proc("status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("/proc tells no memory of a process")
}

func (p *process) proc(name string) (string, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/" + name)
	if err != nil {
		return "", fmt.Errorf("CPU time and memory are read from /proc, which only Linux has: %w", err)
	}
	return string(text), nil
}

// highest watches the memory of a process until the context ends and returns the most that was seen.
func (p *process) highest(ctx context.Context) (int64, error) {
	var most int64
	pace := time.NewTicker(20 * time.Millisecond)
	defer pace.Stop()
	for {
		now, err := p.memory()
		if err != nil {
			return most, err
		}
		most = max(most, now)
		select {
		case <-ctx.Done():
			return most, nil
		case <-pace.C:
		}
	}
}
