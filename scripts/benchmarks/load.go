package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/call"
	"hookswitch/firmware/daemon"
)

const (
	loadRounds  = 8
	answerLimit = 1000 // ms
	bigMessage  = 100 << 20
)

// load is what a board has to do while a Disconnect comes; it returns when ctx ends.
type load struct {
	name string
	run  func(ctx context.Context, addr, id, item string)
}

var loads = []load{
	{"nobody reads the log", func(ctx context.Context, _, _, _ string) { <-ctx.Done() }},
	{"200 pollers", func(ctx context.Context, addr, id, _ string) { repeat(ctx, addr, 200, fmt.Sprintf(infoRequest, id)) }},
	{"50 ResetPIN at once", func(ctx context.Context, addr, _, _ string) {
		repeat(ctx, addr, 50, head+`<ResetPIN `+ns+`/>`+tail)
	}},
	{"50 PlayOnPhone of 100 MB", func(ctx context.Context, addr, _, item string) {
		repeat(ctx, addr, 50, fmt.Sprintf(playRequest, item, "5550100"))
	}},
}

// repeat asks again and again on each of n connections. What is answered doesn't matter.
func repeat(ctx context.Context, addr string, n int, request string) {
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			c, err := dialHTTP(addr)
			if err != nil {
				return
			}
			defer c.Close()
			defer context.AfterFunc(ctx, func() { _ = c.Close() })()
			for ctx.Err() == nil {
				if _, _, err := c.soap(request); err != nil && ctx.Err() == nil {
					time.Sleep(time.Millisecond) // a fault
				}
			}
		})
	}
	all.Wait()
}

// stopped is a reader that reads nothing until it is closed.
type stopped chan struct{}

func (s stopped) Write(b []byte) (int, error) { <-s; return len(b), nil }

// underLoad measures how long after a Disconnect the relay opens, and the answer comes, while
// nobody reads the daemon's log and the board is kept busy in the ways that have held it up.
func underLoad() ([]Result, error) {
	var edge edgeTime
	reader := make(stopped)
	data := scratch()
	d, err := daemon.Open(daemon.Options{
		Data: data, Listen: "127.0.0.1:0", Out: reader, Trace: true, SpeedUp: 20,
		Show:    func(string) {},
		SimEdge: func(_ string, closed bool) { edge.note(closed) },
	})
	if err != nil {
		return nil, err
	}
	defer func() { close(reader); _ = d.Close() }()
	addr := d.Addr().String()
	var items [2]string // one that is played, and one that is too long
	for i, length := range []time.Duration{5 * time.Minute, bigMessage / 2 * time.Second / audio.Rate} {
		name := fmt.Sprintf("%d.wav", i)
		if err := writeSilence(filepath.Join(data, "mailbox", "local", "messages", name), length); err != nil {
			return nil, err
		}
		if items[i], err = someItem("http://" + addr); err != nil {
			return nil, err
		}
	}
	var results []Result
	for _, l := range loads {
		relay, answer, err := disconnects(addr, items[0], items[1], l, &edge)
		if err != nil {
			return results, fmt.Errorf("%s: %w", l.name, err)
		}
		results = append(results,
			bound("relay opens: "+l.name+", longest", "ms", slices.Max(relay), relayLimit),
			bound("Disconnect is answered: "+l.name+", longest", "ms", slices.Max(answer), answerLimit))
	}
	return results, nil
}

// disconnects makes calls under a load and ends each.
func disconnects(addr, item, big string, l load, edge *edgeTime) (relay, answer []float64, err error) {
	for range loadRounds {
		conn, err := dialHTTP(addr)
		if err != nil {
			return nil, nil, err
		}
		defer conn.Close()
		text, _, err := conn.soap(fmt.Sprintf(playRequest, item, "5550107"))
		if err != nil {
			return nil, nil, err
		}
		id := between(text, "<PlayOnPhoneResponse>", "<")
		if err := conn.wait(id, string(call.Connected)); err != nil {
			return nil, nil, err
		}
		ctx, stop := context.WithCancel(context.Background())
		busy := make(chan struct{})
		go func() { defer close(busy); l.run(ctx, addr, id, big) }()
		time.Sleep(50 * time.Millisecond) // the load is there, and the message plays
		edge.arm()
		_, sent, err := conn.soap(fmt.Sprintf(disconnectRequest, id))
		took := time.Since(sent)
		opened := edge.opened()
		stop()
		<-busy
		switch {
		case err != nil:
			return nil, nil, err
		case opened.IsZero():
			return nil, nil, errors.New("the relay has not opened")
		}
		relay = append(relay, us(opened.Sub(sent))/1000)
		answer = append(answer, us(took)/1000)
	}
	return relay, answer, nil
}

// edgeTime is when the relay last opened.
type edgeTime struct {
	mu    sync.Mutex // guards what follows
	armed bool
	at    time.Time
}

func (e *edgeTime) arm() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.armed, e.at = true, time.Time{}
}

func (e *edgeTime) note(closed bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.armed && !closed && e.at.IsZero() {
		e.at = time.Now()
	}
}

func (e *edgeTime) opened() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.armed = false
	return e.at
}

// writeSilence writes a WAV, which is listed when it returns.
func writeSilence(path string, length time.Duration) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(audio.WriteWAV(f, make(audio.Clip, length*audio.Rate/time.Second)), f.Close())
}
