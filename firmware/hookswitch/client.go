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
	"strings"
	"syscall"
	"time"

	"hookswitch/firmware/web"
)

const (
	// askLimit is longer than the daemon takes to hang up, the slowest thing that it is asked.
	askLimit  = 30 * time.Second
	maxAnswer = 64 << 20
)

// daemonFlags say where the daemon is and who asks it.
type daemonFlags struct {
	Server      string `help:"The daemon's address; http://127.0.0.1:8080 by default." default:"http://127.0.0.1:8080" env:"HOOKSWITCH_SERVER" placeholder:"URL"`
	User        string `help:"Log in as this user." env:"HOOKSWITCH_USER" placeholder:"NAME"`
	Password    string `help:"The user's password; better given in the environment." env:"HOOKSWITCH_PASSWORD" placeholder:"PASSWORD"`
	Token       string `help:"Log in with a bearer token." env:"HOOKSWITCH_TOKEN" placeholder:"TOKEN"`
	Fingerprint string `help:"SHA-256 fingerprint of the daemon's self-signed certificate, which serve shows at its start." env:"HOOKSWITCH_FINGERPRINT" placeholder:"HEX"`
}

// newRequest makes a request that is allowed to carry what it logs in with.
func (d *daemonFlags) newRequest(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
	server, err := url.Parse(d.Server)
	if err != nil || server.Host == "" || server.Scheme != "http" && server.Scheme != "https" {
		return nil, fmt.Errorf("--server %s is no address of a daemon: write http://HOST:PORT or https://HOST", d.Server)
	}
	if d.Fingerprint != "" && server.Scheme != "https" {
		return nil, errors.New("a --fingerprint needs an https:// address in --server")
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(d.Server, "/")+path, body)
	if err != nil {
		return nil, err
	}
	if (d.Token != "" || d.User != "") && server.Scheme != "https" && !loopback(server.Hostname()) {
		return nil, fmt.Errorf("%s would get the password unencrypted: use an https:// address in --server", d.Server)
	}
	switch {
	case d.Token == "" && d.User != "" && d.Password == "": // it would count as a failed login
		return nil, fmt.Errorf("no password for %s: put it in HOOKSWITCH_PASSWORD", d.User)
	case d.Token != "":
		req.Header.Set("Authorization", "Bearer "+d.Token)
	case d.User != "":
		req.SetBasicAuth(d.User, d.Password)
	}
	return req, nil
}

func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// do sends a request; an answer that is not a success is an error.
func (d *daemonFlags) do(req *http.Request) (*http.Response, error) {
	client, err := d.client()
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, d.unreachable(req, err)
	}
	if resp.StatusCode/100 != 2 {
		defer resp.Body.Close()
		answer, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
		return nil, refused(resp, answer)
	}
	return resp, nil
}

// ask asks the daemon's JSON interface; the answer goes into v.
func (d *daemonFlags) ask(ctx context.Context, method, path string, body, v any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, askLimit, fmt.Errorf("%s did not answer in %v", d.Server, askLimit))
	defer cancel()
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		payload = bytes.NewReader(data)
	}
	req, err := d.newRequest(ctx, method, path, payload)
	if err != nil {
		return err
	}
	resp, err := d.do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return d.unreachable(req, err)
	}
	if err := json.Unmarshal(answer, v); err != nil {
		return fmt.Errorf("%s is no hookswitch daemon: it answered %.40q", d.Server, answer)
	}
	return nil
}

// unreachable says what to do about a daemon that can't be asked.
func (d *daemonFlags) unreachable(req *http.Request, err error) error {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var record tls.RecordHeaderError
	switch {
	case req.Context().Err() != nil:
		return context.Cause(req.Context())
	case errors.As(err, &unknown):
		return fmt.Errorf("%s has a certificate that nobody vouches for: give its fingerprint with --fingerprint (hookswitch serve shows it at its start)", d.Server)
	case errors.As(err, &name):
		return fmt.Errorf("%s has a certificate for another name: give its fingerprint with --fingerprint (hookswitch serve shows it at its start)", d.Server)
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return fmt.Errorf("%s does not speak TLS: write http:// in --server", d.Server)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no daemon answers at %s: start one with hookswitch serve, or name another with --server", d.Server)
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return fmt.Errorf("%s can't be asked: %w", d.Server, err)
}

// refused is the error that an answer stands for.
func refused(resp *http.Response, answer []byte) error {
	text := strings.TrimSpace(string(answer))
	var p web.Problem
	if json.Unmarshal(answer, &p) == nil && p.Error != "" {
		text = p.Error
	}
	wait := resp.Header.Get("Retry-After")
	switch {
	case resp.StatusCode == http.StatusUnauthorized && resp.Request.Header.Get("Authorization") == "":
		return errors.New("the daemon wants a login: give --user, and the password in HOOKSWITCH_PASSWORD, or a token in HOOKSWITCH_TOKEN")
	case resp.StatusCode == http.StatusTooManyRequests && wait != "":
		return fmt.Errorf("%s (%s s)", text, wait)
	case strings.Contains(text, "HTTP request to an HTTPS server"): // net/http's words
		return errors.New("the daemon speaks TLS: write https:// in --server")
	case text == "" || strings.HasPrefix(text, "<"):
		return fmt.Errorf("the daemon answered %s", resp.Status)
	}
	return errors.New(printable(text))
}

// client trusts the system's authorities, or the one certificate with the fingerprint.
func (d *daemonFlags) client() (*http.Client, error) {
	if d.Fingerprint == "" {
		return http.DefaultClient, nil
	}
	want, err := hex.DecodeString(strings.NewReplacer(":", "", " ", "").Replace(d.Fingerprint))
	if err != nil || len(want) != sha256.Size {
		return nil, errors.New("--fingerprint is 32 bytes in hexadecimal, as hookswitch serve shows it at its start")
	}
	return &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true, // the fingerprint is verified instead
		VerifyConnection: func(s tls.ConnectionState) error {
			if sum := sha256.Sum256(s.PeerCertificates[0].Raw); !bytes.Equal(sum[:], want) {
				return fmt.Errorf("its certificate has another fingerprint, %X: either it is another board, or somebody is in between", sum)
			}
			return nil
		},
	}}}, nil
}

func callPath(id string) string { return "/api/calls/" + url.PathEscape(id) }
