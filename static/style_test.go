package static_test

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// rgb is a colour as three bytes.
type rgb [3]uint8

// themes are the tokens of the stylesheet by name, light and dark.
type themes [2]map[string]rgb

var token = regexp.MustCompile(`--([a-z-]+):\s*light-dark\(#([0-9A-Fa-f]{6}),\s*#([0-9A-Fa-f]{6})\)`)

func tokens(t *testing.T) themes {
	t.Helper()
	content, err := os.ReadFile("app.css")
	if err != nil {
		t.Fatal(err)
	}
	both := themes{{}, {}}
	for _, match := range token.FindAllStringSubmatch(string(content), -1) {
		if _, twice := both[0][match[1]]; twice {
			t.Errorf("--%s is set twice", match[1])
		}
		both[0][match[1]], both[1][match[1]] = colour(t, match[2]), colour(t, match[3])
	}
	return both
}

func colour(t *testing.T, hex string) rgb {
	t.Helper()
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	return rgb{uint8(n >> 16 & 0xFF), uint8(n >> 8 & 0xFF), uint8(n & 0xFF)}
}

// contrast is the ratio of WCAG 2.2: (L1 + 0.05) / (L2 + 0.05) of the relative luminances.
func contrast(a, b rgb) float64 {
	la, lb := luminance(a), luminance(b)
	return (math.Max(la, lb) + 0.05) / (math.Min(la, lb) + 0.05)
}

func luminance(c rgb) float64 {
	var sum float64
	for i, weight := range [3]float64{0.2126, 0.7152, 0.0722} {
		v := float64(c[i]) / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}

func TestContrastFormula(t *testing.T) {
	for _, test := range []struct {
		a, b rgb
		want float64
	}{
		{rgb{0, 0, 0}, rgb{255, 255, 255}, 21},
		{rgb{255, 255, 255}, rgb{255, 255, 255}, 1},
		{rgb{0x76, 0x76, 0x76}, rgb{255, 255, 255}, 4.54},
	} {
		if got := contrast(test.a, test.b); math.Abs(got-test.want) > 0.005 {
			t.Errorf("%v on %v: %.3f, want %.3f", test.a, test.b, got, test.want)
		}
	}
}

// The table of ui.md §5.1, recomputed from the stylesheet (ui.md §7, item 11).
func TestUI11_ContrastOfTokens(t *testing.T) {
	both := tokens(t)
	for _, pair := range []struct {
		front, back string
		printed     [2]float64
		needs       float64
	}{
		{"text", "surface", [2]float64{16.4, 14.1}, 4.5},
		{"text", "canvas", [2]float64{15.3, 15.6}, 4.5},
		{"text", "sunken", [2]float64{14.4, 12.6}, 4.5},
		{"muted", "surface", [2]float64{7.4, 8.1}, 4.5},
		{"muted", "canvas", [2]float64{6.9, 8.9}, 4.5},
		{"muted", "sunken", [2]float64{6.5, 7.2}, 4.5},
		{"accent", "surface", [2]float64{6.7, 8.1}, 4.5},
		{"accent", "sunken", [2]float64{5.8, 7.2}, 4.5},
		{"accent", "accent-soft", [2]float64{5.7, 6.5}, 4.5},
		{"on-accent", "accent", [2]float64{6.7, 7.9}, 4.5},
		{"on-accent", "accent-hover", [2]float64{8.9, 10.1}, 4.5},
		{"ok-fg", "ok-bg", [2]float64{6.3, 8.6}, 4.5},
		{"warn-fg", "warn-bg", [2]float64{7.1, 9.0}, 4.5},
		{"bad-fg", "bad-bg", [2]float64{6.7, 8.0}, 4.5},
		{"neu-fg", "neu-bg", [2]float64{7.3, 7.9}, 4.5},
		{"info-fg", "info-bg", [2]float64{7.0, 8.3}, 4.5},
		{"on-danger", "danger", [2]float64{6.8, 7.7}, 4.5},
		{"text", "ok-bg", [2]float64{14.2, 12.0}, 4.5},
		{"text", "warn-bg", [2]float64{14.6, 12.2}, 4.5},
		{"text", "bad-bg", [2]float64{13.9, 13.3}, 4.5},
		{"text", "info-bg", [2]float64{14.1, 11.8}, 4.5},
		{"edge", "surface", [2]float64{3.8, 5.2}, 3},
		{"edge", "canvas", [2]float64{3.5, 5.8}, 3},
		{"edge", "sunken", [2]float64{3.3, 4.7}, 3},
		{"accent", "canvas", [2]float64{6.2, 9.0}, 3},
		{"text", "mark", [2]float64{14.6, 8.7}, 4.5},
		// Pairs the pages use beyond that table.
		{"accent-hover", "surface", [2]float64{}, 4.5},
		{"bad-fg", "surface", [2]float64{}, 4.5},
		{"warn-fg", "surface", [2]float64{}, 4.5},
		{"warn-fg", "canvas", [2]float64{}, 4.5},
		{"muted", "accent-soft", [2]float64{}, 4.5},
		{"muted", "bad-bg", [2]float64{}, 4.5},
		{"muted", "ok-bg", [2]float64{}, 4.5},
		{"text", "neu-bg", [2]float64{}, 4.5},
	} {
		for i, name := range []string{"light", "dark"} {
			front, ok := both[i][pair.front]
			back, found := both[i][pair.back]
			if !ok || !found {
				t.Fatalf("the stylesheet has no --%s or --%s", pair.front, pair.back)
			}
			got := contrast(front, back)
			if got < pair.needs {
				t.Errorf("%s: %s on %s is %.2f, needs %.1f", name, pair.front, pair.back, got, pair.needs)
			}
			if want := pair.printed[i]; want > 0 && math.Abs(got-want) > 0.1 {
				t.Errorf("%s: %s on %s is %.2f, the design says %.1f", name, pair.front, pair.back, got, want)
			}
		}
	}
}

// Colours come from tokens only: the theme switch, high contrast and this file's test depend on it.
func TestColoursAreTokens(t *testing.T) {
	content, err := os.ReadFile("app.css")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(content), "--mark:")
	if !found {
		t.Fatal("no tokens found")
	}
	_, rest, _ = strings.Cut(rest, "\n")
	for _, found := range regexp.MustCompile(`#[0-9A-Fa-f]{3,8}\b`).FindAllString(rest, -1) {
		if regexp.MustCompile(`^#[0-9A-Fa-f]{3}$|^#[0-9A-Fa-f]{6}$|^#[0-9A-Fa-f]{8}$`).MatchString(found) {
			t.Errorf("%s stands outside the tokens", found)
		}
	}
}

