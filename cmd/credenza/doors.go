package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"

	"credenza.example/credenza/internal/config"
)

// doors are the listeners of a server.
type doors struct {
	public  net.Listener // portal, OAuth and APIs
	admin   net.Listener // for operators
	gateway net.Listener // for reverse proxies that ask about calls
}

// socketMode lets the group of a socket's directory ask, which is how a proxy under another account reaches it.
const socketMode = 0o660

// openDoors listens on every address of the settings, or on none.
func openDoors(ctx context.Context, cfg config.Config) (d doors, err error) {
	for _, one := range []struct {
		name, addr string
		into       *net.Listener
	}{
		{"CREDENZA_ADDR", cfg.Addr, &d.public},
		{"CREDENZA_ADMIN_ADDR", cfg.AdminAddr, &d.admin},
		{"CREDENZA_GATEWAY_ADDR", cfg.GatewayAddr, &d.gateway},
	} {
		if *one.into, err = openDoor(ctx, one.addr); err != nil {
			return doors{}, errors.Join(fmt.Errorf("%s: %w", one.name, err), d.close())
		}
	}
	return d, nil
}

// openDoor listens on host:port, or on a socket for unix:PATH.
func openDoor(ctx context.Context, addr string) (net.Listener, error) {
	var listen net.ListenConfig
	path, socket := strings.CutPrefix(addr, "unix:")
	if !socket {
		return listen.Listen(ctx, "tcp", addr)
	}
	if err := removeDeadSocket(ctx, path); err != nil {
		return nil, err
	}
	l, err := listen.Listen(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, socketMode); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// removeDeadSocket removes a socket that a process left when it was killed. One that somebody answers on stays, and so
// does whatever is no socket: listening then fails.
func removeDeadSocket(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode()&fs.ModeSocket == 0:
		return nil
	}
	var dial net.Dialer
	conn, err := dial.DialContext(ctx, "unix", path)
	if err == nil {
		return conn.Close()
	}
	return os.Remove(path)
}

func (d doors) close() error {
	var errs []error
	for _, l := range []net.Listener{d.public, d.admin, d.gateway} {
		if l != nil {
			errs = append(errs, l.Close())
		}
	}
	return errors.Join(errs...)
}
