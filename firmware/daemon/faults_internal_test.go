package daemon

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheLogSaysOnceWhatBecomesWrongAndWhatIsMended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		looks := [][]string{nil, {"full"}, {"full"}, {"full", "no clock"}, {"no clock"}}
		seen := 0
		stop := startFaultLog(func() []string { seen++; return looks[seen-1] }, slog.New(slog.NewTextHandler(&out, nil)))
		time.Sleep(time.Duration(len(looks)-1) * faultsEvery)
		synctest.Wait()
		stop()
		for text, want := range map[string]int{"fault=full": 1, `fault="no clock"`: 1, `"no longer"=full`: 1} {
			if got := strings.Count(out.String(), text); got != want {
				t.Errorf("%s is said %d times, want %d:\n%s", text, got, want, out.String())
			}
		}
	})
}
