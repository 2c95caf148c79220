package templates

import "time"

// AppMails is what the detail page tells of mails about the app.
type AppMails struct {
	Refused  []RefusedMail
	Kept     []KeptMail // where there is no mail server: what would have been sent, newest first
	EditHref string     // where contacts are changed; "" for who may not
}

// RefusedMail is a mail that came back, or that no server took.
type RefusedMail struct {
	To      string // address of a contact, name of a manager
	At      time.Time
	Failed  bool // given up after three days; else a server refused it for good
	Contact bool // to a contact of the app
}

// KeptMail is what a mail would have said.
type KeptMail struct {
	Title string
	Texts []string
	At    time.Time
}

// key is that of the sentence about a mail.
func (m RefusedMail) key() string {
	if m.Failed {
		return "apps.mail.failed"
	}
	return "apps.mail.refused"
}
