package main

import (
	"encoding/json"
	"testing"
)

func TestPlayTellsAProgramHowMuchWasHeard(t *testing.T) {
	b := newBoard(t)
	for number, want := range map[string]int{"5550100": 0, "5550101": 1, "5550103": 1} {
		out, complaints, status := hookswitch(t, b.env, "play", "--json", "--to", number, b.item(t))
		var info struct {
			State    string
			Played   int64 `json:"played_ms"`
			Duration int64 `json:"duration_ms"`
		}
		err := json.Unmarshal([]byte(out), &info)
		if err != nil || status != want || info.State != "Disconnected" || info.Duration == 0 || (info.Played == info.Duration) != (want == 0) {
			t.Errorf("%s: status %d, %v\n%s%s", number, status, err, out, complaints)
		}
	}
}
