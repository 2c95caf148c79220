package registry_test

import (
	"testing"

	"credenza.example/credenza/internal/problem"
	"credenza.example/credenza/internal/registry"
)

// TestBulkReasons: what is kept of a reason is a sentence that needs nothing else to be read.
func TestBulkReasons(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{problem.New(problem.Conflict, "app.bulk.busy"), "app.bulk.busy"},
		{problem.New(problem.Conflict, "app.view.too_many", "Max", 30), "app.bulk.reason"},
		{problem.Fields(problem.NewField("sort", "app.search.sort")), "app.search.sort"},
		{problem.Fields(problem.NewField("q", "app.search.too_long", "Max", 400)), "app.bulk.reason"},
	} {
		if got := registry.ReasonOf(test.err); got != test.want {
			t.Errorf("%v: %s, want %s", test.err, got, test.want)
		}
	}
}
