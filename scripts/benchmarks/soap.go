package main

import (
	"context"
	_ "embed"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"hookswitch/firmware/web"
	"hookswitch/soap"
)

const (
	soapRounds  = 15   // of each server, in turn
	soapTime    = "1s" // of a round
	soapThreads = "1"  // of wrk, which must leave the servers their share of the processors
	soapClients = "16"
)

//go:embed gsoap/server.cpp
var gsoapServer []byte

// services measures the three operations of a call, from a request's bytes to the answer's,
// with wrk on keep-alive connections: our HTTP front and SOAP handler with nothing behind
// them, a bare handler that reads the same request and writes the same bytes, and a server
// that gSOAP has made from our WSDL. Beside the requests a second, the slowest in a hundred,
// and how often a request of ours allocates.
func services() ([]Result, error) {
	dir := scratch()
	ours, handler, err := soapServer()
	if err != nil {
		return nil, err
	}
	defer func() { _ = ours.Close(context.Background()) }()
	foreign, err := startGSOAP(dir, ours.Addr().String())
	if err != nil {
		return nil, err
	}
	defer foreign.stop()
	var results []Result
	for _, op := range []struct{ name, body string }{
		{"GetCallInfo", fmt.Sprintf(infoRequest, someCall)},
		{"PlayOnPhone", fmt.Sprintf(playRequest, "ge2tmmzqgezdgnbvgy3tqojq", "5550100")},
		{"Disconnect", fmt.Sprintf(disconnectRequest, someCall)},
	} {
		rs, err := compareService(dir, op.name, op.body, ours.Addr().String(), foreign.addr)
		if err != nil {
			return results, err
		}
		results = append(results, rs...)
		results = append(results, bound(op.name+", allocations", "a request", allocations(handler, op.body), 0))
	}
	return results, nil
}

const someCall = "M2Y4YzFhZWMtM2VkNC00YjJhLWE4YzctZmFjOTM0ZGVjY2JmQHBob25l"

// compareService has the three servers answer the same requests, in turn.
func compareService(dir, name, body, ours, foreign string) ([]Result, error) {
	conn, err := dialHTTP(ours)
	if err != nil {
		return nil, err
	}
	answer, _, err := conn.soap(body)
	_ = conn.Close()
	if err != nil {
		return nil, err
	}
	bare, err := bareServer(answer)
	if err != nil {
		return nil, err
	}
	defer bare.Close()
	rates, tails, err := inTurn(dir, body, ours, bare.Addr, foreign)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return []Result{
		atLeast(name+", to a bare handler", "requests/s", rates[0], rates[1], 0.8),
		atLeast(name+", to gSOAP", "requests/s", rates[0], rates[2], 0.8),
		atMost(name+", slowest in a hundred", "ms", tails[0], tails[1], 2),
	}, nil
}

// inTurn loads servers one after the other, many times, and returns of each the medians of
// requests a second and of the 99th percentile: what else the machine does strikes them all.
func inTurn(dir, body string, servers ...string) (rates, tails []float64, err error) {
	rs, ts := make([][]float64, len(servers)), make([][]float64, len(servers))
	for range soapRounds {
		for i, addr := range servers {
			rate, tail, err := wrk(dir, addr, body)
			if err != nil {
				return nil, nil, err
			}
			rs[i], ts[i] = append(rs[i], rate), append(ts[i], tail)
		}
	}
	for i := range servers {
		rates, tails = append(rates, percentile(rs[i], 0.5)), append(tails, percentile(ts[i], 0.5))
	}
	return rates, tails, nil
}

// idlePhone answers every call at once and keeps nothing.
type idlePhone struct{}

func (idlePhone) PlayOnPhone(context.Context, string, string, string) (string, error) {
	return someCall, nil
}

func (idlePhone) PlayOnPhoneGreeting(context.Context, string, string, string) (string, error) {
	return someCall, nil
}

func (idlePhone) CallInfo(context.Context, string, string) (soap.CallInfo, error) {
	return soap.CallInfo{State: "Connected", Cause: "None"}, nil
}

func (idlePhone) Disconnect(context.Context, string, string) error { return nil }

// soapServer is the board's front as the daemon has it, without a daemon behind it.
func soapServer() (*web.Server, http.Handler, error) {
	log := slog.New(slog.DiscardHandler)
	handler := &soap.Handler{
		Phone: idlePhone{}, Log: log,
		User: func(r *http.Request) string { return web.UserOf(r).Name },
	}
	auth := &web.Auth{Realm: "hookswitch", Host: "board", Public: soap.Public, Log: log}
	s, err := web.NewServer(web.ServerConfig{Listen: "127.0.0.1:0", MaxConnections: 512, Log: log, Handler: auth.Wrap(handler)})
	return s, handler, err
}

