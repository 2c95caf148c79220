package web

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"credenza.example/credenza/internal/registry"
)

const (
	// exportTime bounds a whole file, exportStep the reading of some apps and the way of their lines to the reader.
	exportTime = 15 * time.Minute
	exportStep = 30 * time.Second
)

// exportFile writes apps to a file of some form.
type exportFile interface {
	contentType() string
	begin() error
	app(exportedApp) error
	end() error
}

// exportedApp is an app in a file: the columns of the grid, contacts, API user and scopes. Names and values are the same
// in every language, times are UTC.
type exportedApp struct {
	ClientID      string          `json:"client_id"`
	Name          string          `json:"name"`
	Category      string          `json:"category,omitempty"`
	Status        string          `json:"status"`
	Secret        string          `json:"secret"`
	SecretEndsAt  *time.Time      `json:"secret_ends_at"` // null: never, or none
	LastUsedAt    *time.Time      `json:"last_used_at"`   // null: never
	CreatedBy     string          `json:"created_by"`
	CreatedAt     time.Time       `json:"created_at"`
	ModifiedAt    time.Time       `json:"modified_at"`
	Introspects   string          `json:"introspects,omitempty"` // a resource server: the key of its API
	APIUser       string          `json:"api_user,omitempty"`
	Scopes        []string        `json:"scopes"`
	Contact       exportedPerson  `json:"contact"`
	SecondContact *exportedPerson `json:"second_contact,omitempty"`
}

type exportedPerson struct {
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Email     string `json:"email"`
}

func exported(e registry.Exported) exportedApp {
	a := exportedApp{
		ClientID: e.ClientID, Name: e.Name, Category: string(e.Category), Status: string(e.Status), Secret: string(e.Secrets.Code),
		SecretEndsAt: utcOrNull(e.Secrets.EndsAt), LastUsedAt: utcOrNull(e.LastUsedAt), CreatedBy: e.CreatedBy.Name,
		CreatedAt: e.CreatedAt.UTC(), ModifiedAt: e.ModifiedAt.UTC(), Introspects: e.ResourceAPI, APIUser: e.APIUser,
		Scopes: append([]string{}, e.Scopes...), Contact: exportedContact(e.Contact),
	}
	if e.Kind == registry.ResourceServer {
		a.Category = ""
	}
	if !e.SecondContact.IsZero() {
		second := exportedContact(e.SecondContact)
		a.SecondContact = &second
	}
	return a
}

func exportedContact(c registry.Contact) exportedPerson {
	return exportedPerson{FirstName: c.FirstName, LastName: c.LastName, Email: c.Email}
}

func utcOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// jsonFile is an array of objects.
type jsonFile struct {
	w       io.Writer
	encoder *json.Encoder
	some    bool
}

func (*jsonFile) contentType() string { return "application/json" }

func (f *jsonFile) begin() error {
	f.encoder = json.NewEncoder(f.w)
	f.encoder.SetEscapeHTML(false)
	_, err := io.WriteString(f.w, "[\n")
	return err
}

func (f *jsonFile) app(a exportedApp) error {
	if f.some {
		if _, err := io.WriteString(f.w, ","); err != nil {
			return err
		}
	}
	f.some = true
	return f.encoder.Encode(a)
}

func (f *jsonFile) end() error {
	_, err := io.WriteString(f.w, "]\n")
	return err
}

// csvFile is a table for spreadsheets: UTF-8 with a byte order mark, and no cell that would be taken for a formula (C67).
type csvFile struct {
	w io.Writer
	*csv.Writer
}

func (*csvFile) contentType() string { return "text/csv; charset=utf-8; header=present" }

func (f *csvFile) begin() error {
	if _, err := io.WriteString(f.w, "\ufeff"); err != nil {
		return err
	}
	f.Writer = csv.NewWriter(f.w)
	f.UseCRLF = true
	return f.Write([]string{
		"client_id", "name", "category", "status", "secret", "secret_ends_at", "last_used_at", "created_by", "created_at", "modified_at",
		"introspects", "api_user", "scopes", "contact_first_name", "contact_last_name", "contact_email",
		"second_contact_first_name", "second_contact_last_name", "second_contact_email",
	})
}

func (f *csvFile) app(a exportedApp) error {
	second := exportedPerson{}
	if a.SecondContact != nil {
		second = *a.SecondContact
	}
	cells := []string{
		a.ClientID, a.Name, a.Category, a.Status, a.Secret, stamp(a.SecretEndsAt), stamp(a.LastUsedAt), a.CreatedBy, stamp(&a.CreatedAt),
		stamp(&a.ModifiedAt), a.Introspects, a.APIUser, strings.Join(a.Scopes, " "), a.Contact.FirstName, a.Contact.LastName, a.Contact.Email,
		second.FirstName, second.LastName, second.Email,
	}
	for i, cell := range cells {
		cells[i] = noFormula(cell)
	}
	return f.Write(cells)
}

func (f *csvFile) end() error {
	f.Flush()
	return f.Error()
}

// noFormula keeps a spreadsheet from calculating a cell (C67). Those of East Asia read full-width signs too.
func noFormula(cell string) string {
	first, _ := utf8.DecodeRuneInString(cell)
	if cell != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
		return "'" + cell
	}
	return cell
}

func stamp(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.RFC3339)
}

// exportApps answers the list as a file, written while it is read: nothing of it is held but some apps at a time
// (product.md decision 22). What goes wrong before the first line is answered like any list; after it the connection is
// cut, so that nobody takes a part for the whole.
func (s *Server) exportApps(c *call, g grid, format string) error {
	out := bufio.NewWriterSize(c.Response(), 64<<10)
	var file exportFile = &csvFile{w: out}
	if format == "json" {
		file = &jsonFile{w: out}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx()), exportTime) // the reader's leaving fails a write
	defer cancel()
	begun := false
	if c.Request().Method == http.MethodHead { // nobody reads it
		q := g.query(c)
		q.After, q.Before, q.PerPage = "", "", 1
		if _, err := s.Registry.Search(ctx, c.actor, q); err != nil {
			return err
		}
		c.Response().Header().Set("Content-Type", file.contentType())
		return c.NoContent(http.StatusOK)
	}
	begin := func() error {
		begun = true
		h := c.Response().Header()
		h.Set("Content-Type", file.contentType())
		h.Set("Content-Disposition", `attachment; filename="apps-`+s.DB.Now().UTC().Format(time.DateOnly)+"."+format+`"`)
		c.Response().WriteHeader(http.StatusOK)
		return file.begin()
	}
	control := http.NewResponseController(c.Response())
	err := s.Registry.Export(ctx, c.actor, g.query(c), func(apps []registry.Exported) error {
		_ = control.SetWriteDeadline(s.DB.Now().Add(exportStep)) // a recorder in a test has none
		if !begun {
			if err := begin(); err != nil {
				return err
			}
		}
		for _, app := range apps {
			if err := file.app(exported(app)); err != nil {
				return err
			}
		}
		return out.Flush()
	})
	if err == nil && !begun {
		err = begin()
	}
	if err == nil {
		err = file.end()
	}
	if err == nil {
		return out.Flush()
	}
	if !begun {
		return err
	}
	s.logFailure(c, err)
	_ = control.SetWriteDeadline(time.Unix(1, 0)) // long over
	return nil
}
