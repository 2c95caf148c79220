package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"text/tabwriter"
)

// figure is one number that was measured, against its budget: a figure passes when it is not above.
type figure struct {
	Line    string  `json:"line"` // of docs/performance.md: P1 …, F7 …
	What    string  `json:"what"`
	Value   float64 `json:"value"`
	Unit    string  `json:"unit"`
	Budget  float64 `json:"budget"`
	Verdict verdict `json:"verdict"`
	// Far is set when the figure is above twice its budget, or above one that knows no more or less: then even a short
	// run on a busy machine says that something is broken.
	Far  bool   `json:"far"`
	Note string `json:"note,omitempty"` // what else was seen

	exact bool // no noise can raise the figure: above the budget is broken
}

// verdict is what a figure says about its budget.
type verdict string

const (
	pass  verdict = "pass"
	short verdict = "falls short"
)

// judged fills in the verdict.
func (f figure) judged() figure {
	f.Verdict, f.Far = pass, false
	if !(f.Value <= f.Budget) { // not a number is no pass either
		f.Verdict = short
		f.Far = f.exact || !(f.Value <= 2*f.Budget)
	}
	return f
}

// report is the result of a run, as --json prints it.
type report struct {
	Version string   `json:"version"` // of the binary that was measured
	Go      string   `json:"go"`
	CPUs    int      `json:"cpus"`
	Short   bool     `json:"short"` // few repetitions: only figures that are far off say something
	Seconds float64  `json:"seconds"`
	Figures []figure `json:"figures"`
	Series  []series `json:"series,omitempty"` // what the plots are drawn from
}

// series is a number over time or by kind.
type series struct {
	Name   string    `json:"name"`
	Labels []string  `json:"labels,omitempty"`
	X      []float64 `json:"x,omitempty"`
	Y      []float64 `json:"y"`
}

func newReport(version string, brief bool) *report {
	return &report{Version: version, Go: runtime.Version(), CPUs: runtime.NumCPU(), Short: brief, Figures: []figure{}}
}

// severity is how bad a figure must be for the run to fail.
type severity string

const (
	failNever  severity = "never"
	failFar    severity = "far"    // above twice the budget
	failBudget severity = "budget" // above the budget
)

// failed reports whether a figure is as bad as that.
func (r *report) failed(at severity) bool {
	for _, f := range r.Figures {
		if at == failBudget && f.Verdict != pass || at == failFar && f.Far {
			return true
		}
	}
	return false
}

// writeJSON writes the report for a machine.
func (r *report) writeJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// writeText writes one line per budget.
func (r *report) writeText(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range r.Figures {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t≤ %s\t%s\t%s\n", // a tabwriter keeps the error for Flush
			f.Line, f.What, amount(f.Value, f.Unit), amount(f.Budget, f.Unit), f.Verdict, f.Note)
	}
	return table.Flush()
}

// amount writes a number with as many digits as say something.
func amount(value float64, unit string) string {
	digits := 2
	switch {
	case value == float64(int64(value)):
		digits = 0
	case value >= 100:
		digits = 0
	case value >= 10:
		digits = 1
	}
	text := strconv.FormatFloat(value, 'f', digits, 64)
	if unit != "" {
		text += " " + unit
	}
	return text
}
