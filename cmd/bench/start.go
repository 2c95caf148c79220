package main

import (
	"context"
	"fmt"
	"time"
)

// starts is P9: how long the server takes to be ready on a large database, and what memory it then holds.
func starts(ctx context.Context, b *bench) ([]figure, error) {
	i, err := newInstallation(b.dir, b.binary)
	if err != nil {
		return nil, err
	}
	org, err := i.organisation(ctx)
	if err != nil {
		return nil, err
	}
	apps := b.apps
	if b.brief {
		apps = min(apps, 10_000)
	}
	began := time.Now()
	if err := i.fill(ctx, newSeeder(org.ID), apps); err != nil {
		return nil, fmt.Errorf("fill a database: %w", err)
	}
	b.say("%d apps were written in %.0f s", apps, time.Since(began).Seconds())
	var times []float64
	var memory []int64
	for range 5 {
		s, err := i.serve(ctx)
		if err != nil {
			return nil, err
		}
		times = append(times, s.ready.Seconds())
		held, err := s.idle(ctx)
		b.stop(s)
		if err != nil {
			return nil, err
		}
		memory = append(memory, held)
	}
	return []figure{
		{
			Line: "P9", What: fmt.Sprintf("start to ready with %d apps", apps), Value: median(times), Unit: "s", Budget: 0.5,
			Note: fmt.Sprintf("from %.2f to %.2f s", quantile(times, 0), quantile(times, 1)),
		},
		{
			Line: "P9", What: fmt.Sprintf("memory when idle with %d apps", apps), Value: float64(median(memory)) / mebibyte,
			Unit: "MiB", Budget: 64, Note: "the process's resident memory, program and all",
		},
	}, nil
}

// idle returns the memory of a server that has had nothing to do for a while.
func (s *server) idle(ctx context.Context) (int64, error) {
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(2 * time.Second):
	}
	return s.memory()
}
