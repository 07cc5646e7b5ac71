package call_test

import (
	"encoding/json"
	"testing"
	"time"

	"hookswitch/firmware/call"
)

func TestACallsJSONHasEveryFieldAndReadsBack(t *testing.T) {
	for name, want := range map[string]call.Info{
		"under way": {ID: "a", State: call.Connecting, Cause: call.None, Started: time.Unix(1000, 0).UTC()},
		"ended":     {ID: "b", State: call.Disconnected, Cause: call.UserBusy, Started: time.Unix(1000, 0).UTC(), Answered: time.Unix(1001, 0).UTC(), Ended: time.Unix(1002, 0).UTC()},
	} {
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(text, &fields); err != nil {
			t.Fatal(err)
		}
		for _, field := range []string{"id", "state", "cause", "line", "number", "item", "user", "started", "answered", "ended"} {
			if _, ok := fields[field]; !ok {
				t.Errorf("%s: no %s in %s", name, field, text)
			}
		}
		var got call.Info
		if err := json.Unmarshal(text, &got); err != nil || got != want {
			t.Errorf("%s: read back as %+v, %v, want %+v", name, got, err, want)
		}
	}
}
