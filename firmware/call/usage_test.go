package call_test

import (
	"bytes"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/firmware/call"
	"hookswitch/firmware/dialing"
)

func TestTheBoardsQuotaIsToldBeforeItIsReachedAndOutlivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "calls.jsonl")
		var log bytes.Buffer
		options := func(o *call.Options) {
			o.LogPath = path
			o.Quota = &dialing.Quota{BoardPerDay: 2, BoardTime: time.Hour, LongestOfCall: 10 * time.Minute}
			o.Log = slog.New(slog.NewTextHandler(&log, nil))
		}
		b := newBoard(t, options, "fxo1")
		for range 2 {
			if len(b.Faults()) != 0 {
				t.Errorf("faults %q before the bound is near", b.Faults())
			}
			info, err := b.Start(request("5550100"))
			if err != nil {
				t.Fatal(err)
			}
			b.until(t, info.ID, call.Disconnected)
			time.Sleep(5 * time.Second)
		}
		if uses := b.Uses(); uses[0].Used != 2 || uses[1].Used != 1 || uses[2].Used != 0 {
			t.Errorf("uses %+v, want 2 calls and a minute", uses)
		}
		if f := b.Faults(); len(f) != 1 || !strings.Contains(f[0], "board_calls_per_day") {
			t.Errorf("faults %q, want the bound that is used", f)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(log.String(), "level=WARN msg=\"quota nearly used\" bound=board_calls_per_day used=2 limit=2") {
			t.Errorf("not logged:\n%s", log.String())
		}

		again := newBoard(t, options, "fxo1")
		if _, err := again.Start(request("5550100")); !errors.Is(err, dialing.ErrQuota) {
			t.Errorf("after a restart: %v, want ErrQuota", err)
		}
		if uses := again.Uses(); uses[0].Used != 2 || uses[1].Used != 1 {
			t.Errorf("uses after a restart %+v, want 2 calls and a minute", uses)
		}
	})
}

func TestAnUnansweredCallUsesNoMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard(t, func(o *call.Options) {
			o.Quota = &dialing.Quota{BoardTime: 10 * time.Minute, LongestOfCall: 10 * time.Minute}
		}, "fxo1")
		for range 3 {
			info, err := b.Start(request("5550101")) // busy
			if err != nil {
				t.Fatal(err)
			}
			if uses := b.Uses(); uses[1].Used != 10 {
				t.Errorf("%d minutes while a call may still last for ten", uses[1].Used)
			}
			b.until(t, info.ID, call.Disconnected)
			time.Sleep(5 * time.Second)
		}
	})
}
