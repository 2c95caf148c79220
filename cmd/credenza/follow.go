package main

import "context"

// followKeys hands the ring's tag keys on to those who make and judge secrets, whenever another one signs or one is no
// longer trusted, until the context ends. All other keys are asked of the ring each time; these are copied, because
// package secret knows no ring.
func (r *rooms) followKeys(ctx context.Context) {
	r.ring.Follow(ctx, func() {
		if err := r.keys.Replace(tagKeysOf(r.ring)); err != nil {
			r.log.ErrorContext(ctx, "taking changed tag keys; the known ones serve on", "error", err)
		}
	})
}
