package main

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		name    string
		figure  figure
		verdict verdict
		far     bool
	}{
		{"below", figure{Value: 1.2, Budget: 1.25}, pass, false},
		{"on it", figure{Value: 1.25, Budget: 1.25}, pass, false},
		{"above", figure{Value: 1.26, Budget: 1.25}, short, false},
		{"twice", figure{Value: 2.5, Budget: 1.25}, short, false},
		{"above twice", figure{Value: 2.51, Budget: 1.25}, short, true},
		{"a count that must be 0, and is", figure{exact: true}, pass, false},
		{"a count that must be 0, and is 1", figure{Value: 1, exact: true}, short, true},
		{"a count that must be 1, and is 2", figure{Value: 2, Budget: 1, exact: true}, short, true},
		{"nothing was measured", figure{Value: math.NaN(), Budget: 1}, short, true},
	} {
		got := c.figure.judged()
		if got.Verdict != c.verdict || got.Far != c.far {
			t.Errorf("%s: %q, far %t; want %q, far %t", c.name, got.Verdict, got.Far, c.verdict, c.far)
		}
	}
}

func TestFailed(t *testing.T) {
	good := figure{Value: 1, Budget: 1}.judged()
	bad := figure{Value: 1.5, Budget: 1}.judged()
	worse := figure{Value: 3, Budget: 1}.judged()
	for _, c := range []struct {
		name    string
		figures []figure
		want    map[severity]bool
	}{
		{"all pass", []figure{good, good}, map[severity]bool{failNever: false, failFar: false, failBudget: false}},
		{"one falls short", []figure{good, bad}, map[severity]bool{failNever: false, failFar: false, failBudget: true}},
		{"one by far", []figure{bad, worse}, map[severity]bool{failNever: false, failFar: true, failBudget: true}},
	} {
		r := &report{Figures: c.figures}
		for at, want := range c.want {
			if got := r.failed(at); got != want {
				t.Errorf("%s, --fail %s: %t, want %t", c.name, at, got, want)
			}
		}
	}
}

// TestReportIsJSON keeps the names that machines read.
func TestReportIsJSON(t *testing.T) {
	r := newReport("v1", true)
	r.Figures = append(r.Figures, figure{Line: "P1", What: "cost", Value: 1.3, Unit: "×", Budget: 1.25, Note: "n"}.judged())
	var text bytes.Buffer
	if err := r.writeJSON(&text); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	delete(got, "go")
	delete(got, "cpus")
	want := map[string]any{
		"version": "v1", "short": true, "seconds": 0.0,
		"figures": []any{map[string]any{
			"line": "P1", "what": "cost", "value": 1.3, "unit": "×", "budget": 1.25, "verdict": "falls short", "far": false, "note": "n",
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestReportHasALinePerFigure(t *testing.T) {
	r := newReport("v1", false)
	r.Figures = append(r.Figures,
		figure{Line: "P1", What: "cost", Value: 1.2, Unit: "×", Budget: 1.25}.judged(),
		figure{Line: "P2", What: "bcrypts", Value: 2, Budget: 1, exact: true, Note: "two"}.judged())
	var text bytes.Buffer
	if err := r.writeText(&text); err != nil {
		t.Fatal(err)
	}
	var got [][]string
	for line := range strings.Lines(text.String()) {
		got = append(got, strings.Fields(line))
	}
	want := [][]string{
		strings.Fields("P1 cost 1.20 × ≤ 1.25 × pass"),
		strings.Fields("P2 bcrypts 2 ≤ 1 falls short two"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestQuantile(t *testing.T) {
	hundred := make([]int, 100)
	for i := range hundred {
		hundred[i] = 100 - i // 100 … 1
	}
	for _, c := range []struct {
		values []int
		q      float64
		want   int
	}{
		{nil, 0.5, 0},
		{[]int{7}, 0.99, 7},
		{[]int{3, 1, 2}, 0.5, 2},
		{[]int{4, 1, 3, 2}, 0.5, 2},
		{hundred, 0.99, 99},
		{hundred, 0.95, 95},
		{hundred, 1, 100},
		{hundred, 0, 1},
	} {
		if got := quantile(c.values, c.q); got != c.want {
			t.Errorf("quantile %v of %v: %d, want %d", c.q, c.values, got, c.want)
		}
	}
}

func TestChoosingLines(t *testing.T) {
	for _, c := range []struct {
		choice, id string
		want       bool
	}{{"P1", "P1", true}, {"P1", "P10", false}, {"P", "P10", true}, {"F", "F9", true}, {"F", "P1", false}} {
		if got := (line{id: c.id}).is(c.choice); got != c.want {
			t.Errorf("--lines %s chooses %s: %t", c.choice, c.id, got)
		}
	}
	if _, err := newBench([]string{"--lines", "P99"}, &bytes.Buffer{}); err == nil {
		t.Error("a line that does not exist is taken")
	}
	if _, err := newBench([]string{"--fail", "sometimes"}, &bytes.Buffer{}); err == nil {
		t.Error("a severity that does not exist is taken")
	}
}