// allocations is how often a request makes the handler ask for memory.
func allocations(h http.Handler, body string) float64 {
	return testing.AllocsPerRun(1000, func() {
		r := httptest.NewRequest(http.MethodPost, umPath, strings.NewReader(body))
		r.Header.Set("Content-Type", "text/xml; charset=utf-8")
		h.ServeHTTP(discard{http.Header{}}, r)
	}) - testing.AllocsPerRun(1000, func() { // the request's own
		r := httptest.NewRequest(http.MethodPost, umPath, strings.NewReader(body))
		r.Header.Set("Content-Type", "text/xml; charset=utf-8")
		_ = discard{http.Header{}}
	})
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header             { return d.header }
func (d discard) Write(b []byte) (int, error)     { return len(b), nil }
func (d discard) WriteHeader(int)                 {}
func (d discard) SetReadDeadline(time.Time) error { return nil }

const umPath = "/EWS/UM2007Legacy.asmx"

var (
	wrkRate = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	wrkTail = regexp.MustCompile(`99%\s+([\d.]+)(us|ms|s)`)
	wrkBad  = regexp.MustCompile(`Non-2xx or 3xx responses: \d+|Socket errors:.*[1-9].*`)
)

// wrk runs one round of the load tool and returns requests a second and the 99th percentile
// in milliseconds.
func wrk(dir, addr, body string) (rate, tail float64, err error) {
	script := filepath.Join(dir, "post.lua")
	lua := fmt.Sprintf("wrk.method = 'POST'\nwrk.body = [==[%s]==]\nwrk.headers['Content-Type'] = 'text/xml; charset=utf-8'\n", body)
	if err := os.WriteFile(script, []byte(lua), 0o600); err != nil {
		return 0, 0, err
	}
	out, err := exec.Command("wrk", "-t", soapThreads, "-c", soapClients, "-d", soapTime, "--latency", "-s", script, "http://"+addr+umPath).CombinedOutput()
	if err != nil {
		return 0, 0, fmt.Errorf("wrk: %w: %s", err, out)
	}
	r, t := wrkRate.FindSubmatch(out), wrkTail.FindSubmatch(out)
	if bad := wrkBad.Find(out); bad != nil || r == nil || t == nil {
		return 0, 0, fmt.Errorf("wrk: %s", out)
	}
	rate, _ = strconv.ParseFloat(string(r[1]), 64)
	tail, _ = strconv.ParseFloat(string(t[1]), 64)
	return rate, tail * map[string]float64{"us": 1e-3, "ms": 1, "s": 1e3}[string(t[2])], nil
}

// gsoap is a running gSOAP server.
type gsoap struct {
	cmd  *exec.Cmd
	addr string
}

// startGSOAP makes a server from the WSDL that is served at addr, with no hand edits of what
// is generated, and starts it.
func startGSOAP(dir, addr string) (*gsoap, error) {
	dir = filepath.Join(dir, "gsoap")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "server.cpp"), gsoapServer, 0o600); err != nil {
		return nil, err
	}
	for _, args := range [][]string{
		{"wsdl2h", "-o", "service.h", "http://" + addr + umPath + "?wsdl"},
		{"soapcpp2", "-j", "-S", "-I/usr/share/gsoap/import", "service.h"},
		{"g++", "-O2", "-w", "-DWITH_PURE_VIRTUAL", "-I.", "-o", "server", "server.cpp", "soapC.cpp", "soapUnifiedMessagingBindingService.cpp", "-lgsoap++", "-lpthread"},
	} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s: %w: %s", args[0], err, out)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") // for a port that is free
	if err != nil {
		return nil, err
	}
	g := &gsoap{addr: l.Addr().String()}
	_ = l.Close()
	_, port, _ := net.SplitHostPort(g.addr)
	g.cmd = exec.Command(filepath.Join(dir, "server"), port)
	g.cmd.Stderr = os.Stderr
	if err := g.cmd.Start(); err != nil {
		return nil, err
	}
	err = errors.New("gsoap: the server does not answer")
	for begin := time.Now(); time.Since(begin) < 10*time.Second; time.Sleep(20 * time.Millisecond) {
		if err = g.works(); err == nil {
			return g, nil
		}
	}
	g.stop()
	return nil, err
}

// works asks for a call, once.
func (g *gsoap) works() error {
	client := &http.Client{Timeout: 2 * time.Second}
	resp, err := client.Post("http://"+g.addr+umPath, "text/xml; charset=utf-8", strings.NewReader(fmt.Sprintf(infoRequest, someCall)))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(answer), "Connected<") || xml.Unmarshal(answer, new(struct{})) != nil {
		return fmt.Errorf("gsoap: it answers %s %s (%w)", resp.Status, answer, err)
	}
	return nil
}

func (g *gsoap) stop() {
	_ = g.cmd.Process.Kill()
	_ = g.cmd.Wait()
}
