package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// body is a kind of body that nobody should have to read to its end.
type body struct {
	name   string
	head   []string // header lines
	piece  []byte   // sent again and again
	total  int64    // bytes
	expect []int    // statuses that are right for it alone
}

const gigabyte = 1 << 30

// bodies are the kinds of F8. Those that come in chunks are sent as chunks of one piece each.
func bodies(credential string) []body {
	chunk := func(text string) []byte { return fmt.Appendf(nil, "%x\r\n%s\r\n", len(text), text) }
	long := strings.Repeat("a", 64<<10)
	parameters := []byte(strings.Repeat("a=1&", 250_000)) // a million of them in four pieces
	var bomb bytes.Buffer
	packer := gzip.NewWriter(&bomb)
	for range 64 {
		_, _ = packer.Write([]byte(long + long)) // a buffer takes everything
	}
	_ = packer.Close()
	return []body{
		{name: "1 GB in chunks", head: []string{credential, formType, "Transfer-Encoding: chunked"}, piece: chunk("scope=" + long), total: gigabyte},
		{
			name: "1 GB announced", head: []string{credential, formType, fmt.Sprintf("Content-Length: %d", gigabyte)},
			piece: []byte(long), total: gigabyte,
		},
		{
			name: "a million parameters", head: []string{credential, formType, fmt.Sprintf("Content-Length: %d", 4*len(parameters))},
			piece: parameters, total: int64(4 * len(parameters)),
		},
		{
			name: "16,000 parameters", head: []string{credential, formType, fmt.Sprintf("Content-Length: %d", 64_000)},
			piece: parameters[:64_000], total: 64_000,
		},
		{
			name:  "gzip", // refused for being packed: 415 (C11)
			head:  []string{credential, formType, "Content-Encoding: gzip", fmt.Sprintf("Content-Length: %d", bomb.Len())},
			piece: bomb.Bytes(), total: int64(bomb.Len()), expect: []int{http.StatusUnsupportedMediaType},
		},
	}
}

// flood sends bodies over 16 connections for a time, each on a connection of its own.
func (b body) flood(ctx context.Context, host string, length time.Duration) (*seen, error) {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	result := newSeen()
	var workers sync.WaitGroup
	for range 16 {
		workers.Go(func() {
			for ctx.Err() == nil {
				status, err := b.send(host)
				result.note(status, err)
			}
		})
	}
	workers.Wait()
	return result, nil
}

// note counts one answer.
func (s *seen) note(status int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Sent++
	if err != nil {
		s.Failures[failure(err)]++
		return
	}
	s.Answers[status]++
}

// send sends one body, as much of it as the server takes, and returns the status of the answer.
func (b body) send(host string) (int, error) {
	conn, err := dial(context.Background(), host, "", time.Now().Add(patience))
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	go func() { // ends when the connection is closed
		if _, err := conn.Write(tokenHead(host, b.head...)); err != nil {
			return
		}
		for sent := int64(0); sent < b.total; sent += int64(len(b.piece)) {
			if _, err := conn.Write(b.piece); err != nil {
				return
			}
		}
	}()
	answer, _, err := readReply(bufio.NewReader(conn))
	return answer.status, err
}

// trickle opens n connections and sends each the first bytes of a text at once and then one each second, until the server
// answers or closes. What stands open after 30 seconds hangs.
func trickle(ctx context.Context, host string, n int, text []byte, quickly int) (*seen, error) {
	result := newSeen()
	var workers sync.WaitGroup
	for k := range n {
		workers.Go(func() {
			if pause(ctx, time.Duration(k)*time.Second/time.Duration(n)) != nil {
				return
			}
			status, err := dribble(host, text, quickly)
			result.note(status, err)
		})
	}
	workers.Wait()
	return result, ctx.Err()
}

func dribble(host string, text []byte, quickly int) (int, error) {
	conn, err := dial(context.Background(), host, "", time.Now().Add(patience))
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	done := make(chan struct{})
	defer close(done)
	go func() {
		_, err := conn.Write(text[:quickly])
		second := time.NewTicker(time.Second)
		defer second.Stop()
		for at := quickly; err == nil && at < len(text); at++ {
			select {
			case <-done:
				return
			case <-second.C:
			}
			_, err = conn.Write(text[at : at+1])
		}
	}()
	answer, _, err := readReply(bufio.NewReaderSize(conn, 512))
	return answer.status, err
}
