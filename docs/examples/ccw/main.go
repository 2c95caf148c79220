// Command ccw is a sample of an API that Credenza protects: three calls of the Coupa Contingent Workforce REST API
// (product.md §1.5) over a handful of invented people. It stands behind a reverse proxy that asks Credenza about each
// call, and believes what the proxy tells it of the caller; README.md beside it leads through.
//
// Nothing here checks a token: that is the point. An API that can be reached past its proxy must verify tokens itself.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8090", "address to listen on; port 0 takes a free one, which is printed")
	flag.Parse()
	if err := serve(*addr); err != nil {
		fmt.Fprintln(os.Stderr, "the sample API stops:", err)
		os.Exit(1)
	}
}

func serve(addr string) error {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("The sample API is at http://%s; only the proxy should call it.\n", l.Addr())
	server := &http.Server{Handler: newAPI(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second}
	return server.Serve(l)
}

// person is a candidate or a contingent worker.
type person struct {
	ID        string `json:"id"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Status    string `json:"status"`
}

// api holds each organisation's candidates. The proxy says whose call it is.
type api struct {
	mu         sync.Mutex
	candidates map[string][]person // by organisation
}

func newAPI() http.Handler {
	a := &api{candidates: make(map[string][]person)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/candidates/search", a.search)
	mux.HandleFunc("PUT /api/candidates/{id}/confirm", a.confirm)
	mux.HandleFunc("POST /api/contingent_workers", a.workers)
	return mux
}

// invented are the candidates with which every organisation begins.
func invented() []person {
	return []person{
		{"RS-CS-1", "Mara", "Lindqvist", "submitted"},
		{"RS-CS-2", "Tomás", "Okafor", "submitted"},
		{"RS-CS-3", "Yuki", "Brandt", "confirmed"},
	}
}

// of returns the candidates of the organisation that calls; a.mu is held.
func (a *api) of(r *http.Request) []person {
	org := r.Header.Get("X-Credenza-Org")
	if a.candidates[org] == nil {
		a.candidates[org] = invented()
	}
	return a.candidates[org]
}

// lookup is the body of the two lookups: at least one part of data is given.
type lookup struct {
	Meta struct {
		Limit  *int `json:"limit"`
		Offset int  `json:"offset"`
	} `json:"meta"`
	Data struct {
		LastName string `json:"last_name"`
		Status   string `json:"status"`
	} `json:"data"`
}

const (
	maxBody  = 64 << 10
	maxLimit = 50
)

func (a *api) search(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	answerLookup(w, r, a.of(r))
}

// workers are the candidates that were confirmed.
func (a *api) workers(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	answerLookup(w, r, slices.DeleteFunc(slices.Clone(a.of(r)), func(p person) bool { return p.Status != "confirmed" }))
}

func (a *api) confirm(w http.ResponseWriter, r *http.Request) {
	if !correlated(w, r) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	list := a.of(r)
	at := slices.IndexFunc(list, func(p person) bool { return p.ID == r.PathValue("id") })
	if at < 0 {
		refuse(w, http.StatusNotFound, "E4040000", "E4040001", "There is no such candidate.")
		return
	}
	list[at].Status = "confirmed"
	answer(w, http.StatusOK, map[string]string{"id": list[at].ID})
}

// answerLookup reads what is looked for and answers the part of the list that fits.
func answerLookup(w http.ResponseWriter, r *http.Request, list []person) {
	if !correlated(w, r) {
		return
	}
	asked, err := readLookup(w, r)
	if err != nil {
		refuse(w, http.StatusBadRequest, "E4000000", "E4000003", err.Error())
		return
	}
	found := slices.DeleteFunc(slices.Clone(list), func(p person) bool {
		return asked.Data.LastName != "" && !strings.EqualFold(p.LastName, asked.Data.LastName) ||
			asked.Data.Status != "" && p.Status != asked.Data.Status
	})
	total := len(found)
	found = found[min(asked.Meta.Offset, total):]
	found = found[:min(*asked.Meta.Limit, len(found))]
	answer(w, http.StatusOK, map[string]any{
		"meta": map[string]any{"total_count": total, "has_more": asked.Meta.Offset+len(found) < total},
		"data": found,
	})
}

func readLookup(w http.ResponseWriter, r *http.Request) (lookup, error) {
	var asked lookup
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&asked); err != nil {
		return asked, errors.New("the body is no lookup: meta and data are expected, as JSON")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return asked, errors.New("something follows the body")
	}
	if asked.Meta.Limit == nil {
		all := maxLimit
		asked.Meta.Limit = &all
	}
	switch {
	case *asked.Meta.Limit < 1 || *asked.Meta.Limit > maxLimit:
		return asked, fmt.Errorf("meta.limit must be from 1 to %d", maxLimit)
	case asked.Meta.Offset < 0:
		return asked, errors.New("meta.offset must not be negative")
	case asked.Data.LastName == "" && asked.Data.Status == "":
		return asked, errors.New("data must hold last_name or status")
	}
	return asked, nil
}

// correlated asks for the header that every call carries.
func correlated(w http.ResponseWriter, r *http.Request) bool {
	id := r.Header.Get("X-Correlation-Id")
	if id == "" || len(id) > 36 {
		refuse(w, http.StatusBadRequest, "E4000000", "E4000001", "The header X-Correlation-Id is missing or longer than 36 characters.")
		return false
	}
	w.Header().Set("X-Correlation-Id", id)
	return true
}

// refuse answers in the form of the CCW API.
func refuse(w http.ResponseWriter, status int, code, subCode, text string) {
	answer(w, status, map[string]any{
		"error_code": code, "error_summary": http.StatusText(status),
		"error_causes": []map[string]string{{"error_sub_code": subCode, "error_sub_code_desc": text}},
	})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a caller that left needs no answer
}
