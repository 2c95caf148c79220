package registry

import (
	"context"

	"credenza.example/credenza/internal/database"
)

// rewordChunk is how many apps' words are written in one transaction: some milliseconds.
const rewordChunk = 25

// Reword writes the words of all apps that an older version of the product wrote last, so that they are found by every
// key of the search. It is meant to be called at the start and now and then, while servers of that version may still be
// running; where nothing is to be done it only reads. Until it has come to an app, that app is found by free words.
func (r *Registry) Reword(ctx context.Context) error {
	for from := AppID(""); ; {
		list, err := r.store.unworded(ctx, from, rewordChunk)
		if err != nil || len(list) == 0 {
			return err
		}
		from = list[len(list)-1].ID
		for i := range list {
			author := Author{Kind: list[i].CreatedByKind, ID: list[i].CreatedByID}
			if err := r.store.nameAuthors(ctx, list[i].OrganisationID, []*Author{&author}); err != nil {
				return err
			}
			list[i].CreatedByID = author.Name
		}
		err = r.db.Housekeep(ctx, func(tx *database.Tx) error {
			for i := range list {
				if err := reword(tx, &list[i]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

// reword writes an app's words as the transaction sees it. CreatedByID holds the name of who made it.
func reword(tx *database.Tx, row *appRow) error {
	if found, err := lockApp(tx, row.OrganisationID, row.ID); err != nil || !found {
		return err
	}
	app, err := appWithin(tx, row.OrganisationID, row.ID)
	if err != nil {
		return err
	}
	app.CreatedBy.Name = row.CreatedByID
	return replaceWords(tx, app.Organisation, app.ID, wordsOf(&app))
}
