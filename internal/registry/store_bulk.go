package registry

import (
	"context"
	"fmt"
)

// selectIDs returns the IDs of what a selection holds, sorted, up to a limit.
func (s *store) selectIDs(ctx context.Context, sel selection, limit int) ([]AppID, error) {
	var q sql
	q.add("SELECT a.id")
	if len(sel.terms) > 0 {
		q.driven(sel, true)
	} else {
		q.walked(sel)
	}
	q.add(" ORDER BY a.id LIMIT ?", limit)
	var ids []AppID
	if err := s.db.Read(ctx).Raw(q.text.String(), q.args...).Scan(&ids).Error; err != nil {
		return nil, fmt.Errorf("select apps: %w", err)
	}
	return ids, nil
}
