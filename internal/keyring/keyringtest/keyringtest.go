// Package keyringtest spares tests the search for primes: a ring of a test gets RSA keys that are whole and fit for
// their algorithm, but made of few primes, and so worth nothing. How rings are made is the affair of package keyring;
// nothing outside tests imports this one.
package keyringtest

import (
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"sync"

	"credenza.example/credenza/internal/keyring"
)

const (
	bits     = 3072
	exponent = 65537
)

// RSA returns an option by which a ring gets RSA keys quickly. Rings that share one option never get the same key, as it
// must be on one database; two options give the same keys.
func RSA() keyring.Option { return keyring.WithRSA(Generator()) }

// Generator returns the function behind RSA.
func Generator() func() (*rsa.PrivateKey, error) {
	var mu sync.Mutex
	low, high := 0, 1
	return func() (*rsa.PrivateKey, error) {
		mu.Lock()
		defer mu.Unlock()
		key, err := pair(low, high)
		if low++; low == high {
			low, high = 0, high+1
		}
		return key, err
	}
}

// primes are those found so far in this process, each of half the size.
type primes struct {
	mu    sync.Mutex
	found []*big.Int
}

var shared primes

// at returns the prime number i, looking for more when there are too few.
func (p *primes) at(i int) (*big.Int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.found) <= i {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			return nil, err
		}
		p.found = append(p.found, key.Primes...)
	}
	return p.found[i], nil
}

// pair makes the key of two primes.
func pair(i, j int) (*rsa.PrivateKey, error) {
	p, err := shared.at(i)
	if err != nil {
		return nil, err
	}
	q, err := shared.at(j)
	if err != nil {
		return nil, err
	}
	one := big.NewInt(1)
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: exponent},
		D:         new(big.Int).ModInverse(big.NewInt(exponent), phi),
		Primes:    []*big.Int{p, q},
	}
	key.Precompute()
	return key, key.Validate()
}
