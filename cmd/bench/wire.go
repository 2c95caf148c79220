package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// wire is one connection to a server, which sends requests that were written before and is opened again when the
// server closed it. It costs less than net/http's client, so that the load takes little from the server it loads.
type wire struct {
	server string        // host:port
	from   string        // IP address to come from; empty for any
	late   time.Duration // how long after its head the body of a request is sent
	conn   net.Conn
	reader *bufio.Reader
}

// reply is an answer as far as it is looked at.
type reply struct {
	status     int
	retryAfter string
	length     int64 // of the body
}

// ask sends a request and reads the answer, within the time.
func (w *wire) ask(ctx context.Context, request []byte, within time.Duration) (reply, error) {
	fresh := w.conn == nil
	answer, err := w.once(ctx, request, within)
	if err != nil && !fresh && closedIdle(err) { // the server closed the connection between two requests, as it may
		answer, err = w.once(ctx, request, within)
	}
	return answer, err
}

// closedIdle reports whether an error is that of a connection which the server had closed before it got the request.
func closedIdle(err error) bool {
	var none noAnswerError
	return errors.As(err, &none)
}

// noAnswerError is the error of a connection that ended before the first byte of an answer.
type noAnswerError struct{ cause error }

func (e noAnswerError) Error() string { return "no answer: " + e.cause.Error() }
func (e noAnswerError) Unwrap() error { return e.cause }

func (w *wire) once(ctx context.Context, request []byte, within time.Duration) (reply, error) {
	deadline := time.Now().Add(within)
	if err := w.open(ctx, deadline); err != nil {
		return reply{}, err
	}
	if err := w.conn.SetDeadline(deadline); err != nil {
		w.close()
		return reply{}, err
	}
	if err := w.send(request); err != nil {
		w.close()
		return reply{}, noAnswerError{err}
	}
	answer, closing, err := readReply(w.reader)
	if err != nil || closing {
		w.close()
	}
	return answer, err
}

// send sends a request, its body later than its head if the wire is one that is late.
func (w *wire) send(request []byte) error {
	if end := bytes.Index(request, []byte("\r\n\r\n")) + 4; w.late > 0 {
		if _, err := w.conn.Write(request[:end]); err != nil {
			return err
		}
		time.Sleep(w.late)
		request = request[end:]
	}
	_, err := w.conn.Write(request)
	return err
}

func (w *wire) open(ctx context.Context, deadline time.Time) error {
	if w.conn != nil {
		return nil
	}
	conn, err := dial(ctx, w.server, w.from, deadline)
	if err != nil {
		return err
	}
	w.conn = conn
	if w.reader == nil {
		w.reader = bufio.NewReaderSize(conn, 4<<10)
	}
	w.reader.Reset(conn)
	return nil
}

// dial connects to a server until the deadline, from an address if that is not empty. The deadline holds for everything
// that is done with the connection.
func dial(ctx context.Context, server, from string, deadline time.Time) (net.Conn, error) {
	dialer := net.Dialer{Deadline: deadline}
	if from != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	conn, err := dialer.DialContext(ctx, "tcp", server)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return conn, conn.SetDeadline(deadline)
}

func (w *wire) close() {
	if w.conn != nil {
		_ = w.conn.Close() // what was to be read has been
		w.conn = nil
	}
}

// readReply reads one answer; closing says that the connection ends with it.
func readReply(r *bufio.Reader) (answer reply, closing bool, err error) {
	if _, err := r.Peek(1); err != nil {
		return reply{}, true, noAnswerError{err}
	}
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		return reply{}, true, fmt.Errorf("answer: %w", err)
	}
	n, err := io.Copy(io.Discard, response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return reply{}, true, fmt.Errorf("answer: %w", err)
	}
	return reply{response.StatusCode, response.Header.Get("Retry-After"), n}, response.Close, nil
}

// tokenRequest is a request for a token as clients send it: Basic, a form, and what HTTP libraries add.
func tokenRequest(host, id, secret string) []byte {
	return postRequest(host, credentialHeader(id, secret))
}

// credentialHeader is the Authorization header of a client (RFC 6749 §2.3.1).
func credentialHeader(id, secret string) string {
	credential := base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id) + ":" + url.QueryEscape(secret)))
	return "Authorization: Basic " + credential
}

const formType = "Content-Type: application/x-www-form-urlencoded"

// postRequest asks the token endpoint for a token.
func postRequest(host string, headers ...string) []byte {
	text := tokenHead(host, append(headers, formType, fmt.Sprintf("Content-Length: %d", len(form)))...)
	return append(text, form...)
}

// tokenHead is the head of a request to the token endpoint.
func tokenHead(host string, headers ...string) []byte {
	lines := append([]string{
		"POST /oauth2/token HTTP/1.1", "Host: " + host, "User-Agent: bench/1.0", "Accept: application/json", "Accept-Encoding: gzip",
	}, headers...)
	return []byte(strings.Join(lines, "\r\n") + "\r\n\r\n")
}
