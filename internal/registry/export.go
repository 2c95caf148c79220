package registry

import (
	"context"

	"credenza.example/credenza/internal/access"
	"credenza.example/credenza/internal/identity"
)

// Exported is an app as a file of the grid has it.
type Exported struct {
	Row

	APIUser       string // its name; empty for a resource server
	Contact       Contact
	SecondContact Contact // zero: none
	Scopes        []string
}

// Export hands all apps that a query selects to a function, some at a time and in the query's order, until it fails. It
// takes apps.view. What is held in memory does not grow with their number. Apps that are changed meanwhile are handed
// over as they were or as they are, and one that moves in the order may come twice or not at all. The query's place and
// page size count for nothing; its faults are those of Search.
func (r *Registry) Export(ctx context.Context, actor access.Actor, q Query, each func([]Exported) error) error {
	if err := r.mayView(ctx, actor, "app.list"); err != nil {
		return err
	}
	q.After, q.Before, q.PerPage = "", "", 0
	if err := q.complete(); err != nil {
		return err
	}
	s, err := r.newSelection(ctx, actor.Organisation, q)
	if err != nil || s.nothing {
		return err
	}
	if err := r.count(ctx, &s); err != nil || s.nothing {
		return err
	}
	w := walk{order: q.Sort, descending: q.Descending, perPage: r.store.ways.export}
	for {
		// A walk comes by every app once, whatever the number of pages; few are found again for each.
		found, err := r.store.pageRows(ctx, s, w, !s.few)
		if err != nil || len(found) == 0 {
			return err
		}
		page := found[:min(len(found), w.perPage)]
		list, err := r.exported(ctx, actor.Organisation, page)
		if err != nil {
			return err
		}
		if err := each(list); err != nil || len(found) == len(page) {
			return err
		}
		from := page[len(page)-1].cursor(actor.Organisation, w, 0)
		w.from = &from
	}
}

// exported completes rows for a file: seven queries, however many rows.
func (r *Registry) exported(ctx context.Context, org access.OrganisationID, found []gridRow) ([]Exported, error) {
	rows, err := r.gridRows(ctx, org, found)
	if err != nil {
		return nil, err
	}
	ids, users := make([]AppID, len(found)), make([]string, 0, len(found))
	for i := range found {
		ids[i] = found[i].ID
		if found[i].APIUserID != nil {
			users = append(users, string(*found[i].APIUserID))
		}
	}
	names, err := r.store.robotNames(ctx, org, users)
	if err != nil {
		return nil, err
	}
	contacts, err := r.store.exportContacts(ctx, org, ids)
	if err != nil {
		return nil, err
	}
	scopes, err := r.store.exportScopes(ctx, org, ids)
	if err != nil {
		return nil, err
	}
	list := make([]Exported, len(rows))
	for i, row := range rows {
		list[i] = Exported{Row: row, Scopes: scopes[row.ID], APIUser: names[robotID(found[i].APIUserID)]}
		list[i].Contact, list[i].SecondContact = contacts[row.ID][0], contacts[row.ID][1]
	}
	return list, nil
}

func robotID(id *identity.RobotID) string {
	if id == nil {
		return ""
	}
	return string(*id)
}
