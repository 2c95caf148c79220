// Command oauth2client fetches one access token with golang.org/x/oauth2/clientcredentials, as somebody else's Go program
// would. The browser tests run it; it belongs to no room and knows only the endpoint.
//
//	echo SECRET | oauth2client TOKEN_URL CLIENT_ID header|params|auto [SCOPE …]
//
// It prints {"access_token", "token_type", "expires_in"}, or what the library said as {"error", "status"}.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "oauth2client:", err)
		os.Exit(1)
	}
}

// answer is what run prints.
type answer struct {
	AccessToken string `json:"access_token,omitempty"`
	TokenType   string `json:"token_type,omitempty"`
	ExpiresIn   int64  `json:"expires_in,omitempty"`
	Error       string `json:"error,omitempty"`
	Status      int    `json:"status,omitempty"`
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if len(args) < 3 {
		return errors.New("usage: oauth2client TOKEN_URL CLIENT_ID header|params|auto [SCOPE …]")
	}
	styles := map[string]oauth2.AuthStyle{
		"header": oauth2.AuthStyleInHeader, "params": oauth2.AuthStyleInParams, "auto": oauth2.AuthStyleAutoDetect,
	}
	style, ok := styles[args[2]]
	if !ok {
		return fmt.Errorf("no style of authentication is called %q", args[2])
	}
	secret, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	config := clientcredentials.Config{
		ClientID: args[1], ClientSecret: strings.TrimSpace(secret), TokenURL: args[0], AuthStyle: style, Scopes: args[3:],
	}
	token, err := config.Token(ctx)
	var refused *oauth2.RetrieveError
	switch {
	case errors.As(err, &refused):
		return json.NewEncoder(out).Encode(answer{Error: refused.ErrorCode, Status: refused.Response.StatusCode})
	case err != nil:
		return err
	}
	seconds, _ := token.Extra("expires_in").(float64)
	return json.NewEncoder(out).Encode(answer{
		AccessToken: token.AccessToken, TokenType: token.TokenType, ExpiresIn: int64(seconds),
	})
}
