package modem

import (
	"slices"
	"strings"
	"testing"

	"hookswitch/hal/modem/dialect"
)

func TestWhatALineSaysOfACall(t *testing.T) {
	tests := []struct {
		line string
		want report // without the line; dir is as told, -1 where it is not
		ok   bool
	}{
		{"^ORIG:1,0", report{id: 1, dir: 0, stat: dialect.StatDialling}, true},
		{"^CONF:1", report{id: 1, dir: 0, stat: dialect.StatAlerting}, true},
		{"^CONN:2,0", report{id: 2, dir: -1, stat: dialect.StatActive}, true},
		{"^CEND:2,0,29,16", report{id: 2, dir: -1, stat: dialect.StatReleased, cause: 16}, true},
		{"^CEND: 1, 125, 104", report{id: 1, dir: -1, stat: dialect.StatReleased}, true},
		{"^CEND:1,0,255,255", report{id: 1, dir: -1, stat: dialect.StatReleased}, true},
		{"^DSCI: 2,1,6,0,5559876,129", report{id: 2, dir: 1, stat: dialect.StatReleased}, true},
		{"^DSCI: 1,0,7,0,5550100,129", report{id: 1, dir: 0, stat: dialect.StatAlerting}, true},
		{"^DSCI: 1,0,9,0,5550100,129", report{id: 1, dir: 0, stat: dialect.StatNone}, true},
		{`*ECAV: 1,3,0,,,"5550100",129`, report{id: 1, dir: -1, stat: dialect.StatActive}, true},
		{`*ECAV: 2,5,0,,,"5559876",129`, report{id: 2, dir: 1, stat: dialect.StatWaiting}, true},
		{"VOICE CALL: BEGIN", report{dir: -1, stat: dialect.StatActive}, true},
		{"VOICE CALL: END: 000041", report{dir: -1, stat: dialect.StatReleased}, true},
		{"VOICE CALL:END", report{dir: -1, stat: dialect.StatReleased}, true},
		{"MO RING", report{dir: 0, stat: dialect.StatAlerting}, true},
		{"RINGING", report{dir: 0, stat: dialect.StatAlerting}, true},
		{"NO CARRIER", report{dir: -1, stat: dialect.StatReleased}, true},
		{"+CIEV: call,0", report{dir: -1, stat: dialect.StatAsk}, true},
		{`+CLCC: 1,0,3,0,0,"5550100",129`, report{id: 1, dir: 0, stat: dialect.StatAlerting}, true},
		{`+CLCC: 1,0,0,1,0,"",128`, report{id: 1, dir: 0, stat: dialect.StatNone}, true},
		{`+CLCC: 2,1,5,0,0,"5559876",129`, report{id: 2, dir: 1, stat: dialect.StatWaiting, caller: "5559876"}, true},
		{`^SLCC: 1,0,0,0,0,1`, report{id: 1, dir: 0, stat: dialect.StatActive}, true},
		{`+CCWA: "5559876",129,1`, report{dir: 1, stat: dialect.StatWaiting, caller: "5559876"}, true},
		{`+CCWA:"5559876",129,1,,0`, report{dir: 1, stat: dialect.StatWaiting, caller: "5559876"}, true},
		{"RING", report{dir: 1, stat: dialect.StatIncoming}, true},
		{"+CRING: VOICE", report{dir: 1, stat: dialect.StatIncoming}, true},
		{`+CLIP: "",128,,,,1`, report{dir: 1, stat: dialect.StatIncoming}, true},
		{`+CLIP: "+4989 <script>",145`, report{dir: 1, stat: dialect.StatIncoming}, true},
		{"NMBR = 8055554567", report{dir: 1, stat: dialect.StatIncoming, caller: "8055554567"}, true},
		{"NMBR=O", report{dir: 1, stat: dialect.StatIncoming}, true},

		{"+CCWA: 1,1", report{}, false}, // an answer to a question
		{"+CLIP: 1", report{}, false},
		{"+CIEV: 7,1", report{}, false},
		{"^CONN", report{}, false},
		{"^CONN:x", report{}, false},
		{"^DSCI: 1,2,6", report{}, false},
		{"^DSCI: 1", report{}, false},
		{"VOICE CALL: EN", report{}, false},
		{"NO CARRIER 2", report{}, false},
		{"BUS", report{}, false},
		{"STRING", report{}, false},
		{"", report{}, false},
	}
	for _, tt := range tests {
		got, ok := parseReport(tt.line)
		if got.line = ""; ok != tt.ok || ok && got != tt.want {
			t.Errorf("%s: got %+v, %v; want %+v, %v", tt.line, got, ok, tt.want, tt.ok)
		}
	}
}

func TestGluedLinesAreCut(t *testing.T) {
	tests := []struct {
		line string
		want []string
	}{
		{"NO CARRIER", []string{"NO CARRIER"}},
		{`+CLCC: 1,0,0,0,0,"1",129+CLCC: 2,1,5,0,0,"2",129`, []string{`+CLCC: 1,0,0,0,0,"1",129`, `+CLCC: 2,1,5,0,0,"2",129`}},
		{`+CLCC: 1,0,0,0,0,"1",129,"+CLCC: BUSY"`, []string{`+CLCC: 1,0,0,0,0,"1",129,"+CLCC: BUSY"`}},
		{`RING+CLIP: "5559876",129`, []string{"RING", `+CLIP: "5559876",129`}},
		{"+CSQ: 20,99NO CARRIER", []string{"+CSQ: 20,99", "NO CARRIER"}},
		{"^RSSI:19^CEND:1,3,104,16", []string{"^RSSI:19", "^CEND:1,3,104,16"}},
		{"RINGVOICE CALL: BEGIN", []string{"RING", "VOICE CALL: BEGIN"}},
		{"NAME=BUSY", []string{"NAME=BUSY"}},
		{"NAME=NO CARRIER", []string{"NAME=NO CARRIER"}},
		{"", []string{""}},
	}
	for _, tt := range tests {
		if got := unglue(tt.line); !slices.Equal(got, tt.want) {
			t.Errorf("%q: got %q, want %q", tt.line, got, tt.want)
		}
	}
}

