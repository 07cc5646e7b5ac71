package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/creack/pty"

	"hookswitch/firmware/call"
	"hookswitch/firmware/daemon"
	"hookswitch/hal/rpi"
)

const rounds = 150

// disconnect measures from the last byte of a Disconnect request, sent while a message
// plays, to the relay's edge and to the first hang-up byte at the far side of the pseudo
// terminal. The floor is a bare net/http handler that writes the same bytes to one.
func disconnect() ([]Result, error) {
	var mu sync.Mutex
	var edge, first time.Time
	armed := false
	d, err := daemon.Open(daemon.Options{
		Data: scratch(), Listen: "127.0.0.1:0", Out: io.Discard, SpeedUp: 20,
		SimEdge: func(_ string, closed bool) {
			mu.Lock()
			defer mu.Unlock()
			if armed && !closed && edge.IsZero() {
				edge = time.Now()
			}
		},
		SimTrace: func(_ string, sent bool, b []byte) {
			mu.Lock()
			defer mu.Unlock()
			if armed && sent && first.IsZero() && hangUpByte(b) {
				first = time.Now()
			}
		},
	})
	if err != nil {
		return nil, err
	}
	defer d.Close()
	addr := d.Addr().String()
	item, err := someItem("http://" + addr)
	if err != nil {
		return nil, err
	}
	bare, err := newBareDisconnect()
	if err != nil {
		return nil, err
	}
	defer bare.close()
	var relay, bytes, floor []float64
	conn, err := dialHTTP(addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	for range rounds {
		answer, _, err := conn.soap(fmt.Sprintf(playRequest, item, "5550107"))
		if err != nil {
			return nil, err
		}
		id := between(answer, "<PlayOnPhoneResponse>", "<")
		if err := conn.wait(id, string(call.Connected)); err != nil {
			return nil, err
		}
		time.Sleep(30 * time.Millisecond) // the message plays
		f, err := bare.round()            // on the same machine, as busy as this
		if err != nil {
			return nil, err
		}
		floor = append(floor, f)
		mu.Lock()
		edge, first, armed = time.Time{}, time.Time{}, true
		mu.Unlock()
		_, sent, err := conn.soap(fmt.Sprintf(disconnectRequest, id))
		if err != nil {
			return nil, err
		}
		mu.Lock()
		armed = false
		if edge.IsZero() || first.IsZero() {
			mu.Unlock()
			return nil, fmt.Errorf("no relay edge or no hang-up byte")
		}
		relay = append(relay, us(edge.Sub(sent)))
		bytes = append(bytes, us(first.Sub(sent)))
		mu.Unlock()
	}
	return []Result{
		atMost("Disconnect to relay edge, median", "µs", percentile(relay, 0.5), percentile(floor, 0.5), 1.5),
		atMost("Disconnect to relay edge, p99", "µs", percentile(relay, 0.99), percentile(floor, 0.99), 3),
		atMost("Disconnect to first hang-up byte, median", "µs", percentile(bytes, 0.5), percentile(floor, 0.5), 1.5),
		atMost("Disconnect to first hang-up byte, p99", "µs", percentile(bytes, 0.99), percentile(floor, 0.99), 3),
	}, nil
}

// hangUpByte tells the codes that end voice data, and ATH, from voice data.
func hangUpByte(b []byte) bool {
	s := string(b)
	return strings.HasPrefix(s, "\x10\x18") || strings.HasPrefix(s, "ATH") || strings.HasPrefix(s, "\x10\x03")
}

// bareDisconnect is the floor: a bare handler that writes to a pseudo terminal.
type bareDisconnect struct {
	master, slave *os.File
	port          *rpi.Serial
	server        *http.Server
	conn          *httpConn
	arrived       chan time.Time
}

func newBareDisconnect() (*bareDisconnect, error) {
	master, slave, err := pty.Open()
	if err != nil {
		return nil, err
	}
	port, err := rpi.OpenSerial(slave.Name(), 115200) // raw, as the daemon's is
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &bareDisconnect{master: master, slave: slave, port: port, arrived: make(chan time.Time)}
	b.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		_, _ = slave.WriteString("\x10\x18\x10\x03")
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		_, _ = io.WriteString(w, disconnectAnswer)
	})}
	go func() { _ = b.server.Serve(l) }()
	go func() {
		buf := make([]byte, 64)
		for {
			if _, err := master.Read(buf); err != nil {
				return
			}
			b.arrived <- time.Now()
		}
	}()
	b.conn, err = dialHTTP(l.Addr().String())
	return b, err
}

// round is the time from the request to the byte at the far side, in µs.
func (b *bareDisconnect) round() (float64, error) {
	result := make(chan error, 1)
	var sent time.Time
	go func() {
		var err error
		_, sent, err = b.conn.soap(fmt.Sprintf(disconnectRequest, "x"))
		result <- err
	}()
	at := <-b.arrived
	if err := <-result; err != nil {
		return 0, err
	}
	return us(at.Sub(sent)), nil
}

func (b *bareDisconnect) close() {
	_ = b.conn.Close()
	_ = b.server.Close()
	_ = b.port.Close()
	_ = b.master.Close()
	_ = b.slave.Close()
}

func us(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

// scratch is a directory that goes with the machine.
func scratch() string {
	dir, err := os.MkdirTemp("", "hookswitch-bench")
	if err != nil {
		panic(err)
	}
	return dir
}
