// Command bench measures Credenza against its budgets, which docs/performance.md lists with the method: `make bench`.
//
// It runs bin/credenza as an operator would, in temporary directories, over loopback, and looks at it from outside: CPU
// and memory by what the kernel counts for the process, everything else by answers, /metrics and the log. Load comes from
// this process or others started from it, so that none of its cost is counted as the server's.
//
// Each line prints a figure, its budget and whether it passes. What counts is ratios taken in one run, and counts;
// absolute times depend on the machine. The package owns the load, the seeds and the plots; the bare handler that tokens
// are compared with is web/bare, and Go benchmarks of single pieces stand in the rooms that own the pieces.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// patience is how long one answer is waited for. A request that is not answered by then hangs.
const patience = 30 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 1 {
		switch args[0] {
		case roleBare:
			return bareRole(ctx, os.Stdin, os.Stdout)
		case roleCrowd:
			return crowdRole(ctx, os.Stdin, os.Stdout)
		}
	}
	b, err := newBench(args, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	defer b.close()
	return b.run(ctx, os.Stdout)
}

// line is one line of the budgets in docs/performance.md, or a fault of the drill.
type line struct {
	id      string
	measure func(ctx context.Context, b *bench) ([]figure, error)
}

// is reports whether a choice names the line: by itself or by its letter.
func (l line) is(choice string) bool { return l.id == choice || l.id[:1] == choice }

// lines is what can be measured, in the order in which it is.
func lines() []line {
	return []line{
		{"P1", warmTokens},
		{"P2", coldTokens},
		{"P3", wrongSecrets},
		{"P4", writes},
		{"P5", calls},
		{"P6", grid},
		{"P8", lookups},
		{"P9", starts},
		{"P10", weight},
		{"F7", slowClients},
		{"F8", largeBodies},
		{"F9", join(wrongClients, latecomers, bursts)},
	}
}

// bench is one run.
type bench struct {
	brief    bool
	json     bool
	chosen   []string
	apps     int
	binary   string
	plots    string
	profiles string
	floods   string
	failAt   severity
	dir      string // temporary, for everything
	progress io.Writer
	world    *world
	report   *report
}

func newBench(args []string, progress io.Writer) (*bench, error) {
	b := &bench{progress: progress}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(progress)
	flags.BoolVar(&b.brief, "short", false, "few repetitions, for continuous integration: only what is far off says something")
	flags.BoolVar(&b.json, "json", false, "print the report as JSON")
	chosen := flags.String("lines", "P", "which lines, separated by commas: P1, or P for all that begin so")
	flags.IntVar(&b.apps, "apps", 100_000, "apps in the database that P8 looks in and P9 starts with")
	flags.StringVar(&b.binary, "binary", "bin/credenza", "what is measured")
	flags.StringVar(&b.floods, "floods", "", "of the drill, only the floods whose name holds this")
	flags.StringVar(&b.profiles, "profiles", "", "directory to keep CPU profiles of P1 in, which the plot of its parts needs")
	flags.StringVar(&b.plots, "plots", "", "directory to write the plots of docs/performance.md to")
	fail := flags.String("fail", string(failBudget), "when to end with an error: budget, far (above twice a budget) or never")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	b.failAt = severity(*fail)
	if flags.NArg() > 0 || !slices.Contains([]severity{failNever, failFar, failBudget}, b.failAt) {
		return nil, fmt.Errorf("unknown arguments: %q, --fail %s", flags.Args(), *fail)
	}
	b.chosen = strings.Split(*chosen, ",")
	for _, c := range b.chosen {
		if !slices.ContainsFunc(lines(), func(l line) bool { return l.is(c) }) {
			return nil, fmt.Errorf("there is no line %q", c)
		}
	}
	var err error
	if b.binary, err = filepath.Abs(b.binary); err != nil {
		return nil, err
	}
	b.dir, err = os.MkdirTemp("", "credenza-bench-")
	if b.plots != "" && b.profiles == "" {
		b.profiles = b.dir
	}
	return b, err
}

// run measures the chosen lines and prints the report.
func (b *bench) run(ctx context.Context, out io.Writer) error {
	version, err := exec.CommandContext(ctx, b.binary, "--version").Output()
	if err != nil {
		return fmt.Errorf("%s does not run; make build: %w", b.binary, err)
	}
	b.report = newReport(strings.TrimPrefix(strings.TrimSpace(string(version)), "credenza version "), b.brief)
	began := time.Now()
	for _, l := range lines() {
		if !slices.ContainsFunc(b.chosen, l.is) {
			continue
		}
		at := time.Now()
		figures, err := l.measure(ctx, b)
		if err != nil {
			return fmt.Errorf("%s: %w", l.id, err)
		}
		for _, f := range figures {
			b.report.Figures = append(b.report.Figures, f.judged())
		}
		b.say("%s took %.0f s", l.id, time.Since(at).Seconds())
	}
	if len(b.report.Figures) == 0 {
		return fmt.Errorf("no flood of the lines chosen is named %q", b.floods)
	}
	b.report.Seconds = time.Since(began).Seconds()
	write := b.report.writeText
	if b.json {
		write = b.report.writeJSON
	}
	if err := write(out); err != nil {
		return err
	}
	if b.plots != "" {
		if err := b.report.writePlots(b.plots); err != nil {
			return err
		}
	}
	if b.report.failed(b.failAt) {
		return errors.New("not within the budgets")
	}
	return nil
}

func (b *bench) close() {
	if err := os.RemoveAll(b.dir); err != nil {
		b.say("removing %s: %v", b.dir, err)
	}
}

// say tells whoever waits what is going on.
func (b *bench) say(format string, args ...any) { _, _ = fmt.Fprintf(b.progress, format+"\n", args...) }

// stop ends a server; that it does not end well is said and not more.
func (b *bench) stop(s *server) {
	if err := s.stop(); err != nil {
		b.say("stopping: %v", err)
	}
}

// tokenWorld makes the world of the token endpoint when the first line needs it.
func (b *bench) tokenWorld(ctx context.Context) (*world, error) {
	if b.world == nil {
		w, err := newWorld(ctx, b.dir, b.binary)
		if err != nil {
			return nil, err
		}
		b.world = w
	}
	return b.world, nil
}
