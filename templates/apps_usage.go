package templates

import (
	"context"
	"time"

	"github.com/a-h/templ"

	"credenza.example/credenza/internal/i18n"
)

// AppUse is the panel "Use" of the detail page: who still uses which secret (product.md decision 18).
type AppUse struct {
	LastUsedAt time.Time // of the app; zero: never
	Secrets    []SecretUse
}

// SecretUse is the use of one secret that works or was used in the last 7 days.
type SecretUse struct {
	Label    string
	Hint     string
	Day      int64 // uses in the last 24 hours
	Week     int64 // uses in the last 7 days
	Networks []NetworkUse
	Over     bool // it no longer works
}

// NetworkUse is the use of a secret from one network in the last 7 days, the most used first.
type NetworkUse struct {
	Network string // as CIDR, or "unknown", or "other"
	Week    int64
}

// fewNetworks is how many networks are shown without opening the rest.
const fewNetworks = 4

// networks splits the networks into those that are shown and the rest. One alone is not worth a fold.
func (s SecretUse) networks() (shown, rest []NetworkUse) {
	if len(s.Networks) <= fewNetworks+1 {
		return s.Networks, nil
	}
	return s.Networks[:fewNetworks], s.Networks[fewNetworks:]
}

// name is what a network is called: its address as code, or words.
func (n NetworkUse) name(ctx context.Context) templ.Component {
	switch n.Network {
	case "unknown", "other":
		return plainText(i18n.T(ctx, "apps.use.network."+n.Network))
	default:
		return Code(n.Network)
	}
}

// kind is the colour of the strip: amber when something is about to break, green when nothing can.
func (r AppRotation) kind() string {
	switch r.Step {
	case "late":
		return KindWarn
	case "silent":
		return KindOK
	default:
		return KindInfo
	}
}

// step is the sentence of the rotation strip that tells how far the change is (ui.md §4.5).
func (r AppRotation) step(ctx context.Context) templ.Component {
	from := plainText("")
	if len(r.OldNetworks) > 0 {
		from = NetworkUse{Network: r.OldNetworks[0]}.name(ctx)
	}
	at, old := TimeTag(r.OldUsedAt), Code(ending(r.OldHint))
	switch {
	case r.Step == "late" && len(r.OldNetworks) == 1:
		return Rich("apps.rotation.late", "N", int(r.OldDay), "Old", old, "At", TimeTag(r.OldEnds), "Network", from)
	case r.Step == "late":
		return Rich("apps.rotation.late_networks", "N", int(r.OldDay), "Old", old, "At", TimeTag(r.OldEnds),
			"Networks", i18n.Number(ctx, int64(len(r.OldNetworks))))
	case r.Step == "waiting":
		return Rich("apps.rotation.waiting", "New", Code(ending(r.NewHint)))
	case r.Step == "silent" && happened(r.OldUsedAt):
		return Rich("apps.rotation.silent", "Old", old, "At", at)
	case r.Step == "silent":
		return Rich("apps.rotation.silent_never", "Old", old)
	case len(r.OldNetworks) == 1:
		return Rich("apps.rotation.both", "N", int(r.OldDay), "Old", old, "Network", from)
	default:
		return Rich("apps.rotation.both_networks", "N", int(r.OldDay), "Old", old, "Networks", i18n.Number(ctx, int64(len(r.OldNetworks))))
	}
}
