package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

const (
	floodConnections = 64
	// fastEnough is how long a good client may wait for a token in a flood, 99 times of 100 (P3, F9).
	fastEnough = 250 // ms
)

// allowed are the only statuses that a token endpoint may answer wrong requests with.
var allowed = []int{
	http.StatusOK, http.StatusBadRequest, http.StatusUnauthorized, http.StatusRequestEntityTooLarge,
	http.StatusTooManyRequests, http.StatusServiceUnavailable,
}

// trial is a flood beside good clients.
type trial struct {
	good   *seen         // the good clients, before, during and after
	flood  *seen         // what the others got
	from   time.Duration // of the good clients' time: when the flood began
	to     time.Duration // and when it had ended
	memory int64         // most that the server held
	before int64         // memory before
	bcrypt int           // computations during the flood
}

// inFlood are the times of the good clients' requests that were due while the flood went on.
func (t *trial) inFlood() []int64 {
	var list []int64
	for i, at := range t.good.At {
		if d := time.Duration(at) * time.Microsecond; t.from <= d && d <= t.to {
			list = append(list, t.good.Latency[i])
		}
	}
	return list
}

// p99 is that of the good clients in the flood.
func (t *trial) p99() float64 { return float64(quantile(t.inFlood(), 0.99)) / 1000 }

// try runs a flood beside the good clients, who ask for a token every 10 ms each, from processes of their own: for a
// quiet time before the flood and one after it, too.
func (w *world) try(ctx context.Context, s *server, clients crowd, quiet time.Duration, flood func(context.Context) (*seen, error)) (*trial, error) {
	if err := w.warm(ctx, s.host); err != nil {
		return nil, err
	}
	counted, err1 := s.metrics(ctx)
	held, err2 := s.memory()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	t := &trial{before: held}
	watching, stopWatching := context.WithCancel(ctx)
	defer stopWatching()
	memory := make(chan int64, 1)
	go func() {
		most, _ := s.highest(watching) // a server that is gone is found by everybody else
		memory <- most
	}()
	good := make(chan error, 1)
	stop := make(chan struct{})
	go func() {
		var err error
		t.good, err = clients.until(ctx, stop)
		good <- err
	}()
	if err := pause(ctx, quiet+startTime); err != nil {
		return nil, err
	}
	began := time.Now()
	var floodErr error
	t.flood, floodErr = flood(ctx)
	ended := time.Now()
	err := errors.Join(floodErr, pause(ctx, quiet))
	close(stop)
	if err = errors.Join(err, <-good); err != nil {
		return nil, err
	}
	stopWatching()
	t.memory = <-memory
	t.from, t.to = began.Sub(t.good.Began), ended.Sub(t.good.Began)
	after, err := s.metrics(ctx)
	t.bcrypt = after.bcrypts() - counted.bcrypts()
	return t, err
}

// startTime is how long a process needs to begin.
const startTime = 200 * time.Millisecond

// goodClients are those who must not notice a flood.
func (w *world) goodClients(host string) crowd {
	return crowd{
		Server: host, Connections: goodClients, Requests: w.requests(host), Every: 10 * time.Millisecond, Within: patience,
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// wrongSecrets is P3.
func wrongSecrets(ctx context.Context, b *bench) ([]figure, error) {
	w, err := b.tokenWorld(ctx)
	if err != nil {
		return nil, err
	}
	s, err := w.serve(ctx)
	if err != nil {
		return nil, err
	}
	defer b.stop(s)
	kinds, err := w.wrongKinds(s.host)
	if err != nil {
		return nil, err
	}
	var requests [][]byte
	for n := range kinds[0].requests {
		for _, k := range kinds {
			requests = append(requests, k.requests[n])
		}
	}
	quiet, length := 3*time.Second, 10*time.Second
	if b.brief {
		quiet, length = time.Second, 3*time.Second
	}
	t, err := w.try(ctx, s, w.goodClients(s.host), quiet, crowd{
		Server: s.host, Connections: floodConnections, Requests: requests, For: length, Within: patience,
	}.apart)
	if err != nil {
		return nil, err
	}
	b.report.Series = append(b.report.Series, t.series(wrongFlood)...)
	return []figure{
		t.speed("P3", "good clients' p99 beside 64 connections of wrong secrets"),
		{Line: "P3", What: "bcrypts that the wrong secrets cost", Value: float64(t.bcrypt), exact: true},
		{
			Line: "P3", What: "answers other than 200, 401, 429, 503", exact: true,
			Value: float64(t.flood.except(200, 401, 429, 503) + t.flood.lost()), Note: t.flood.String(),
		},
		t.unharmed("P3"),
	}, nil
}

// speed is the figure of the good clients' time.
func (t *trial) speed(line, what string) figure {
	return figure{
		Line: line, What: what, Value: t.p99(), Unit: "ms", Budget: fastEnough,
		Note: fmt.Sprintf("p50 %.1f ms; %d requests", float64(median(t.inFlood()))/1000, len(t.inFlood())),
	}
}

// unharmed is the figure of the good clients' answers: all are to be tokens.
func (t *trial) unharmed(line string) figure {
	return figure{
		Line: line, What: "good clients' requests without a token", Value: float64(t.good.Sent - t.good.Answers[http.StatusOK]), exact: true,
		Note: t.good.String(),
	}
}

// series are the good clients' times by quarters of a second, for the plot.
func (t *trial) series(name string) []series {
	const step = 250 * time.Millisecond
	by := map[int][]int64{}
	last := 0
	for i, at := range t.good.At {
		k := int(time.Duration(at) * time.Microsecond / step)
		by[k] = append(by[k], t.good.Latency[i])
		last = max(last, k)
	}
	p50, p99 := series{Name: name + floodP50}, series{Name: name + floodP99}
	for k := range last + 1 {
		x := (time.Duration(k) * step).Seconds()
		p50.X, p99.X = append(p50.X, x), append(p99.X, x)
		p50.Y = append(p50.Y, float64(median(by[k]))/1000)
		p99.Y = append(p99.Y, float64(quantile(by[k], 0.99))/1000)
	}
	return []series{p50, p99, {Name: name + floodTime, Y: []float64{t.from.Seconds(), t.to.Seconds()}}}
}
