package main

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// quantile returns the smallest value that at least the share q of the values do not exceed (nearest rank): of 100
// values, 0.99 is the second largest. It is 0 for no values.
func quantile[T cmp.Ordered](values []T, q float64) T {
	if len(values) == 0 {
		var none T
		return none
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(q * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// median is the middle value; of an even number, the lower of the two in the middle.
func median[T cmp.Ordered](values []T) T { return quantile(values, 0.5) }

// milliseconds is a duration as figures show it.
func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// per is how long each of n took.
func per(d time.Duration, n int) time.Duration {
	if n == 0 {
		return 0
	}
	return d / time.Duration(n)
}

const (
	kilobyte = 1000 // page weights
	mebibyte = 1 << 20
)
