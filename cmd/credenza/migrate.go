package main

import (
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func (p *program) migrateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database's schema up to date",
		Args:  cobra.ExactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := p.open(cmd.Context(), migrateAlways)
			if err != nil {
				return err
			}
			defer r.close()
			return p.print(map[string]string{"database": r.cfg.Database(), "schema": "current"}, func(w *tabwriter.Writer) {
				line(w, r.cfg.Database()+" is up to date")
			})
		},
	}
	p.jsonFlag(cmd)
	return cmd
}

// mustRequire marks flags that must be given.
func mustRequire(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // the flag was never defined: a fault of this file, found by the first test
		}
	}
}

func (p *program) jsonFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&p.json, "json", false, "print one JSON document")
}
