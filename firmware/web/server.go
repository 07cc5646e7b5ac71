// Package web is the board's HTTP front: who may connect, who may ask, the JSON interface of
// the command line, and a page for a person. What is asked in SOAP is package soap's.
package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"math"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// Limits of a request. A client on the LAN needs milliseconds.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 15 * time.Second
	idleTimeout   = 60 * time.Second
	maxHeader     = 16 << 10
)

// What one connection of HTTP/2 may hold in memory.
const (
	maxRequests = 16       // a client with more waits
	maxBuffer   = 64 << 10 // bytes received and not yet read
)

// ServerConfig is what a Server serves, and where.
type ServerConfig struct {
	Listen         string
	TLS            *tls.Config // nil serves plain HTTP
	Handler        http.Handler
	NoHTTP2        bool // for NTLM, which logs a connection in: a client that has spoken HTTP/2 never tries it
	MaxConnections int  // of the network, and as many of this machine; 0 is 512
	Log            *slog.Logger
}

// Server is a running HTTP server. HTTP/1.0 and 1.1, and HTTP/2 over TLS. Connections
// beyond MaxConnections are let in, and others from which nothing comes closed for them.
type Server struct {
	http    http.Server
	listen  net.Listener
	conns   *connLimit
	handler http.Handler
	log     *slog.Logger
	cancel  context.CancelFunc // ends the requests' contexts
	failed  chan error
	stalled stalled

	running atomic.Int64  // requests in the handler, and noMore once no further one is taken
	closing sync.Once     // adds noMore
	quiet   chan struct{} // closed when running is noMore and nothing else
	quieten sync.Once     // closes it
}

// noMore is so far below 0 that no number of requests gets it back there.
const noMore = math.MinInt64 / 2

// NewServer listens and serves. Close stops it and waits.
func NewServer(cfg ServerConfig) (*Server, error) {
	l, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	return newServer(l, cfg), nil
}

func newServer(l net.Listener, cfg ServerConfig) *Server {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{
		listen: l, conns: newConnLimit(cfg.MaxConnections), handler: cfg.Handler, log: cfg.Log,
		cancel: cancel, failed: make(chan error, 1), quiet: make(chan struct{}),
	}
	s.http = http.Server{
		Handler: http.HandlerFunc(s.handle), TLSConfig: cfg.TLS,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		HTTP2:       &http.HTTP2Config{MaxConcurrentStreams: maxRequests, MaxReceiveBufferPerConnection: maxBuffer, MaxReceiveBufferPerStream: maxBuffer},
		BaseContext: func(net.Listener) context.Context { return ctx },
		ConnContext: withConn,
		ErrorLog:    log.New(&serverLog{log: cfg.Log}, "", 0),
	}
	if cfg.NoHTTP2 {
		s.http.Protocols = new(http.Protocols)
		s.http.Protocols.SetHTTP1(true)
	}
	go s.serve()
	return s
}

// serve runs until Close, or until the listener fails.
func (s *Server) serve() {
	defer close(s.failed)
	l := &listener{s.listen, s.conns}
	var err error
	if s.http.TLSConfig != nil {
		err = s.http.ServeTLS(l, "", "")
	} else {
		err = s.http.Serve(l)
	}
	if !errors.Is(err, http.ErrServerClosed) {
		s.failed <- fmt.Errorf("web: %w", err)
	}
}

// handle counts a request, and survives a mistake of ours in its handler.
func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	defer s.leave()
	if s.running.Add(1) < 0 {
		w.Header().Set("Connection", "close")
		http.Error(w, "the board is stopping", http.StatusServiceUnavailable)
		return
	}
	end := func() {}
	if r.ProtoMajor == 2 {
		s := &http2Stream{ResponseWriter: w, out: http.NewResponseController(w), all: &s.stalled}
		w, end = s, s.end
	}
	c := connOf(r)
	request := &body{ReadCloser: r.Body, c: c}
	r.Body = request
	if r.ContentLength == 0 {
		request.whole = true
		c.begin()
	}
	defer func() {
		if request.whole {
			c.end()
		}
		if p := recover(); p != nil && p != http.ErrAbortHandler { //nolint:errorlint // what was panicked with, as it is
			s.log.Error("panic", "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
			panic(http.ErrAbortHandler) // closes the connection
		} else if p != nil {
			panic(p)
		}
	}()
	s.handler.ServeHTTP(w, r)
	end()
}

// leave counts a request out.
func (s *Server) leave() {
	if s.running.Add(-1) == noMore {
		s.quieten.Do(func() { close(s.quiet) })
	}
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.listen.Addr() }

// Failed yields an error if the server stops by itself, and is closed when it has stopped.
func (s *Server) Failed() <-chan error { return s.failed }

// Close takes no further request, ends event streams and idle connections, lets the other
// requests end until ctx does, then cuts their connections, and returns when no goroutine
// is left in the handler. It may be called again.
func (s *Server) Close(ctx context.Context) error {
	s.closing.Do(func() {
		s.running.Add(noMore + 1)
		s.leave()
	})
	s.cancel()
	s.conns.closeIdle()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = s.http.Close()
	}
	for range s.failed { // until it is closed
	}
	limit := time.NewTimer(cutLimit)
	defer limit.Stop()
	select {
	case <-s.quiet:
		return err
	case <-limit.C:
		return errBusy
	}
}

// cutLimit is how long a request may go on when its connection is cut.
const cutLimit = 2 * time.Second

var errBusy = errors.New("web: a request does not end")
