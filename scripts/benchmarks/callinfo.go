package main

import (
	"fmt"
	"io"
	"net"
	"net/http"

	"hookswitch/firmware/call"
	"hookswitch/firmware/daemon"
)

// callInfo measures GetCallInfo of a complete daemon with wrk on keep-alive connections, against
// a bare handler that reads the same request and writes the same bytes.
func callInfo() ([]Result, error) {
	d, err := daemon.Open(daemon.Options{Data: scratch(), Listen: "127.0.0.1:0", Out: io.Discard})
	if err != nil {
		return nil, err
	}
	defer d.Close()
	addr := d.Addr().String()
	item, err := someItem("http://" + addr)
	if err != nil {
		return nil, err
	}
	conn, err := dialHTTP(addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	answer, _, err := conn.soap(fmt.Sprintf(playRequest, item, "5550101")) // busy: the call soon ends
	if err != nil {
		return nil, err
	}
	id := between(answer, "<PlayOnPhoneResponse>", "<")
	if err := conn.wait(id, string(call.Disconnected)); err != nil {
		return nil, err
	}
	request := fmt.Sprintf(infoRequest, id)
	same, _, err := conn.soap(request)
	if err != nil {
		return nil, err
	}
	bare, err := bareServer(same)
	if err != nil {
		return nil, err
	}
	defer bare.Close()
	rates, tails, err := inTurn(scratch(), request, addr, bare.Addr)
	if err != nil {
		return nil, err
	}
	return []Result{
		atLeast("GetCallInfo of the whole daemon", "requests/s", rates[0], rates[1], 0.8),
		atMost("GetCallInfo of the whole daemon, slowest in a hundred", "ms", tails[0], tails[1], 2),
	}, nil
}

// bareServer reads each request and answers the same bytes. Its Addr is where it listens.
func bareServer(answer string) (*http.Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &http.Server{Addr: l.Addr().String(), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		_, _ = io.WriteString(w, answer)
	})}
	go func() { _ = s.Serve(l) }()
	return s, nil
}
