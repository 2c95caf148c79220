package problem_test

import (
	"errors"
	"fmt"
	"testing"

	"credenza.example/credenza/internal/problem"
)

func TestCodeOf(t *testing.T) {
	cause := errors.New("disk on fire")
	tests := []struct {
		name string
		err  error
		want problem.Code
	}{
		{"nil", nil, ""},
		{"foreign", cause, problem.Internal},
		{"own", problem.New(problem.Stale, "app.stale"), problem.Stale},
		{"wrapped", fmt.Errorf("edit: %w", problem.New(problem.Gone, "x")), problem.Gone},
		{"fields", problem.Fields(problem.NewField("name", "too_short", "Min", 3)), problem.Invalid},
	}
	for _, tt := range tests {
		if got := problem.CodeOf(tt.err); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	if problem.Is(nil, "") {
		t.Error("nil is no problem")
	}
}

func TestErrorTextHoldsNoArguments(t *testing.T) {
	err := problem.Fields(problem.NewField("name", "app.name.taken", "Name", "a name from outside"))
	if got, want := err.Error(), "invalid problem.invalid [name: app.name.taken]"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	wrapped := problem.Wrap(errors.New("cause"), problem.Unavailable, "problem.unavailable", "N", 1)
	if got, want := wrapped.Error(), "unavailable problem.unavailable: cause"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAs(t *testing.T) {
	cause := errors.New("cause")
	p := problem.As(cause)
	if p.Code != problem.Internal || !errors.Is(p, cause) {
		t.Errorf("%+v", p)
	}
	own := problem.New(problem.Conflict, "x", "A", 1)
	if problem.As(fmt.Errorf("outer: %w", own)) != own {
		t.Error("a problem inside another error was not found")
	}
	if problem.Fields() != nil {
		t.Error("no fields are no problem")
	}
}
