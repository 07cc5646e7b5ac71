package web

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	defaultConns = 512
	writeTimeout = 20 * time.Second // for the client to take 16 KiB at the most
	longWork     = 20 * time.Second // an answer that takes longer may be cut to make room
)

// connLimit is the connections that there are, and how many there may be. A new one is always
// let in: when there are too many, the one from which nothing complete has come for the
// longest time is closed. Ten thousand idle clients, or as many that send a byte a second, so
// never keep a Disconnect out, and one that has logged in stays longest.
//
// This machine has a limit of its own, which nobody on the network can reach, and one address,
// or /64 of IPv6, has half of the other at most.
type connLimit struct {
	max    int // of the network's, and of this machine's
	opened time.Time

	mu    sync.Mutex // guards what follows
	conns map[*conn]bool
	local int                  // conns of this machine
	from  map[netip.Prefix]int // the others by network
	at    map[netip.Addr]int   // and by address
}

func newConnLimit(size int) *connLimit {
	if size <= 0 {
		size = defaultConns
	}
	return &connLimit{max: size, opened: time.Now(), conns: map[*conn]bool{}, from: map[netip.Prefix]int{}, at: map[netip.Addr]int{}}
}

// conn is a connection that connLimit counts.
type conn struct {
	net.Conn
	all    *connLimit
	addr   netip.Addr
	client netip.Prefix
	local  bool
	user   User // of the request that is at work, with HTTP/1 only: its goroutine's
	ntlm   handshake
	proven atomic.Bool  // somebody has logged in on it
	cut    atomic.Int64 // when a Write is given up, by connLimit.clock
	limit  readLimit
	busy   atomic.Int32 // complete requests at work
	since  atomic.Int64 // when one last came whole or was answered, by connLimit.clock
}

// listener yields conns.
type listener struct {
	net.Listener
	all *connLimit
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		nc, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if c := l.all.admit(nc); c != nil {
			return c, nil
		}
	}
}

// admit lets a connection in and closes another for it if need be. It returns nil where
// every other one has work that can't be cut.
func (m *connLimit) admit(nc net.Conn) *conn {
	addr := addrOf(nc.RemoteAddr().String())
	c := &conn{Conn: nc, all: m, addr: addr, client: networkOf(addr), local: addr.IsLoopback()}
	c.since.Store(int64(m.clock()))
	surplus := m.add(c)
	if surplus != nil {
		_ = surplus.Close() // its goroutine sees that and ends
	}
	if surplus == c {
		return nil
	}
	return c
}

func (m *connLimit) add(c *conn) (surplus *conn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.conns[c] = true
	crowd, full := false, false
	if c.local {
		m.local++
		full = m.local > m.max
	} else {
		m.from[c.client]++
		m.at[c.addr]++
		crowd = m.from[c.client] > (m.max+1)/2
		full = len(m.conns)-m.local > m.max
	}
	if !crowd && !full {
		return nil
	}
	for other := range m.conns {
		same := other.local == c.local && (!crowd || other.client == c.client)
		if same && other != c && (surplus == nil || other.goesBeforeLocked(surplus)) {
			surplus = other
		}
	}
	if surplus == nil || surplus.rank() == busy {
		return c
	}
	return surplus
}

// Ranks of connections, in the order in which they go.
const (
	idleUnauthenticated = iota
	busyUnauthenticated // what needs no login can wait
	idle
	longBusy
	busy // stays
)

// goesBeforeLocked reports whether c is closed rather than other: of equal rank, one of the
// address of its network that has the most, then the one that is silent for longest.
func (c *conn) goesBeforeLocked(other *conn) bool {
	if a, b := c.rank(), other.rank(); a != b {
		return a < b
	}
	if a, b := c.all.at[c.addr], c.all.at[other.addr]; a != b && c.client == other.client {
		return a > b
	}
	return c.since.Load() < other.since.Load()
}

func (c *conn) rank() int {
	switch {
	case c.busy.Load() == 0 && !c.proven.Load():
		return idleUnauthenticated
	case !c.proven.Load():
		return busyUnauthenticated
	case c.busy.Load() == 0:
		return idle
	case c.all.clock()-time.Duration(c.since.Load()) > longWork:
		return longBusy
	}
	return busy
}

// Close implements net.Conn.
func (c *conn) Close() error {
	m := c.all
	m.mu.Lock()
	if m.conns[c] {
		delete(m.conns, c)
		if c.local {
			m.local--
		} else {
			drop(m.from, c.client)
			drop(m.at, c.addr)
		}
	}
	m.mu.Unlock()
	return c.Conn.Close()
}

// drop counts one down, and forgets it at the last.
func drop[K comparable](counts map[K]int, key K) {
	if counts[key]--; counts[key] == 0 {
		delete(counts, key)
	}
}

// writeSpare is how much longer than writeTimeout a write may take, so that the deadline need
// not be moved at each of them.
const writeSpare = 5 * time.Second