// What ui.md §3.7 and §5 ask of the stylesheet, as far as it can be read off the file.
func TestStylesheetKeepsItsPromises(t *testing.T) {
	content, err := os.ReadFile("app.css")
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	for _, promise := range []string{
		"@layer reset, tokens, base, layout, parts, util, print;",
		"scroll-padding-block: 68px 72px",
		"outline: 2px solid var(--accent); outline-offset: 2px",
		"@media (prefers-contrast: more)", "@media (forced-colors: active)", "@media (prefers-reduced-motion: reduce)",
		"@media (scripting: none)", "@media print", "[data-theme=light] { color-scheme: light; }",
		"[data-theme=dark] { color-scheme: dark; }", "[data-density=compact]", "@media (pointer: coarse)",
	} {
		if !strings.Contains(text, promise) {
			t.Errorf("not found: %s", promise)
		}
	}
	if strings.Count(text, "{") != strings.Count(text, "}") {
		t.Error("braces do not match")
	}
	// Only what the script focuses, and no key can reach, goes without a ring.
	if strings.Count(text, "outline: none") != 1 || !strings.Contains(text, `[tabindex="-1"]:focus { outline: none; }`) {
		t.Error("a focus ring is removed")
	}
}

// Every symbol is drawn once, in the colour of its text, and holds nothing but shapes.
func TestSymbols(t *testing.T) {
	content, err := os.ReadFile("icons.svg")
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	seen := map[string]bool{}
	for _, match := range regexp.MustCompile(`<symbol id="([a-z]+)" viewBox="0 0 16 16">`).FindAllStringSubmatch(text, -1) {
		if seen[match[1]] {
			t.Errorf("%s is drawn twice", match[1])
		}
		seen[match[1]] = true
	}
	if len(seen) < 20 || len(seen) != strings.Count(text, "<symbol") {
		t.Errorf("%d symbols of %d read", len(seen), strings.Count(text, "<symbol"))
	}
	for _, bad := range []string{"<script", "<style", " style=", "href", "onload", "<image", "<foreignObject"} {
		if strings.Contains(text, bad) {
			t.Errorf("found: %s", bad)
		}
	}
}

// TestChipShapes: each kind of chip has a shape of its own, which is not read aloud, so that colour is not needed to tell
// states apart (WCAG 1.4.1).
func TestChipShapes(t *testing.T) {
	content, err := os.ReadFile("app.css")
	if err != nil {
		t.Fatal(err)
	}
	shapes := map[string]string{}
	for _, m := range regexp.MustCompile(`\.chip(-[a-z]+)?::before \{ content: "(.)"; content: "(.)" / "";`).FindAllStringSubmatch(string(content), -1) {
		if before, twice := shapes[m[2]]; twice || m[2] != m[3] {
			t.Errorf("chip%s has the shape %s and %s, of chip%s too", m[1], m[2], m[3], before)
		}
		shapes[m[2]] = m[1]
	}
	if len(shapes) != 6 {
		t.Errorf("shapes: %v", shapes)
	}
}
