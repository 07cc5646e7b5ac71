package call

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// record is the i-th of a call log, each as long as the others.
func record(i int) []byte {
	return fmt.Appendf(nil, `{"id":"call-%03d","state":"Disconnected","cause":"None","line":"fxo1","number":"5550100","item":"a message","user":"anna","started":"2026-11-27T10:00:00Z","reason":"played to the end"}`+"\n", i)
}

func ids(calls []Info) (list []string) {
	for _, c := range calls {
		list = append(list, c.ID)
	}
	return list
}

// TestDamageLosesOnlyWhatItTouches holds for each kind of damage at every place of a record.
func TestDamageLosesOnlyWhatItTouches(t *testing.T) {
	const n = 6
	var log []byte
	for i := range n {
		log = append(log, record(i)...)
	}
	size := len(log) / n
	for name, block := range map[string][]byte{
		"NULs":                   make([]byte, 8<<10),
		"a few NULs":             make([]byte, 3),
		"ones":                   bytes.Repeat([]byte{0xff}, 8<<10),
		"a line without end":     bytes.Repeat([]byte("x"), 5*maxRecord),
		"other people's JSON":    []byte("{\"id\":17}\n{}\nnull\n[]\n"),
		"bytes that are no text": []byte("\xff\xfe"),
		"half a record":          record(9)[:size/2],
	} {
		t.Run(name, func(t *testing.T) {
			for at := 2 * size; at <= 3*size; at++ {
				damaged := slices.Concat(log[:at], block, log[at:])
				calls, lost := readHistory(bytes.NewReader(damaged))
				var want []string
				for i := range n {
					if whole := at <= i*size || at >= (i+1)*size-1; whole { // without its end of line it can still be read
						want = append(want, fmt.Sprintf("call-%03d", i))
					}
				}
				got := ids(calls)
				for _, id := range want {
					if !slices.Contains(got, id) {
						t.Errorf("at %d of record 2: %s is lost: %q", at-2*size, id, got)
					}
				}
				if lost == 0 {
					t.Errorf("at %d of record 2: the damage is not noticed", at-2*size)
				}
			}
		})
	}
}

func TestAPowerCutInTheMiddleOfTheLastRecordIsNoDamage(t *testing.T) {
	log := slices.Concat(record(0), record(1))
	for cut := len(log) / 2; cut < len(log); cut++ {
		for name, tail := range map[string][]byte{"nothing": nil, "NULs": make([]byte, 4<<10)} {
			calls, lost := readHistory(bytes.NewReader(slices.Concat(log[:cut], tail)))
			if len(calls) == 0 || calls[0].ID != "call-000" {
				t.Errorf("cut at %d, then %s: %q", cut, name, ids(calls))
			}
			if lost > 0 && tail == nil {
				t.Errorf("cut at %d: said to be damaged", cut)
			}
		}
	}
}

func TestALogOfNULsIsNotTakenForAnEmptyOne(t *testing.T) {
	if calls, lost := readHistory(bytes.NewReader(make([]byte, 8<<10))); len(calls) != 0 || lost == 0 {
		t.Errorf("%d calls, %d lost", len(calls), lost)
	}
}

func TestTheLastRecordOfACallHolds(t *testing.T) {
	log := strings.NewReader(`{"id":"a","state":"Connecting","started":"2026-11-27T10:00:00Z"}
{"id":"b","state":"Connecting","started":"2026-11-27T10:01:00Z"}
{"id":"a","state":"Disconnected","cause":"UserBusy","started":"2026-11-27T10:00:00Z","ended":"2026-11-27T10:00:09Z"}
`)
	calls, lost := readHistory(iotest.OneByteReader(log))
	if len(calls) != 2 || lost != 0 {
		t.Fatalf("got %+v, %d lost", calls, lost)
	}
	if a := calls[0]; a.ID != "a" || a.Cause != UserBusy {
		t.Errorf("the call that ended: %+v", a)
	}
	if b := calls[1]; b.State != Connecting || !b.Ended.IsZero() {
		t.Errorf("the call that was cut off: %+v", b)
	}
}

// badBlocks is a card, some of whose blocks can't be read.
type badBlocks struct {
	data []byte
	bad  []int64
}

func (b badBlocks) ReadAt(p []byte, at int64) (int, error) {
	n, err := bytes.NewReader(b.data).ReadAt(p, at)
	for _, bad := range b.bad {
		if from := bad * blockSize; at < from+blockSize && at+int64(n) > from {
			return int(max(0, from-at)), errors.New("input/output error")
		}
	}
	return n, err
}

func TestBadBlocksOfTheCardLoseOnlyTheirRecords(t *testing.T) {
	const n = 400
	var log []byte
	for i := range n {
		log = append(log, record(i)...)
	}
	blocks := int64(len(log) / blockSize)
	size := len(log) / n
	in := badBlocks{log, []int64{0, 3, 4, blocks - 1}}
	r := &blockReader{in: in}
	calls, _ := readHistory(r)
	touched := len(in.bad)*(blockSize/size+2) + 2
	if len(calls) < n-touched || r.bad != len(in.bad) {
		t.Errorf("%d of %d calls are known, %d blocks bad", len(calls), n, r.bad)
	}
	in.bad = nil
	for i := range blocks + 1 {
		in.bad = append(in.bad, i)
	}
	r = &blockReader{in: in}
	if _, err := io.Copy(io.Discard, r); err == nil || r.bad != maxBadBlocks {
		t.Errorf("of a dead card %d blocks were tried, then %v", r.bad, err)
	}
}

func TestOldCallsLeaveMemoryAsTheyLeaveTheLog(t *testing.T) {
	h, err := openHistory("", slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	x := &Exchange{calls: map[string]*active{}, history: h}
	for i := range 3 * keepCalls {
		info := Info{ID: fmt.Sprint(i), State: Disconnected}
		if i == 0 {
			info.State = Connected // it never ends
		}
		c := &active{info: info}
		x.calls[info.ID] = c
		if info.State == Disconnected {
			x.ended = append(x.ended, c)
		}
		_, forgotten := h.add(info)
		x.forgetLocked(forgotten)
	}
	for name, n := range map[string]int{"the log": len(h.calls), "the calls": len(x.calls), "those that ended": len(x.ended)} {
		if n < keepCalls || n > keepCalls+spareCalls+1 {
			t.Errorf("%s: %d", name, n)
		}
	}
	if x.calls["0"] == nil || x.calls[fmt.Sprint(3*keepCalls-1)] == nil {
		t.Error("the call that goes on, or the newest, is forgotten")
	}
}

// TestTheTimesOfACallAreOneClocks: a board's clock may be set by decades while a call lasts.
func TestTheTimesOfACallAreOneClocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &active{since: time.Now(), info: Info{Started: time.Date(1970, 1, 1, 0, 0, 10, 0, time.UTC)}}
		time.Sleep(7 * time.Second)
		if got, want := c.now(), c.info.Started.Add(7*time.Second); !got.Equal(want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func FuzzReadHistory(f *testing.F) {
	f.Add(record(1))
	f.Add(record(1)[:50])
	f.Add([]byte("\x00\x00{\"id\":"))
	f.Fuzz(func(t *testing.T, junk []byte) {
		log := slices.Concat(junk, []byte("\n"), record(7), junk)
		calls, _ := readHistory(bytes.NewReader(log))
		if !slices.Contains(ids(calls), "call-007") {
			t.Errorf("the record between is lost: %q", ids(calls))
		}
	})
}
