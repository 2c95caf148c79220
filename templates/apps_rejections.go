package templates

import (
	"context"
	"slices"
	"time"

	"github.com/a-h/templ"

	"credenza.example/credenza/internal/i18n"
)

// AppRejections is the section "Recent rejections" of an app's page: why its requests were refused (ui.md §4.3).
type AppRejections struct {
	Rows        []AppRejection // the last first
	AllHref     string         // "" when there are no more
	TestHref    string
	UnknownHref string // client IDs that nobody registered
}

// AppRejection is what was refused alike on a day from one network.
type AppRejection struct {
	Why     Why
	Network string // as CIDR, or "unknown", or "other"
	Times   int64
	FirstAt time.Time
	LastAt  time.Time
}

// AppRejectionsView is the page /apps/{id}/rejections.
type AppRejectionsView struct {
	Frame    Frame
	Head     AppHead
	List     AppRejections
	TestHref string
	Pager    Pager
}

// UnknownClients is the page of client IDs with the organisation's prefix that nobody registered.
type UnknownClients struct {
	Frame  Frame
	Prefix string // "CCWACME_"
	Now    time.Time
	Rows   []UnknownClient // the last first
	Pager  Pager
}

// UnknownClient is one of them. Near names the app that may be meant, Was a deleted one that it belonged to.
type UnknownClient struct {
	ClientID string
	NearName string
	NearID   string
	NearHref string
	Was      string
	Network  string
	Times    int64
	FirstAt  time.Time
	LastAt   time.Time
}

// Why is the reason of a refusal, with what makes it plain: the ending of the secret, the scope, or the code of a fault.
type Why struct {
	Code        string
	Detail      string // code, of malformed and target
	Hint        string // ending of the secret, "" where it is not known
	Scope       string // "" where none may be shown
	Near        string // the scope that may be meant
	Introspects string // as in AppHead
}

// reasons are the codes that have sentences of their own; faults those of malformed and target.
func reasons() []string {
	return []string{
		"no_credentials", "no_secret", "limited", "grant", "wrong_secret", "retired", "expired", "leaked", "app_inactive",
		"organisation_inactive", "api_user_inactive", "scope_not_held", "scope_unknown", "not_a_caller", "token_foreign",
	}
}

func faults() []string {
	return []string{
		"method", "content_encoding", "content_type", "too_large", "too_many_parameters", "malformed", "credential_in_address",
		"repeated_parameter", "two_methods", "two_clients", "token_missing", "scope_malformed", "scope_of_two_apis",
		"scope_of_other_api", "scope_none", "scope_ambiguous", "target_malformed", "target_unknown", "target_two", "expires_in",
	}
}

// sentence says what happened.
func (w Why) sentence() templ.Component {
	switch {
	case slices.Contains(faults(), w.Detail):
		return Rich("apps.rejected.fault." + w.Detail)
	case !slices.Contains(reasons(), w.Code):
		return Rich("apps.rejected.other", "Code", Code(w.Code))
	case w.Hint != "":
		return Rich("apps.rejected."+w.Code+"_hint", "Hint", Code(ending(w.Hint)))
	case w.Near != "":
		return Rich("apps.rejected.scope_near", "Scope", Code(w.Scope), "Near", Code(w.Near))
	case w.Scope != "":
		return Rich("apps.rejected."+w.Code+"_name", "Scope", Code(w.Scope))
	default:
		return Rich("apps.rejected." + w.Code)
	}
}

// advice says what to do about it, "" where the sentence says it all.
func (w Why) advice(ctx context.Context) string {
	switch w.Code {
	case "malformed", "target", "grant":
		return i18n.T(ctx, "apps.rejected.request_do")
	case "retired", "expired", "leaked":
		return i18n.T(ctx, "apps.rejected.ended_do")
	case "no_credentials", "no_secret", "wrong_secret":
		return i18n.T(ctx, "apps.rejected.secret_do")
	case "scope_not_held":
		return i18n.T(ctx, "apps.rejected.scope_do")
	case "scope_unknown", "limited", "app_inactive", "organisation_inactive", "api_user_inactive", "not_a_caller", "token_foreign":
		return i18n.T(ctx, "apps.rejected."+w.Code+"_do")
	default:
		return ""
	}
}
