package structure_test

import (
	"go/ast"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// housekeepers are the functions that write without an event in the audit trail. Each belongs to sessions, spent codes,
// counters or queues; a change that a person or an app asks for goes through audit.Do instead. A new line here needs the
// reason in its commit.
var housekeepers = []string{
	"internal/job Claimed.Note",
	"internal/job Claimed.hold",
	"internal/job Runner.Sweep",
	"internal/job Runner.claim",
	"internal/job Runner.do",
	"internal/keyring insertFirst",
	"internal/keyring insertMissing",
	"internal/keyring sweep",
	"internal/notify Outbox.Sweep",
	"internal/notify sender.end",
	"internal/notify sender.run",
	"internal/registry Registry.RevokeToken",
	"internal/registry Registry.Reword",
	"internal/registry Registry.Sweep",
	"internal/registry Registry.askContact",
	"internal/registry Registry.fillNames",
	"internal/registry Registry.forgetStrays",
	"internal/registry Registry.keepHash",
	"internal/registry Registry.knowContacts",
	"internal/registry Registry.noteIdle",
	"internal/registry Registry.tellEnd",
	"internal/registry Registry.tellNews",
	"internal/registry Registry.writeRejections",
	"internal/registry Registry.writeUse",
	"internal/signin Service.Sweep",
	"internal/signin noteSeen",
	"internal/signin putDraft",
	"internal/signin store.CommitCtx",
	"internal/signin store.DeleteCtx",
}

// TestDoorsForWriting lists who calls the two doors of the database.
func TestDoorsForWriting(t *testing.T) {
	if diff := cmp.Diff(housekeepers, callers(t, "Housekeep")); diff != "" {
		t.Errorf("callers of database.Housekeep (-listed +found):\n%s", diff)
	}
	for _, caller := range callers(t, "Transact") {
		if !strings.HasPrefix(caller, "internal/audit ") {
			t.Errorf("%s calls database.Transact: changes go through audit.Do", caller)
		}
	}
}

// TestNoOtherTransactions: no room begins a transaction by itself.
func TestNoOtherTransactions(t *testing.T) {
	for _, name := range []string{"Begin", "BeginTx", "Transaction", "SavePoint"} {
		for _, caller := range callers(t, name) {
			t.Errorf("%s calls %s: transactions begin in internal/database", caller, name)
		}
	}
}

// callers returns the functions outside internal/database and tests that call a function or method of this name, as
// "directory function", sorted.
func callers(t *testing.T, name string) []string {
	t.Helper()
	found := map[string]bool{}
	for _, s := range read(t) {
		if s.test || roomOf(s.dir) == "database" {
			continue
		}
		s.functions(func(function string, f *ast.FuncDecl) {
			if len(calls(f.Body, name)) > 0 {
				found[s.dir+" "+function] = true
			}
		})
	}
	return slices.AppendSeq([]string{}, slices.Values(slices.Sorted(maps.Keys(found))))
}
