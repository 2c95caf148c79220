package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"
)

// print writes a result: as one JSON document with --json, else as the lines that text writes.
func (p *program) print(document any, text func(w *tabwriter.Writer)) error {
	if p.json {
		encoder := json.NewEncoder(p.stdout)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(document)
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	text(w)
	return w.Flush()
}

// line writes one row of a table. Tabs and line breaks in the values must not shift the columns.
func line(w *tabwriter.Writer, cells ...any) {
	for i, cell := range cells {
		if i > 0 {
			_, _ = fmt.Fprint(w, "\t")
		}
		_, _ = fmt.Fprint(w, cell)
	}
	_, _ = fmt.Fprintln(w)
}
