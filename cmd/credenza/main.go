// Command credenza is the whole product in one binary: the portal and token server (serve), and the command line beside
// it. It is the only place that wires rooms together; each subcommand has a file of its own.
package main

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"credenza.example/credenza/internal/config"
	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/problem"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	p := &program{environ: os.Environ(), stdout: os.Stdout, stderr: os.Stderr}
	code := p.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// version is set when the binary is built.
var version = "development"

// program is one run of the command line. Standard output carries results only; everything else goes to standard error.
type program struct {
	environ        []string
	stdout, stderr io.Writer
	json           bool
	began          bool // a command was called rightly and has begun its work

	makeRSA func() (*rsa.PrivateKey, error) // nil but in tests
}

// run executes the arguments and returns the exit code: 0 done, 1 failed, 2 wrong usage.
func (p *program) run(ctx context.Context, args []string) int {
	root := p.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	_, _ = fmt.Fprintln(p.stderr, "credenza: "+explain(ctx, err))
	if !p.began {
		return 2
	}
	return 1
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "credenza",
		Short:         "Self-service portal, registry and token server for OAuth client apps",
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.AddCommand(p.serveCommand(), p.migrateCommand(), p.orgCommand(), p.personCommand(), p.appCommand(), p.keysCommand())
	return root
}

// group is a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(commands...)
	return cmd
}

// explain writes an error for the person at the terminal: a problem in its own words, with each field at fault.
func explain(ctx context.Context, err error) string {
	var p *problem.Error
	var settings *config.Error
	if errors.As(err, &settings) || !errors.As(err, &p) {
		return err.Error()
	}
	bundle, loadErr := i18n.Load()
	if loadErr != nil {
		return err.Error()
	}
	ctx = i18n.With(ctx, bundle.For("en"), nil)
	lines := []string{i18n.T(ctx, p.Key, pairs(p.Args)...)}
	for _, f := range p.Fields {
		lines = append(lines, f.Name+": "+i18n.T(ctx, f.Key, pairs(f.Args)...))
	}
	if p.Err != nil && (p.Code == problem.Internal || p.Code == problem.Unavailable) {
		lines = append(lines, "cause: "+p.Err.Error())
	}
	return strings.Join(lines, "\n  ")
}

func pairs(args map[string]any) []any {
	list := make([]any, 0, 2*len(args))
	for name, value := range args {
		list = append(list, name, value)
	}
	return list
}
