package modem

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"hookswitch/hal/at"
	"hookswitch/hal/at/attest"
	"hookswitch/hal/modem/dialect"
)

// transcripts are those of hal/at, and further ones that are about calls alone.
var transcripts = []string{"../at/testdata/transcripts", "testdata/transcripts"}

func load(t *testing.T, name string) []attest.Step {
	t.Helper()
	var paths []string
	for _, dir := range transcripts {
		found, _ := filepath.Glob(filepath.Join(dir, name+"-*.txt"))
		paths = append(paths, found...)
	}
	if len(paths) != 1 {
		t.Fatalf("transcripts %s: %q", name, paths)
	}
	steps, err := attest.Load(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	return steps
}

// hear lets a call hear all that the modem of a transcript says, a byte at a time.
func hear(t *testing.T, steps []attest.Step, c *call) {
	t.Helper()
	near, far := net.Pipe()
	chat := at.NewChat(near, at.Config{URC: c.line, Event: c.code})
	for _, s := range steps {
		if s.Host {
			continue
		}
		for _, b := range s.Bytes {
			if _, err := far.Write([]byte{b}); err != nil {
				t.Fatal(err)
			}
		}
	}
	synctest.Wait()
	_ = chat.Close()
	_ = far.Close()
}

// What a call makes of each transcript in which a modem speaks of calls unasked.
func TestTranscriptsOfCalls(t *testing.T) {
	tests := []struct {
		transcript string
		up         bool // the call had been answered before
		rang       bool
		answered   bool
		ended      error
		cause      int
		keys       string
	}{
		{transcript: "04", up: true, answered: true}, // an underrun is no end
		{transcript: "10", answered: true, ended: ErrHungUp},
		{transcript: "11", up: true, answered: true, ended: ErrHungUp},
		{transcript: "12"},                           // other people's calls
		{transcript: "13"},                           // incoming, data and fax calls
		{transcript: "14"},                           // dialling is neither ringing nor answered
		{transcript: "15", up: true, answered: true}, // a malformed line ends nothing
		{transcript: "16", rang: true, answered: true, ended: ErrHungUp, cause: 16},
		{transcript: "17", ended: ErrNoCarrier, cause: 16},
		{transcript: "18", up: true, answered: true, keys: "8#"},
		{transcript: "19", up: true, answered: true, keys: "12*#"},
		{transcript: "20", up: true, answered: true, ended: ErrHungUp},
		{transcript: "21", up: true, answered: true}, // the end of an incoming call
		{transcript: "22", rang: true, answered: true, ended: ErrHungUp},
		{transcript: "23", up: true, answered: true, ended: ErrHungUp},
		{transcript: "25", up: true, answered: true, ended: ErrHungUp, keys: "5"},
		{transcript: "26", up: true, answered: true, ended: ErrHungUp, keys: "5"}, // BUSY, unasked here
		{transcript: "27", up: true, answered: true},                              // a caller's name ends nothing
		{transcript: "28", up: true, answered: true, ended: ErrHungUp},
		{transcript: "29", up: true, answered: true, keys: "5"},
		{transcript: "30", up: true, answered: true, keys: "55"},
		{transcript: "33", rang: true, answered: true}, // a waiting call's end
		{transcript: "34", rang: true, answered: true},
		{transcript: "35", rang: true, answered: true},
	}
	for _, tt := range tests {
		t.Run(tt.transcript, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCall()
				defer c.cancel()
				if tt.up {
					c.connect(Supervised)
				}
				steps := load(t, tt.transcript)
				if tt.transcript == "22" { // the first call is another, which was busy
					steps = steps[4:]
				}
				hear(t, steps, c)
				if c.hasAlerted() != tt.rang || c.isAnswered() != tt.answered || c.releaseCause() != tt.cause {
					t.Errorf("rang %v, answered %v, cause %d", c.hasAlerted(), c.isAnswered(), c.releaseCause())
				}
				if err := c.why(); !errors.Is(err, tt.ended) || (err == nil) != (tt.ended == nil) {
					t.Errorf("ended by %v, want %v", err, tt.ended)
				}
				var keys []byte
				for len(c.events) > 0 {
					if e := <-c.events; e.key != 0 {
						keys = append(keys, e.key)
					}
				}
				if string(keys) != tt.keys {
					t.Errorf("keys %q, want %q", keys, tt.keys)
				}
			})
		})
	}
}

