package templates

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"credenza.example/credenza/internal/i18n"
)

// AppConfirm asks before an act on an app: activate, deactivate, delete, retire, restore. AppConfirmPage draws it as a page,
// AppConfirmFragment the same panel for the dialog (header X-Fragment: dialog).
//
// The fields it sends: version, for delete confirm_name, and back where there is a list to go back to.
type AppConfirm struct {
	Frame       Frame
	Act         string // activate, deactivate, delete, retire
	Action      string
	CancelHref  string
	Back        string // the filtered list that the act leads back to; "" leads to the app
	Version     int64
	AppName     string
	Introspects string // title of the API whose tokens it introspects; "" for an app that calls APIs
	Errors      FieldErrors
	TypedName   string // delete: as typed

	Recipient string // withdraw: whom the link is for

	// Retire, restore: the secret concerned.
	Label  string
	Hint   string
	EndsAt time.Time // when it would end by itself, once restored; zero: never
	Unused bool

	// Refusal says why the act cannot be done now: "" or last_secret (retire), active (delete), restore with the reason
	// as RefusalText. Then no button is drawn, and InsteadHref leads to what helps: the deactivate page.
	Refusal     string
	RefusalText string
	InsteadHref string
	RotateHref  string // retire of the last secret, restore: the page to make another
}

func (v AppConfirm) page(ctx context.Context) Page {
	p := v.Frame.appPage(ctx, v.title(ctx), v.AppName, v.CancelHref)
	p.Error = len(v.Errors) > 0
	return p
}

func (v AppConfirm) title(ctx context.Context) string {
	return i18n.T(ctx, "apps.confirm."+v.Act+"_title", "App", v.AppName, "Secret", secretName(ctx, v.Label, v.Hint), "Recipient", v.Recipient)
}

// confirm is the question: what will happen, what will not, and a button that names verb and object.
func (v AppConfirm) confirm(ctx context.Context) Confirm {
	kind := "danger"
	if v.Act == "activate" || v.Act == "restore" {
		kind = "primary"
	}
	return Confirm{
		Title:  v.title(ctx),
		Text:   v.text(ctx),
		Post:   v.Action,
		Hidden: v.hidden(),
		Button: Action{Label: v.title(ctx), Kind: kind},
		Cancel: cmp.Or(v.Back, v.CancelHref),
		Errors: v.Errors,
	}
}

func (v AppConfirm) hidden() []Hidden {
	list := []Hidden{{Name: "version", Value: strconv.FormatInt(v.Version, 10)}}
	if v.Back != "" {
		list = append(list, Hidden{Name: "back", Value: v.Back})
	}
	return list
}

func (v AppConfirm) text(ctx context.Context) []string {
	key := "apps.confirm." + v.Act + "_text"
	of := func(key string) string { return ofKind(key, v.Introspects) }
	switch {
	case v.Act == "withdraw", v.Act == "restore" && v.EndsAt.IsZero():
		return []string{i18n.T(ctx, key)}
	case v.Act == "restore":
		return []string{i18n.T(ctx, key), i18n.T(ctx, key+"_ends", "At", v.EndsAt)}
	case v.Act == "delete":
		return []string{i18n.T(ctx, of(key)), i18n.T(ctx, of(key+"2"))}
	case v.Act != "retire" || !v.Unused && v.EndsAt.IsZero():
		return []string{i18n.T(ctx, of(key)), i18n.T(ctx, of(key+"2"))}
	case v.Unused:
		return []string{i18n.T(ctx, of(key+"_unused")), i18n.T(ctx, of(key+"2"))}
	default:
		return []string{i18n.T(ctx, of(key+"_ends"), "At", v.EndsAt), i18n.T(ctx, of(key+"2"))}
	}
}

// refusalText says why the act cannot be done now.
func (v AppConfirm) refusalText(ctx context.Context) string {
	if v.RefusalText != "" {
		return v.RefusalText
	}
	return i18n.T(ctx, ofKind("apps.refused."+v.Refusal, v.Introspects))
}
