package signin

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"time"

	"credenza.example/credenza/internal/database"
	"credenza.example/credenza/internal/identity"
	"credenza.example/credenza/internal/limit"
	"credenza.example/credenza/internal/problem"
)

// How long wrong passwords make whom wait (C48). A person mistypes a few times for nothing; a program that guesses soon
// gets one try in a quarter of an hour per account, and in five minutes per network.
const (
	freeAccount    = 5
	freeNetwork    = 30
	firstWait      = time.Second
	accountCeiling = 15 * time.Minute
	networkCeiling = 5 * time.Minute
	forgetAccount  = 24 * time.Hour
	forgetNetwork  = time.Hour
	maxKeys        = 50_000
	maxDevices     = 10_000
)

// delays are the three counters of failed attempts. A device that somebody signed in with before has a counter of its
// own, so that strangers who fail in the owner's name, or from the owner's network, do not lock the owner out.
type delays struct {
	accounts, devices, networks *limit.Delay
	trips                       *limit.Limiter
}

func newDelays(clock func() time.Time) (*delays, error) {
	account := limit.DelayConfig{
		Free: freeAccount, First: firstWait, Ceiling: accountCeiling, Forget: forgetAccount, Max: maxKeys, Clock: clock,
	}
	device, network := account, account
	device.Max = maxDevices
	network.Free, network.Ceiling, network.Forget = freeNetwork, networkCeiling, forgetNetwork
	d := &delays{}
	var err error
	if d.accounts, err = limit.NewDelay(account); err != nil {
		return nil, err
	}
	if d.devices, err = limit.NewDelay(device); err != nil {
		return nil, err
	}
	if d.networks, err = limit.NewDelay(network); err != nil {
		return nil, err
	}
	d.trips, err = limit.New(limit.Config{Every: time.Minute, Burst: 1, Max: maxKeys, Clock: clock})
	return d, err
}

// door is what one attempt is counted under.
type door struct {
	d       *delays
	account string
	network string
	device  string // empty: not known
}

// try counts the attempt as failed until it turns out well. wait is 0 when it may be made; which names the counter that
// makes it wait otherwise.
func (o door) try() (wait time.Duration, which string) {
	if o.device != "" {
		return o.d.devices.Try(o.device), "device"
	}
	if wait := o.d.accounts.Try(o.account); wait > 0 {
		return wait, "account"
	}
	if wait := o.d.networks.Try(o.network); wait > 0 {
		o.d.accounts.Forgive(o.account)
		return wait, "network"
	}
	return 0, ""
}

// undo takes the attempt back: no password was compared.
func (o door) undo() {
	if o.device != "" {
		o.d.devices.Forgive(o.device)
		return
	}
	o.d.accounts.Forgive(o.account)
	o.d.networks.Forgive(o.network)
}

// opened forgets the failures of an account whose owner has come in. The network's other failures stay.
func (o door) opened() {
	o.d.accounts.Reset(o.account)
	if o.device != "" {
		o.d.devices.Reset(o.device)
		return
	}
	o.d.networks.Forgive(o.network)
}

// told reports whether this counter's trip is to be recorded now: once a minute.
func (o door) told(which string) bool {
	key := map[string]string{"account": o.account, "network": o.network, "device": o.device}[which]
	ok, _ := o.d.trips.Allow(which + ":" + key)
	return ok
}

// limited is the answer to an attempt that must wait. Until is the minute from which trying helps.
func limited(now time.Time, wait time.Duration) error {
	until := now.Add(wait).Add(time.Minute - 1).Truncate(time.Minute)
	p := problem.New(problem.Limited, "signin.limited", "Until", until)
	p.RetryAfter = wait
	return p
}

// The token of a known device: a number of its own, the time it was given, and a MAC over both and the account. It says
// nothing about the account and opens nothing; it only chooses the counter.
const (
	deviceNonce = 16
	deviceKnown = 180 * 24 * time.Hour
	macPurpose  = "sign-in device"
)

// DeviceToken returns the value of the cookie that marks this device as one the person signed in with.
func (s *Service) DeviceToken(person identity.Person) string {
	token := binary.BigEndian.AppendUint64(random(deviceNonce), uint64(database.Micros(s.db.Now())))
	return base64.RawURLEncoding.EncodeToString(append(token, s.deviceMAC(token, identity.Fold(person.Email))...))
}

// knownDevice returns the key of the device that a token stands for, empty when it does not belong to the account.
func (s *Service) knownDevice(value, account string) string {
	const head = deviceNonce + 8
	token, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil || len(token) <= head {
		return ""
	}
	given := database.FromMicros(int64(binary.BigEndian.Uint64(token[deviceNonce:head])))
	if !hmac.Equal(token[head:], s.deviceMAC(token[:head], account)) || s.db.Now().Sub(given) > deviceKnown {
		return ""
	}
	return string(token[:deviceNonce])
}

func (s *Service) deviceMAC(token []byte, account string) []byte {
	return s.mac(macPurpose, append(append([]byte{}, token...), account...))
}