// What is made of the answers in transcripts: a session asks, the modem of the transcript
// answers.
func TestTranscriptsOfAnswers(t *testing.T) {
	ask := func(t *testing.T, transcript, cmd string) (answer []string) {
		t.Helper()
		steps := load(t, transcript)
		for i, s := range steps {
			if !s.Host || string(s.Bytes) != cmd+"\r" {
				continue
			}
			synctest.Test(t, func(t *testing.T) {
				near, far := net.Pipe()
				session := newSession(&Config{}, discard, near)
				go func() { _ = attest.Play(far, steps[i:min(i+3, len(steps))], nil, nil) }()
				answer, _ = session.ask(context.Background(), cmd, "+"+strings.Trim(cmd[3:], "=?"))
				session.close()
				_ = far.Close()
			})
			return answer
		}
		t.Fatalf("no %s in transcript %s", cmd, transcript)
		return nil
	}
	t.Run("identification", func(t *testing.T) {
		for transcript, cmd := range map[string]string{"01": "ATI0", "03": "ATI3"} {
			if d := dialect.Detect(ask(t, transcript, cmd), false); d.Name != "conexant" {
				t.Errorf("%s: %s", transcript, d.Name)
			}
		}
	})
	t.Run("voice formats", func(t *testing.T) {
		for transcript, want := range map[string]string{
			"05": "8-bit unsigned", "06": "G.711 µ-law", "07": "8-bit unsigned", "08": "", "09": "", "26": "8-bit unsigned",
		} {
			if _, c, _ := chooseFormat(parseVSM(ask(t, transcript, "AT+VSM=?")), 115200); c.name != want {
				t.Errorf("%s: %q, want %q", transcript, c.name, want)
			}
		}
	})
	t.Run("voice mode", func(t *testing.T) {
		if classes := parseClasses(ask(t, "26", "AT+FCLASS=?")); strings.Join(classes, " ") != "0 1 8" {
			t.Errorf("%q", classes)
		}
	})
	t.Run("release causes", func(t *testing.T) {
		if cause := parseCEER(ask(t, "22", "AT+CEER")); cause != 0 {
			t.Errorf("%d", cause)
		}
	})
	t.Run("results of a dial", func(t *testing.T) {
		var got []string
		for _, s := range load(t, "24") {
			if line := strings.TrimSpace(string(s.Bytes)); !s.Host && line != "" && line != "OK" {
				got = append(got, resultError(line).Error())
			}
		}
		if want := "modem: busy, modem: no dial tone, modem: no carrier"; strings.Join(got, ", ") != want {
			t.Errorf("%q", got)
		}
	})
}

// A SIM7600 that refuses +CPCMREG at first (transcript 32), in a call.
func TestTranscriptOfARefusedSound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		s := newSession(&Config{Dialect: "sim7600"}, discard, near)
		played := make(chan error, 1)
		go func() { played <- attest.Play(far, load(t, "32")[:6], nil, nil) }()
		o := &operation{s: s, call: newCall(), caller: t.Context(), ctx: t.Context()}
		if err := o.switchAudio(); err != nil {
			t.Error(err)
		}
		if err := <-played; err != nil {
			t.Error(err)
		}
		if !s.restart {
			t.Error("the module is not restarted after the call")
		}
		o.call.cancel()
		s.close()
		_ = far.Close()
	})
}

// FuzzProbe asks a modem that answers whatever it likes. Whatever that is, the answer is a
// report or an error, in bounded time.
func FuzzProbe(f *testing.F) {
	f.Add([]byte("\r\nOK\r\n"))
	f.Add([]byte("\r\nERROR\r\n"))
	f.Add([]byte("0\r"))
	f.Add([]byte("\r\n+CGMI: x\r\n\r\nOK\r\n"))
	f.Add([]byte("\r\n0,1,8\r\n1,\"UNSIGNED PCM\",8,0,8000,0,0\r\n\r\nOK\r\n"))
	f.Add([]byte("\x80\x10\x03\x10b\r\n\x86"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		synctest.Test(t, func(t *testing.T) {
			near, far := net.Pipe()
			go func() {
				buf := make([]byte, 64)
				for {
					n, err := far.Read(buf)
					if err != nil {
						return
					}
					if n > 0 && buf[n-1] == '\r' {
						if _, err := far.Write(answer); err != nil {
							return
						}
					}
				}
			}()
			r, err := Probe(t.Context(), near)
			if err == nil && (r.Dialect == "" || len(r.String()) < 20) {
				t.Errorf("%+v", r)
			}
			if err != nil && !strings.Contains(err.Error(), ":") {
				t.Errorf("%v does not say what to do", err)
			}
			_, _ = io.Copy(io.Discard, near)
			_ = far.Close()
		})
	})
}
