package static_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

func script(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile("app.js")
	if err != nil {
		t.Fatal(err)
	}
	// Comments speak of what the code must not do.
	text := regexp.MustCompile(`(?m)^\s*//.*$`).ReplaceAllString(string(content), "")
	return regexp.MustCompile(`(?s)/\*.*?\*/`).ReplaceAllString(text, "")
}

// There is one place where text becomes elements, behind the one policy (ui.md §3.4), and none where it becomes code.
func TestScriptHasOneSink(t *testing.T) {
	text := script(t)
	for sink, times := range map[string]int{
		"parseFromString": 1, "createHTML": 2, "createPolicy": 1, "innerHTML": 0, "outerHTML": 0, "insertAdjacentHTML": 0,
		"document.write": 0, "srcdoc": 0, "eval(": 0, "new Function": 0, "setHTMLUnsafe": 0, "createContextualFragment": 0,
		"import(": 0, "importScripts": 0, "setAttribute('on": 0, "javascript:": 0, "localStorage": 0, "sessionStorage": 0,
		"sendBeacon": 0, "postMessage": 0, "XMLHttpRequest": 0, "WebSocket": 0, "fetch(": 1, ".style": 0, "setTimeout('": 0,
	} {
		if got := strings.Count(text, sink); got != times {
			t.Errorf("%s occurs %d times, want %d", sink, got, times)
		}
	}
	if !strings.Contains(text, "createPolicy('portal'") {
		t.Error("the policy has another name than the content security policy allows")
	}
}

// Words for people come from data-* attributes, so that they pass through i18n.
func TestScriptHoldsNoWords(t *testing.T) {
	words := regexp.MustCompile("['\"`][A-Z][a-z]+ [a-z]+[^'\"`]*['\"`]")
	for _, found := range words.FindAllString(script(t), -1) {
		t.Errorf("%s looks like words for people", found)
	}
}

// Every data-* attribute the script reads is explained at its top, so that components can be written from it.
func TestScriptExplainsItsAttributes(t *testing.T) {
	content, err := os.ReadFile("app.js")
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(content), "\nconst ")
	for _, found := range regexp.MustCompile(`\[data-[a-z-]+`).FindAllString(script(t), -1) {
		name := strings.TrimPrefix(found, "[")
		if !strings.Contains(head, name) {
			t.Errorf("%s is not explained", name)
		}
	}
}
