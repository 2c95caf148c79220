package main

import (
	"encoding/xml"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Names of series that plots are drawn from.
const (
	partsOfToken = "CPU per token by part in µs, "
	floodP50     = ", p50 in ms"
	floodP99     = ", p99 in ms"
	floodTime    = ", from and to in s"
	wrongFlood   = "wrong secrets"
)

// series returns the series with this name.
func (r *report) series(name string) (series, bool) {
	i := slices.IndexFunc(r.Series, func(s series) bool { return s.Name == name })
	if i < 0 {
		return series{}, false
	}
	return r.Series[i], true
}

// writePlots draws what the report has series for.
func (r *report) writePlots(dir string) error {
	ours, ok1 := r.series(partsOfToken + product)
	bares, ok2 := r.series(partsOfToken + bareHandler)
	if ok1 && ok2 {
		if err := os.WriteFile(filepath.Join(dir, "token-cpu.svg"), plotParts(ours, bares), 0o644); err != nil { //nolint:gosec // a picture
			return err
		}
	}
	p50, ok1 := r.series(wrongFlood + floodP50)
	p99, ok2 := r.series(wrongFlood + floodP99)
	during, ok3 := r.series(wrongFlood + floodTime)
	if ok1 && ok2 && ok3 {
		return os.WriteFile(filepath.Join(dir, "flood-latency.svg"), plotFlood(p50, p99, during), 0o644) //nolint:gosec // a picture
	}
	return nil
}

// style follows the reader's colours; the classes k0 … k9 are those of parts.
const style = `<style>
text{font:13px system-ui,sans-serif;fill:#1b1f24}.small{font-size:11px}.end{text-anchor:end}.mid{text-anchor:middle}
.axis{stroke:#8b949e;stroke-width:1;fill:none}.grid{stroke:#8b949e;stroke-width:.5;stroke-dasharray:2 3}
.band{fill:#d1242f;opacity:.1}.budget{stroke:#d1242f;stroke-width:1.5;stroke-dasharray:6 4}
.p50{stroke:#0969da;stroke-width:2;fill:none}.p99{stroke:#bc4c00;stroke-width:2;fill:none}
.k0{fill:#8c959f}.k1{fill:#0969da}.k2{fill:#bf8700}.k3{fill:#8250df}.k4{fill:#1a7f37}.k5{fill:#54aeff}.k6{fill:#80ccff}
.k7{fill:#bf3989}.k8{fill:#fb8f44}.k9{fill:#d0d7de}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}}
</style>`

// drawing is an SVG in the making.
type drawing struct{ strings.Builder }

func newDrawing(width, height int, title string) *drawing {
	d := &drawing{}
	d.add(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`, width, height, width, height)
	d.add(`<title>%s</title>`, escape(title))
	d.add(style)
	return d
}

func (d *drawing) add(format string, args ...any) {
	fmt.Fprintf(d, format, args...)
	d.WriteByte('\n')
}

func (d *drawing) text(class string, x, y float64, text string) {
	d.add(`<text class="%s" x="%.1f" y="%.1f">%s</text>`, class, x, y, escape(text))
}

func (d *drawing) bytes() []byte {
	d.add("</svg>")
	return []byte(d.String())
}

func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a builder takes everything
	return b.String()
}

func sum(values []float64) (total float64) {
	for _, v := range values {
		total += v
	}
	return total
}

// plotParts draws two bars, what a token costs the product and the bare handler, by parts.
func plotParts(ours, bares series) []byte {
	const width, left, right, barHeight = 860, 110, 60, 44
	d := newDrawing(width, 270, "CPU time of a warm token by part, Credenza and the bare handler")
	scale := (width - left - right) / max(sum(ours.Y), sum(bares.Y))
	d.text("", left, 20, "Server CPU per warm token, µs")
	for row, s := range []series{ours, bares} {
		y, x := float64(36+row*(barHeight+14)), float64(left)
		d.text("end", left-10, y+barHeight/2+5, strings.TrimPrefix(s.Name, partsOfToken))
		for k, v := range s.Y {
			w := v * scale
			d.add(`<rect class="k%d" x="%.1f" y="%.1f" width="%.1f" height="%d"><title>%s: %.1f µs</title></rect>`, k, x, y, w, barHeight, escape(s.Labels[k]), v)
			if w > 24 {
				d.text("small mid", x+w/2, y+barHeight/2+4, fmt.Sprintf("%.0f", v))
			}
			x += w
		}
		d.text("", x+6, y+barHeight/2+5, fmt.Sprintf("%.0f", sum(s.Y)))
	}
	for k, label := range ours.Labels {
		x, y := float64(left+(k%3)*250), float64(170+(k/3)*24)
		d.add(`<rect class="k%d" x="%.1f" y="%.1f" width="14" height="14"/>`, k, x, y-11)
		d.text("small", x+20, y, fmt.Sprintf("%s: %.1f and %.1f", label, ours.Y[k], bares.Y[k]))
	}
	return d.bytes()
}

// frame is a place to plot in, with linear time to the right and logarithmic milliseconds upwards.
type frame struct {
	left, top, width, height float64
	seconds                  float64
	least, most              float64 // ms
}

func (f frame) x(seconds float64) float64 { return f.left + f.width*seconds/f.seconds }

func (f frame) y(ms float64) float64 {
	ms = min(max(ms, f.least), f.most)
	return f.top + f.height*(1-math.Log(ms/f.least)/math.Log(f.most/f.least))
}

// plotFlood draws how long good clients waited before, during and after a flood.
func plotFlood(p50, p99, during series) []byte {
	const width, height = 860, 320
	d := newDrawing(width, height, "Time of good clients' token requests before, during and after a flood of wrong secrets")
	f := frame{left: 60, top: 40, width: width - 180, height: height - 90, seconds: p99.X[len(p99.X)-1], least: 0.1, most: 1000}
	d.text("", f.left, 20, "Good clients' token requests, ms, while 64 connections send wrong secrets")
	d.add(`<rect class="band" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, f.x(during.Y[0]), f.top, f.x(during.Y[1])-f.x(during.Y[0]), f.height)
	for ms := f.least; ms <= f.most; ms *= 10 {
		d.add(`<line class="grid" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, f.left, f.left+f.width, f.y(ms), f.y(ms))
		d.text("small end", f.left-8, f.y(ms)+4, amount(ms, ""))
	}
	for s := 0.0; s <= f.seconds; s += 2 {
		d.text("small mid", f.x(s), f.top+f.height+18, fmt.Sprintf("%.0f s", s))
	}
	d.add(`<path class="axis" d="M%.1f %.1fV%.1fH%.1f"/>`, f.left, f.top, f.top+f.height, f.left+f.width)
	d.add(`<line class="budget" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, f.left, f.left+f.width, f.y(fastEnough), f.y(fastEnough))
	d.text("small", f.left+f.width+8, f.y(fastEnough)+4, fmt.Sprintf("budget of p99: %d ms", fastEnough))
	for class, s := range map[string]series{"p50": p50, "p99": p99} {
		var points []string
		for i := range s.X {
			if s.Y[i] > 0 { // nothing was due
				points = append(points, fmt.Sprintf("%.1f,%.1f", f.x(s.X[i]), f.y(s.Y[i])))
			}
		}
		d.add(`<polyline class="%s" points="%s"/>`, class, strings.Join(points, " "))
		last := s.Y[len(s.Y)-1]
		d.text("small", f.left+f.width+8, f.y(last)+4, class)
	}
	return d.bytes()
}
