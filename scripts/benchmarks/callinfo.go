package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"hookswitch/firmware/call"
	"hookswitch/firmware/daemon"
)

const (
	pollers  = 8
	pollTime = 2 * time.Second
	repeats  = 3 // of each, in turn: a noisy machine is noisy for both
)

// callInfo counts GetCallInfo requests a second on keep-alive connections, against a bare
// handler that reads the same request and writes the same bytes.
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
	var values, floors []float64
	for range repeats {
		v, err := requestsPerSecond(addr, request)
		if err != nil {
			return nil, err
		}
		f, err := requestsPerSecond(bare.Addr, request)
		if err != nil {
			return nil, err
		}
		values, floors = append(values, v), append(floors, f)
	}
	return []Result{atLeast("GetCallInfo", "requests/s", percentile(values, 0.5), percentile(floors, 0.5), 0.7)}, nil
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

func requestsPerSecond(addr, body string) (float64, error) {
	var n atomic.Int64
	var failed atomic.Value
	var clients sync.WaitGroup
	begin := time.Now()
	for range pollers {
		clients.Go(func() {
			conn, err := dialHTTP(addr)
			if err != nil {
				failed.Store(err)
				return
			}
			defer conn.Close()
			for time.Since(begin) < pollTime {
				if _, _, err := conn.soap(body); err != nil {
					failed.Store(err)
					return
				}
				n.Add(1)
			}
		})
	}
	clients.Wait()
	if err, ok := failed.Load().(error); ok {
		return 0, err
	}
	return float64(n.Load()) / time.Since(begin).Seconds(), nil
}
