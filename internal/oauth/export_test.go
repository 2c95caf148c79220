package oauth

import (
	"net/http"

	"credenza.example/credenza/internal/registry"
)

// AnError is one line of the table of answers.
type AnError struct {
	Reason string
	Status int
	Body   any
}

// AllErrors returns every answer that the table holds, with a detail from outside where there is room for one.
func AllErrors(detail string) []AnError {
	var all []AnError
	for r, a := range answers {
		all = append(all, AnError{Reason: string(r), Status: a.status, Body: refuseFor(r, detail).body()})
	}
	return all
}

// WriteError answers with an error as the endpoints do.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	writeRefusal(w, r, refusalOf(err))
}

// Presented returns what readClient found, as it might be logged by mistake.
func Presented(r *http.Request) any {
	p, _ := readClient(r, form{})
	return p
}

// Network is how an address is logged.
func Network(address string) string { return registry.NetworkOf(addr(address)).String() }
