package templates

import "time"

// AppsUnused is the page /apps/unused: active apps that nobody has used for 90 days.
type AppsUnused struct {
	Frame     Frame
	Rows      []UnusedRow
	More      bool // there are more than the page shows
	MayManage bool
	Now       time.Time
}

// UnusedRow is one of them.
type UnusedRow struct {
	Name           string
	ClientID       string
	Href           string
	LastUsedAt     time.Time // zero: never
	CreatedAt      time.Time
	OffAt          time.Time // when the policy deactivates it; zero: not planned
	DeactivateHref string
}

func (v AppsUnused) columns() []string {
	columns := []string{"name", "used", "created", "off"}
	if v.MayManage {
		columns = append(columns, "action")
	}
	return columns
}
