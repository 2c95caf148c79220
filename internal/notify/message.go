package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/i18n"
)

// ID names a mail.
type ID string

// State says what has become of a mail.
type State string

// The states of a mail. All but the first are final.
const (
	Queued  State = "queued"
	Kept    State = "kept"    // there is no mail server: pages show it
	Sent    State = "sent"    // a server took it
	Failed  State = "failed"  // no server took it in three days, or the address is none
	Refused State = "refused" // a server refused it for good: a bounce
)

// Address is whom a mail goes to. Name may be empty.
type Address struct {
	Name  string
	Email string
}

// Subject is what a mail is about, so that its page can show what became of the mail.
type Subject struct {
	Kind string // "app"
	ID   string
}

// Pace says how long a mail may wait where an address or an organisation gets very many.
type Pace string

// The paces. What is Urgent waits for nothing, so that whoever queues it bounds it; Usual and Slow are bounded by address
// and organisation, each on its own, so that the usual does not wait for what is slow.
const (
	Usual  Pace = ""
	Urgent Pace = "urgent"
	Slow   Pace = "slow"
)

// Message is a mail to be queued. Key chooses its sentences: mail.<Key>.subject, mail.<Key>.text and, where there is one,
// mail.<Key>.do; mail.<Key>.closing is said at the end instead of the usual. Args are their variables: string, int, int64,
// time.Time or []string, nothing else; List ([]string) stands below the sentences as a list, and More (int) is how many
// things it leaves out. Path is that of a page of the portal the mail leads to, empty for none.
//
// Words is what a person wrote, plain text in lines, before the sentences; a mail with words is a letter, whose answer goes
// to ReplyTo.
type Message struct {
	Organisation string // empty: none
	To           Address
	Language     string // empty: English
	Key          string
	Args         map[string]any
	Path         string
	About        Subject
	Fleeting     bool // forget it when it is sent or given up
	Pace         Pace // of a letter it says nothing
	Words        string
	ReplyTo      Address
}

// Mail is what may be seen of a mail.
type Mail struct {
	ID           ID
	Organisation string
	To           Address
	Key          string
	About        Subject
	State        State
	Attempts     int
	Error        string // code of the last failure, as "550 5.1.1" or "timeout"; never a server's text
	CreatedAt    time.Time
	FinishedAt   time.Time // zero while it is queued

	args map[string]any
}

// Title returns the mail's subject line in the language of the context, without the product's name.
func (m Mail) Title(ctx context.Context) string {
	return line(i18n.Text(ctx, textKey(m.Key, "subject"), m.args), maxSubject)
}

// Text returns what the mail says in the language of the context, in one or two paragraphs.
func (m Mail) Text(ctx context.Context) []string { return paragraphs(ctx, m.Key, m.args) }

// textKey is the key of a part of a mail.
func textKey(key, part string) string { return "mail." + key + "." + part }

// paragraphs returns what a mail says.
func paragraphs(ctx context.Context, key string, args map[string]any) []string {
	list := []string{line(i18n.Text(ctx, textKey(key, "text"), args), maxParagraph)}
	second := textKey(key, "do")
	if text := i18n.Text(ctx, second, args); text != second { // an unknown key answers itself
		list = append(list, line(text, maxParagraph))
	}
	return list
}

// stamp is how a time stands in stored arguments.
type stamp struct {
	Micros int64 `json:"micros"`
}

// encodeArgs writes arguments as JSON. Types that are not listed are refused: a secret has a type of its own.
func encodeArgs(args map[string]any) (string, error) {
	plain := make(map[string]any, len(args))
	for name, value := range args {
		switch v := value.(type) {
		case string:
			plain[name] = line(v, maxText)
		case []string:
			lines := make([]string, len(v))
			for i, s := range v {
				lines[i] = line(s, maxText)
			}
			plain[name] = lines
		case int, int64:
			plain[name] = v
		case time.Time:
			plain[name] = stamp{database.Micros(v)}
		default:
			return "", fmt.Errorf("notify: argument %s is a %T", name, value)
		}
	}
	text, err := json.Marshal(plain)
	return string(text), err
}

// decodeArgs is the inverse of encodeArgs.
func decodeArgs(text string) (map[string]any, error) {
	raw := map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return nil, fmt.Errorf("notify: read arguments: %w", err)
	}
	args := make(map[string]any, len(raw))
	for name, value := range raw {
		var err error
		switch value[0] {
		case '"':
			args[name], err = decode[string](value)
		case '[':
			args[name], err = decode[[]string](value)
		case '{':
			var s stamp
			s, err = decode[stamp](value)
			args[name] = database.FromMicros(s.Micros)
		default:
			args[name], err = decode[int64](value)
		}
		if err != nil {
			return nil, fmt.Errorf("notify: read argument %s: %w", name, err)
		}
	}
	return args, nil
}

func decode[T any](value json.RawMessage) (v T, err error) {
	err = json.NewDecoder(bytes.NewReader(value)).Decode(&v)
	return v, err
}
