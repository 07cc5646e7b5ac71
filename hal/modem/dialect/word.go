package dialect

// Word is one way in which a make of modem reports unasked what has become of a call. Fields
// of the line are counted from 1, those after the colon; 0 is none.
type Word struct {
	Begins   string      // the line, up to and with its colon and what must follow, without a blank; no colon: all of it
	Call     int         // field that numbers the call, as +CLCC does
	Dir      int         // field that is 1 for a call that came in
	Outgoing bool        // it is only said of calls that were made from here
	Stat     int         // field that holds the call's state
	Stats    map[int]int // what its values are in +CLCC's numbers; others say nothing
	Is       int         // the state that the word itself stands for, where no field holds it
	Cause    int         // field that holds the release cause (Q.850)
}

// States of a call, as +CLCC numbers them (TS 27.007 §7.18). StatReleased is SIMCom's; what
// follows is ours.
const (
	StatActive   = 0
	StatHeld     = 1
	StatDialling = 2
	StatAlerting = 3
	StatIncoming = 4
	StatWaiting  = 5
	StatReleased = 6

	StatNone = -1 // nothing that matters here
	StatAsk  = -2 // something has changed: +CLCC says what
)