func TestTheEndOfACallIsKnownWithOneCharacterWrong(t *testing.T) {
	tests := []struct{ line, want string }{
		{"BUS", "BUSY"}, {"BUSYY", "BUSY"}, {"USY", "BUSY"}, {"BU\x7fY", "BUSY"},
		{"NO CARRIR", "NO CARRIER"}, {"O CARRIER", "NO CARRIER"}, {"NO\x00CARRIER", "NO CARRIER"},
		{"NO ANSWR", "NO ANSWER"},
		{"BU", ""}, {"BUSTED", ""}, {"NO CARRI", ""}, {"OK", ""}, {"", ""},
	}
	for _, tt := range tests {
		if r, ok := garbledEnd(tt.line); ok != (tt.want != "") || r.line != tt.want {
			t.Errorf("%q: got %q, %v, want %q", tt.line, r.line, ok, tt.want)
		}
	}
}

func TestAnAnswerThatIsNotWholeProvesNoAbsence(t *testing.T) {
	tests := []struct {
		name  string
		info  []string
		whole bool
		ours  int // index, 0 is none
	}{
		{"empty", nil, true, 0},
		{"ours", []string{`+CLCC: 1,0,0,0,0,"1",129`}, true, 1},
		{"the third of four", []string{`+CLCC: 1,1,0,1,0,"",128`, `+CLCC: 2,0,0,1,0,"",128`, `+CLCC: 3,0,0,0,0,"1",129`, `+CLCC: 4,1,5,0,0,"2",129`}, true, 3},
		{"data only", []string{`+CLCC: 1,1,0,1,0,"",128`, `+CLCC: 2,0,0,1,0,"",128`}, true, 0},
		{"ended", []string{`+CLCC: 1,0,6,0,0,"1",129`}, true, 0},
		{"cut", []string{`+CLCC: 1,0`}, false, 0},
		{"cut, behind one that is not ours", []string{`+CLCC: 2,1,5,0,0,"2",129`, `+CLCC: 1,0,0,`}, false, 0},
		{"the rest of a line", []string{`0,0,"5551234",129`}, false, 0},
		{"echo", []string{"AT+CLCC", `+CLCC: 1,0,0,0,0,"1",129`}, true, 1},
		{"garbled echo", []string{"A+CLCC"}, false, 0},
		{"ours in spite of it", []string{"A+CLCC", `+CLCC: 1,0,0,0,0,"1",129`}, false, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list, _ := parseList(tt.info)
			if l, _ := list.ours(0); list.whole != tt.whole || l.id != tt.ours {
				t.Errorf("whole %v, ours %d; want %v, %d", list.whole, l.id, tt.whole, tt.ours)
			}
		})
	}
}

// FuzzReport reads whatever a line may hold. A line about another call never ends or answers
// ours, and what is glued is cut without loss.
func FuzzReport(f *testing.F) {
	for _, s := range []string{
		"VOICE CALL: BEGIN", "^CEND:2,0,104,17", "^DSCI: 2,1,6,0,1,129", "*ECAV: 2,0", `+CLCC: 2,1,6,0,0,"1",129`, "NO CARRIER",
		`+CCWA: "1",129,1`, `RING+CLIP: "1",129`, "NMBR = 1", "^CONN:3,0", ":", `"`, "BUS", `^SLCC: 2,0,0,0,0,1,"1",129`, "\x00^CONF:2",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		parts := unglue(line)
		blank := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if got := blank(strings.Join(parts, "")); got != blank(line) {
			t.Errorf("%q was cut into %q", line, parts)
		}
		r, ok := parseReport(line)
		if ok && (r.stat < dialect.StatAsk || r.stat > 255 || r.id < 0 || r.id > 255 || r.dir < -1 || r.dir > 1 || len(r.caller) > 32) {
			t.Errorf("%q: %+v", line, r)
		}
		if len(parts) > 1 || !ok || r.dir == 0 || r.id == 0 && r.dir != 1 {
			return
		}
		c := newCall()
		defer c.cancel()
		c.id, c.checked = 1, true
		c.line(line)
		if r.id != 1 && (c.why() != nil || c.isAnswered() || c.word() != nil) || r.dir == 1 && c.why() != nil {
			t.Errorf("%q, of call %d, has changed call 1: ended %v, answered %v, told %v", line, r.id, c.why(), c.isAnswered(), c.word())
		}
	})
}

// The index is free again after a call: before ours is known to have it, an end may be that of
// the call before.
func TestTheEndOfTheCallBeforeIsProven(t *testing.T) {
	for _, line := range []string{`+CLCC: 1,0,6,0,0,"5550101",129`, "^DSCI: 1,0,6,0,5550101,129", "^CEND:1,9,104,16", "VOICE CALL: END: 000009", "NO CARRIER"} {
		c := newCall()
		c.check()
		c.line(line)
		if c.why() != nil || c.word() == nil {
			t.Errorf("%s: ended %v, to be proven %v", line, c.why(), c.word())
		}
		c.dismiss()
		c.line("^ORIG:1,0")
		c.line("^CEND:1,9,104,16")
		if c.why() == nil {
			t.Errorf("%s: the end of our own index is not believed", line)
		}
		c.cancel()
	}
}
