package templates

// Lookup is the page /lookup of the platform's support (protocol.md §6). What was looked up stands in the field again, and
// nowhere else.
type Lookup struct {
	Frame   Frame
	Action  string // /lookup, by POST
	Query   string
	Errors  FieldErrors
	Secret  bool // a client secret was typed: it was dropped, say so
	MinName int  // letters of a name
	Answer  *LookupAnswer
}

// LookupAnswer is what a look found. By is client_id, email or name.
type LookupAnswer struct {
	By   string
	Apps []LookupApp
	More bool // there are more than are shown
	Left int  // looks left in this hour
}

// LookupApp is all that support sees of an app; there is no link into it.
type LookupApp struct {
	Name         string
	Organisation string
	Status       string
	Contacts     []AppContact
}

// found is the key of the heading over apps: all there are, or the first.
func (a LookupAnswer) found() string {
	if a.More {
		return "lookup.first"
	}
	return "lookup.found"
}

// more is the key of the sentence that says that there are more.
func (a LookupAnswer) more() string {
	if a.By == "email" {
		return "lookup.more_email"
	}
	return "lookup.more"
}

func (a LookupApp) mail(to AppContact) ContactMail {
	return ContactMail{FirstName: to.FirstName, LastName: to.LastName, Email: to.Email, App: a.Name, Organisation: a.Organisation}
}
