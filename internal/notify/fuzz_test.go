package notify_test

import (
	"bytes"
	"maps"
	"net/mail"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credenza.example/credenza/internal/i18n"
	"credenza.example/credenza/internal/notify"
)

// FuzzMail: whatever a stranger writes into names and addresses, a mail has its own headers, goes to one address, that
// which was given, and has two parts; or there is none.
func FuzzMail(f *testing.F) {
	messages, err := i18n.Load()
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][3]string{
		{"Jo Weber", "jo.weber@acme.example", "SAP spend export"},
		{"Jo\r\nBcc: thief@evil.example", "jo@acme.example", "App\r\n\r\nBody"},
		{`", <thief@evil.example>, "`, "jo@acme.example,thief@evil.example", "=?utf-8?q?=0D=0ABcc:?="},
		{"王芳", "王芳@例え.example", "\u202eexe.\u2028"},
		{"\xff\xfe", "\"a b\"@acme.example", "\x00<script>"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	headers := []string{
		"Auto-Submitted", "Content-Language", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To",
		"X-Auto-Response-Suppress",
	}
	f.Fuzz(func(t *testing.T, name, address, app string) {
		m := message("")
		m.To = notify.Address{Name: name, Email: address}
		m.Args["App"] = app
		raw, err := notify.Composed(t.Context(), messages, m)
		if err != nil {
			return // no address
		}
		read, err := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			t.Fatalf("no mail: %v\n%s", err, raw)
		}
		if diff := cmp.Diff(headers, slices.Sorted(maps.Keys(read.Header))); diff != "" {
			t.Errorf("headers (-want +got):\n%s", diff)
		}
		to, err := read.Header.AddressList("To")
		if err != nil || len(to) != 1 || to[0].Address != address {
			t.Errorf("%q becomes %v: %v\n%s", address, to, err, raw)
		}
		for _, header := range headers {
			if len(read.Header[header]) != 1 {
				t.Errorf("%s stands there %d times", header, len(read.Header[header]))
			}
		}
		parts(t, read)
	})
}
