package main

import (
	"crypto/rand"
	"hash/crc32"

	"credenza.example/credenza/internal/secret"
)

// kind is one way of being wrong at the token endpoint.
type kind struct {
	name     string
	requests [][]byte
}

// digits are those of base62 as secrets are written in.
const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// wrongKinds are requests of every kind that is to be refused without bcrypt, with some of each.
func (w *world) wrongKinds(host string) ([]kind, error) {
	const some = 32
	foreign, err := secret.NewKeys([]secret.TagKey{{ID: '0', State: secret.Signing, Key: []byte(rand.Text() + rand.Text())}})
	if err != nil {
		return nil, err
	}
	kinds := []kind{{name: "random text"}, {name: "right shape"}, {name: "tag of another slot"}, {name: "retired secret"}, {
		name: "another client's secret",
	}, {name: "unknown client"}}
	add := func(k int, id, text string) {
		kinds[k].requests = append(kinds[k].requests, tokenRequest(host, id, text))
	}
	for n := range some {
		a := w.good[n%len(w.good)]
		made, err := foreign.Make(a.ID, int64(n))
		if err != nil {
			return nil, err
		}
		old := w.retired[n%len(w.retired)]
		add(0, a.ID, secret.Prefix+rand.Text()+rand.Text()+rand.Text()[:10])
		add(1, a.ID, made.Secret.Reveal())
		add(2, a.ID, inSlot(a.Secret, digits[n+10]))
		add(3, old.ID, old.Secret)
		add(4, w.good[(n+1)%len(w.good)].ID, a.Secret)
		add(5, "CCWACME_"+rand.Text()[:20], made.Secret.Reveal())
	}
	return kinds, nil
}

// inSlot is a secret with another slot and a checksum that is right again (security.md §6.2): the tag, which covers the
// slot, no longer is.
func inSlot(text string, slot byte) string {
	const atSlot, checksumDigits = 6, 6
	b := []byte(text)
	b[atSlot] = slot
	sum := crc32.ChecksumIEEE(b[:len(b)-checksumDigits])
	for i := range checksumDigits {
		b[len(b)-1-i] = digits[sum%62]
		sum /= 62
	}
	return string(b)
}
