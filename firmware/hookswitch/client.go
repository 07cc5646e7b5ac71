package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"

	"hookswitch/firmware/web"
)

// request asks the daemon's JSON interface; the answer goes into v, which may be nil.
func (cl *commandLine) request(ctx context.Context, method, path string, body, v any) error {
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		payload = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(cl.Server, "/")+path, payload)
	if err != nil {
		return fmt.Errorf("--server %s is not a URL: %w", cl.Server, err)
	}
	cl.login(req)
	resp, err := cl.client().Do(req)
	if err != nil {
		return cl.unreachable(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return refused(resp, answer)
	}
	if v == nil {
		return nil
	}
	if err := json.Unmarshal(answer, v); err != nil {
		return fmt.Errorf("%s is not a hookswitch daemon: %w", cl.Server, err)
	}
	return nil
}

// login adds what was given to log in with.
func (cl *commandLine) login(req *http.Request) {
	switch {
	case cl.Token != "":
		req.Header.Set("Authorization", "Bearer "+cl.Token)
	case cl.User != "":
		req.SetBasicAuth(cl.User, cl.Password)
	}
}

// unreachable says what to do about a daemon that can't be asked.
func (cl *commandLine) unreachable(err error) error {
	var unknown x509.UnknownAuthorityError
	var op *net.OpError
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("%s has a self-signed certificate: give its fingerprint with --fingerprint (hookswitch serve shows it at its start)", cl.Server)
	case errors.As(err, &op) && op.Op == "dial":
		return fmt.Errorf("no daemon answers at %s: start one with hookswitch serve, or name another with --server", cl.Server)
	}
	return err
}

func refused(resp *http.Response, answer []byte) error {
	var p web.Problem
	if json.Unmarshal(answer, &p) == nil && p.Error != "" {
		return errors.New(p.Error)
	}
	if resp.StatusCode == http.StatusUnauthorized {
		return errors.New("the daemon wants a login: give --user, and the password in HOOKSWITCH_PASSWORD, or a token in HOOKSWITCH_TOKEN")
	}
	return fmt.Errorf("the daemon answered %s: %s", resp.Status, strings.TrimSpace(string(answer)))
}

// client trusts the system's authorities, or the one certificate with the fingerprint.
func (cl *commandLine) client() *http.Client {
	if cl.Fingerprint == "" {
		return http.DefaultClient
	}
	want := strings.ToLower(strings.ReplaceAll(cl.Fingerprint, ":", ""))
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true, // verified by its fingerprint instead
		VerifyConnection: func(s tls.ConnectionState) error {
			sum := sha256.Sum256(s.PeerCertificates[0].Raw)
			if hex.EncodeToString(sum[:]) != want {
				return errors.New("the daemon's certificate has another fingerprint")
			}
			return nil
		},
	}}}
}

func callPath(id string) string { return "/api/calls/" + url.PathEscape(id) }

// list asks for a list and prints it: as JSON, or as a table by row.
func list[T any](ctx context.Context, cl *commandLine, path string, asJSON bool, head string, row func(T) []any) error {
	var items []T
	if err := cl.request(ctx, http.MethodGet, path, nil, &items); err != nil {
		return err
	}
	if asJSON {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(items)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, head)
	for _, item := range items {
		for i, cell := range row(item) {
			if i > 0 {
				fmt.Fprint(w, "\t")
			}
			fmt.Fprint(w, cell)
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}
