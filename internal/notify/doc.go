// Package notify owns what the product tells people without being asked: mail, later webhooks.
//
// Outbox.Mail queues a mail in the transaction of the act that it tells of; nothing is sent there. A job (package job)
// sends it, by the server of CREDENZA_SMTP_URL, and repeats that for three days where the server is away or asks to wait.
// A mail server that is dead or stands still keeps some jobs of this room busy and nobody else. Mails have a pace by address
// and organisation (pace.go): what is too much for one time is planned for later.
//
// # What becomes of a mail
//
// It is queued until it is sent, or refused for good by a server (a bounce; product.md decision 19: nothing reads inbound
// mail), or failed when three days did not help. Without a mail server it is kept, so that a page can show what it says.
// Rows go after 90 days, with the app they are about (Erase), and those about an app that is gone as soon as they are
// sent. Of what a server answers only the codes are kept, since its texts may name anybody.
//
// A process that dies between the server's answer and the note of it sends the mail again, under the same Message-ID.
//
// # What is in a mail
//
// Sentences of package i18n in the recipient's language, once as plain text and once as a little HTML, in which every
// variable is escaped. Names come from strangers: line breaks and what else controls is taken out of them, and addresses
// are single parsed addresses or nothing is sent. The arguments of a mail are texts, numbers and times; there is no way
// to put a secret in. Its one link is that of a page, which changes nothing by being opened.
//
// A letter is a mail with a person's own words before those sentences, as text in both parts, whose answer goes to that
// person.
//
// # What lives elsewhere
//
// Who is told what and when: the room that the news is about. This room owns the tables mails and mail_pace.
package notify
