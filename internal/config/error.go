package config

import (
	"fmt"
	"strings"
)

// Fault is what is wrong with one setting. Text is a sentence without its subject and full stop, which tells whoever
// sets the product up what to write instead.
type Fault struct {
	Name string // the variable, for example CREDENZA_ADDR
	Text string
}

// Error is every fault of an environment. It is for the operator's terminal, so it is English like the log and not a
// problem with translated sentences.
type Error struct{ Faults []Fault }

// Error lists the faults, one a line.
func (e *Error) Error() string {
	var b strings.Builder
	if len(e.Faults) == 1 {
		b.WriteString("one setting is wrong:")
	} else {
		fmt.Fprintf(&b, "%d settings are wrong:", len(e.Faults))
	}
	for _, f := range e.Faults {
		fmt.Fprintf(&b, "\n  %s: %s.", f.Name, f.Text)
	}
	return b.String()
}

// asError returns the faults as an error; none is nil.
func asError(faults []Fault) error {
	if len(faults) == 0 {
		return nil
	}
	return &Error{Faults: faults}
}