// Write implements net.Conn. A client that does not read its answers must not hold them.
func (c *conn) Write(b []byte) (int, error) {
	now := c.all.clock()
	if cut := time.Duration(c.cut.Load()); cut-now < writeTimeout {
		c.cut.Store(int64(now + writeTimeout + writeSpare))
		_ = c.Conn.SetWriteDeadline(time.Now().Add(writeTimeout + writeSpare))
	}
	return c.Conn.Write(b)
}

// readLimit is a connection's read deadline. net/http moves it five times a request, mostly to
// later: that is only noted, and acted upon by who waits when an earlier one has passed. Once
// a request it calls a reader off with a deadline long ago: what has held before that holds
// again at the next Read.
type readLimit struct {
	mu    sync.Mutex
	want  time.Time // the zero time is never
	armed time.Time // what the connection has, never later than want; zero where it has none
	off   bool      // the connection has one long ago instead
}

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(t time.Time) error {
	l := &c.limit
	l.mu.Lock()
	defer l.mu.Unlock()
	l.want = t
	switch {
	case l.off, !l.armed.IsZero() && (t.IsZero() || !t.Before(l.armed)):
		return nil
	case !t.IsZero() && time.Until(t) <= 0:
		l.off = true
	default:
		l.armed = t
	}
	return c.Conn.SetReadDeadline(t)
}

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetWriteDeadline implements net.Conn. net/http lifts the deadline after each answer, but a
// Write always has one.
func (c *conn) SetWriteDeadline(t time.Time) error {
	if t.IsZero() {
		return nil
	}
	c.cut.Store(0) // ours comes with the next Write
	return c.Conn.SetWriteDeadline(t)
}

// Read implements net.Conn.
func (c *conn) Read(b []byte) (int, error) {
	if c.limit.isOff() && !c.rearm() {
		return 0, os.ErrDeadlineExceeded
	}
	for {
		n, err := c.Conn.Read(b)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) || !c.rearm() {
			return n, err
		}
	}
}

func (l *readLimit) isOff() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.off
}

// rearm is for a deadline that has passed: it says whether another, later one holds.
func (c *conn) rearm() bool {
	l := &c.limit
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if !l.want.IsZero() && !now.Before(l.want) {
		return false
	}
	if !l.off || !l.armed.After(now) || !l.want.IsZero() && l.want.Before(l.armed) {
		l.armed = l.want
	}
	l.off = false
	return c.Conn.SetReadDeadline(l.armed) == nil
}

// closeIdle closes the connections on which no complete request is at work.
func (m *connLimit) closeIdle() {
	m.mu.Lock()
	var waiting []*conn
	for c := range m.conns {
		if c.busy.Load() == 0 {
			waiting = append(waiting, c)
		}
	}
	m.mu.Unlock()
	for _, c := range waiting {
		_ = c.Close()
	}
}

// clock is how long the server has been open: a time that is cheap to read, and never jumps.
func (m *connLimit) clock() time.Duration { return time.Since(m.opened) }

// begin notes that a complete request is at work; end that it is answered. A nil conn, of a
// server that is not ours, notes nothing.
func (c *conn) begin() { c.work(1) }
func (c *conn) end()   { c.work(-1) }

func (c *conn) work(n int32) {
	if c != nil {
		c.since.Store(int64(c.all.clock())) // first, so that it never looks older than it is
		c.busy.Add(n)
	}
}

// prove notes that somebody has logged in on the connection.
func (c *conn) prove() {
	if c != nil {
		c.proven.Store(true)
	}
}

// body notes when the last byte of a request has come.
type body struct {
	io.ReadCloser
	c     *conn
	whole bool
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF && !b.whole {
		b.whole = true
		b.c.begin()
	}
	return n, err
}

type connKey struct{}

// withConn is the server's ConnContext hook.
func withConn(ctx context.Context, nc net.Conn) context.Context {
	if t, ok := nc.(*tls.Conn); ok {
		nc = t.NetConn()
	}
	return context.WithValue(ctx, connKey{}, nc)
}

// connOf is the connection that a request came on, nil where the server is not ours.
func connOf(r *http.Request) *conn {
	if b, ok := r.Body.(*body); ok { // quicker than the context
		return b.c
	}
	c, _ := r.Context().Value(connKey{}).(*conn)
	return c
}

// remoteAddr is the address that a request came from.
func remoteAddr(r *http.Request) netip.Addr {
	if c := connOf(r); c != nil {
		return c.addr
	}
	return addrOf(r.RemoteAddr)
}

// addrOf is the address of a host:port, the zero Addr where there is none.
func addrOf(hostPort string) netip.Addr {
	a, err := netip.ParseAddrPort(hostPort)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap().WithZone("")
}

// networkOf is what has a share of the board: an IPv4 address, or a /64 of IPv6. Either may be
// one client, who can take any address of it, or many people.
func networkOf(a netip.Addr) netip.Prefix {
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // the zero Prefix for the zero Addr
	return p
}
