package main

import (
	"fmt"
	"strings"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/hal/sim"
)

const (
	hangupLines  = 5 // of each kind
	hangupRounds = 5

	relayLimit = 50  // ms after the request
	idleLimit  = 500 // ms
)

// hangup measures, on modems at the true pace of 115200 baud, how long after a Disconnect
// that is sent in the middle of a message the hook relay opens and the modem itself is
// on-hook. The modem's part is what its own hook switch does, not what it says.
func hangup() ([]Result, error) {
	message := audio.Tone([]float64{1000}, time.Minute, -13)
	r, err := newRig(hangupLines, hangupLines, serialBaud, message, sim.FarEnd{Rings: 1})
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.close() }()
	relay, idle := []float64{}, map[string][]float64{}
	for range hangupRounds {
		ids, err := r.callAll()
		if err != nil {
			return nil, err
		}
		for i, l := range r.x.Lines() {
			kind := strings.TrimRight(l.Name(), "0123456789")
			for len(l.Heard()) < audio.Rate { // the message plays
				time.Sleep(10 * time.Millisecond)
			}
			time.Sleep(time.Duration(len(idle[kind])*7%20) * time.Millisecond) // anywhere in a frame
			ended := make(chan time.Time, 1)
			go func() { ended <- onHook(l) }()
			_, sent, err := r.conn.soap(fmt.Sprintf(disconnectRequest, ids[i]))
			if err != nil {
				return nil, err
			}
			at := <-ended
			if at.IsZero() {
				return nil, fmt.Errorf("%s is not on-hook", l.Name())
			}
			idle[kind] = append(idle[kind], us(at.Sub(sent))/1000)
			if kind == "fxo" {
				relay = append(relay, us(r.lastOpened(l.Name()).Sub(sent))/1000)
			}
		}
		if err := r.rest(); err != nil {
			return nil, err
		}
	}
	var results []Result
	for _, f := range []struct {
		name  string
		ms    []float64
		limit float64
	}{
		{"hook relay open", relay, relayLimit},
		{"analogue modem on-hook", idle["fxo"], idleLimit},
		{"GSM modem idle", idle["gsm"], idleLimit},
	} {
		results = append(results,
			bound("Disconnect to "+f.name+", median", "ms at 115200 baud", percentile(f.ms, 0.5), f.limit),
			bound(fmt.Sprintf("Disconnect to %s, worst of %d", f.name, len(f.ms)), "ms at 115200 baud", percentile(f.ms, 1), f.limit))
	}
	return results, nil
}

// onHook is when the modem's own hook switch is on-hook; zero if that takes 5 s.
func onHook(l *sim.Line) time.Time {
	for begin := time.Now(); time.Since(begin) < 5*time.Second; time.Sleep(time.Millisecond) {
		if !l.ModemOffHook() {
			return time.Now()
		}
	}
	return time.Time{}
}

// rest waits until every line may be used again.
func (r *rig) rest() (err error) {
	for begin := time.Now(); time.Since(begin) < 10*time.Second; time.Sleep(50 * time.Millisecond) {
		if err = r.idle("http://" + r.conn.RemoteAddr().String()); err == nil {
			return nil
		}
	}
	return err
}
