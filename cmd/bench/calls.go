package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"credenza.example/credenza/web/bare"
)

// calls is P5: what it costs to judge a token at introspection and at the check of a call, of what verifying the same
// token costs the bare handler; a token that was never shown before, and the same ones again.
func calls(ctx context.Context, b *bench) ([]figure, error) {
	w, err := b.tokenWorld(ctx)
	if err != nil {
		return nil, err
	}
	s, err := w.serve(ctx)
	if err != nil {
		return nil, err
	}
	defer b.stop(s)
	base, err := w.serveBare(s.url())
	if err != nil {
		return nil, err
	}
	defer b.stop(base)
	if err := w.warm(ctx, s.host); err != nil {
		return nil, err
	}
	rounds, n := 6, 4_000
	if b.brief {
		rounds, n = 4, 1_500
	}
	m := newJudging(w, s, base)
	for round := range rounds + 1 {
		if err := m.round(ctx, n, round > 0); err != nil { // the first warms up
			return nil, err
		}
	}
	return m.figures(), nil
}

// judging is what judging tokens took, a value for each round: the CPU time of one, of the server's process.
type judging struct {
	w          *world
	ours, base *server
	took       map[string][]time.Duration
}

// The names of what is compared: P5 has a line for each of the product's, fresh and seen.
const (
	checkCall  = "call check"
	introspect = "introspection"
	bareVerify = "bare handler"
)

func newJudging(w *world, ours, base *server) *judging {
	return &judging{w: w, ours: ours, base: base, took: map[string][]time.Duration{}}
}

// round has tokens made, and judged by turns.
func (j *judging) round(ctx context.Context, n int, counts bool) error {
	for _, what := range []string{checkCall, introspect} {
		tokens, err := j.w.mint(ctx, j.ours.host, n)
		if err != nil {
			return err
		}
		for _, one := range []struct {
			name    string
			server  *server
			host    string
			request func(host, token string) []byte
		}{
			{bareVerify, j.base, j.base.host, verifyRequest},
			{what + ", fresh", j.ours, j.host(what), j.request(what)},
			{what + ", seen", j.ours, j.host(what), j.request(what)},
		} {
			took, err := judge(ctx, one.server, one.host, requestsFor(tokens, one.host, one.request))
			if err != nil {
				return fmt.Errorf("%s: %w", one.name, err)
			}
			if counts {
				j.took[one.name] = append(j.took[one.name], took)
			}
		}
	}
	return nil
}

func (j *judging) host(what string) string {
	if what == checkCall {
		return j.ours.gateway
	}
	return j.ours.host
}

func (j *judging) request(what string) func(host, token string) []byte {
	if what == checkCall {
		return callRequest
	}
	first := j.w.good[0]
	return func(host, token string) []byte { return introspectRequest(host, token, first) }
}

// figures are the medians; each is compared with the median of the bare handler, which ran between.
func (j *judging) figures() []figure {
	bareTook := median(j.took[bareVerify])
	var list []figure
	for _, what := range []string{checkCall, introspect} {
		for _, one := range []struct {
			state  string
			budget float64
		}{{"fresh", 1.25}, {"seen", 0.35}} {
			took := median(j.took[what+", "+one.state])
			list = append(list, figure{
				Line: "P5", What: what + " of a " + one.state + " token, of the bare handler's CPU", Value: float64(took) / float64(bareTook),
				Unit: "×", Budget: one.budget, Note: fmt.Sprintf("%d and %d µs", took.Microseconds(), bareTook.Microseconds()),
			})
		}
	}
	return list
}

// judge sends each request once over 8 connections and returns the CPU time of one.
func judge(ctx context.Context, s *server, host string, requests [][]byte) (time.Duration, error) {
	before, err1 := s.cpu()
	load := crowd{Server: host, Connections: 8, Requests: requests, Total: len(requests), Within: patience, Once: true}.run(ctx)
	after, err2 := s.cpu()
	if err := errors.Join(err1, err2, ctx.Err()); err != nil {
		return 0, err
	}
	if load.Answers[http.StatusOK] != len(requests) {
		return 0, fmt.Errorf("of %d tokens came back: %v", len(requests), load)
	}
	return per(after-before, len(requests)), nil
}

// mint has the first good client get tokens.
func (w *world) mint(ctx context.Context, host string, n int) ([]string, error) {
	const workers = 4
	tokens := make([]string, n)
	failed := make([]error, workers)
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			client := &http.Client{Timeout: patience, Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for i := worker; i < n && failed[worker] == nil; i += workers {
				tokens[i], failed[worker] = w.token(ctx, client, host)
			}
		})
	}
	group.Wait()
	return tokens, errors.Join(failed...)
}

func (w *world) token(ctx context.Context, client *http.Client, host string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+host+"/oauth2/token", strings.NewReader(form))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(url.QueryEscape(w.good[0].ID), url.QueryEscape(w.good[0].Secret))
	answer, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	var body struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil || body.Token == "" {
		return "", fmt.Errorf("no token: %s, %w", answer.Status, err)
	}
	return body.Token, nil
}

func requestsFor(tokens []string, host string, request func(host, token string) []byte) [][]byte {
	list := make([][]byte, len(tokens))
	for i, token := range tokens {
		list[i] = request(host, token)
	}
	return list
}

func verifyRequest(host, token string) []byte {
	return bearerRequest(bare.PathVerify, host, token)
}

// callRequest is what nginx asks about a call.
func callRequest(host, token string) []byte {
	return bearerRequest("/gateway/coupa-core/nginx", host, token, "X-Original-Method: GET", "X-Original-URI: /api/invoices/17")
}

func bearerRequest(path, host, token string, headers ...string) []byte {
	lines := append([]string{
		"GET " + path + " HTTP/1.1", "Host: " + host, "User-Agent: bench/1.0", "Accept: application/json", "Authorization: Bearer " + token,
	}, headers...)
	return []byte(strings.Join(lines, "\r\n") + "\r\n\r\n")
}

func introspectRequest(host, token string, as account) []byte {
	body := "token=" + token
	return []byte(strings.Join([]string{
		"POST /oauth2/introspect HTTP/1.1", "Host: " + host, "User-Agent: bench/1.0", "Accept: application/json",
		credentialHeader(as.ID, as.Secret), formType, fmt.Sprintf("Content-Length: %d", len(body)), "", body,
	}, "\r\n"))
}
