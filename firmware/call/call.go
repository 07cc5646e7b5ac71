// Package call makes calls on a pool of telephone lines: who may dial what, which line
// takes the call, the one function that is a call, and the call log.
package call

import (
	"errors"
	"time"

	"hookswitch/firmware/audio"
)

// State of a call, in Exchange's words (MS-OXWUMS 3.1.4.3.4.1).
type State string

// States that a call passes through. Disconnected is terminal.
const (
	Idle         State = "Idle"
	Connecting   State = "Connecting"
	Alerted      State = "Alerted"
	Connected    State = "Connected"
	Disconnected State = "Disconnected"
	Incoming     State = "Incoming"
)

// Cause says why a call is Disconnected (MS-OXWUMS 3.1.4.3.4.2).
type Cause string

// Causes. None is also the cause of every call that is not yet Disconnected.
const (
	None        Cause = "None"
	UserBusy    Cause = "UserBusy"
	NoAnswer    Cause = "NoAnswer"
	Unavailable Cause = "Unavailable"
	Other       Cause = "Other"
)

// Errors of Start and Disconnect, besides those of dialing.
var (
	ErrUserBusy = errors.New("call: user already has a call") // one per user at a time, as Exchange
	ErrNoLine   = errors.New("call: every line is busy")
	ErrRinging  = errors.New("call: the line is ringing") // and no other is free
	ErrFault    = errors.New("call: no line works")
	ErrUnknown  = errors.New("call: no such call")               // never issued, or forgotten
	ErrOnHook   = errors.New("call: line not confirmed on-hook") // Disconnect did what it could
)

// Info is a copy of what is known of a call.
type Info struct {
	ID       string    `json:"id"`
	State    State     `json:"state"`
	Cause    Cause     `json:"cause"`
	Line     string    `json:"line"`
	Number   string    `json:"number"`
	Item     string    `json:"item"`
	User     string    `json:"user"`
	Started  time.Time `json:"started"`
	Answered time.Time `json:"answered,omitzero"`
	Ended    time.Time `json:"ended,omitzero"`
	Answer   string    `json:"answer,omitempty"` // how sure Connected is: a modem.Answer
	Reason   string    `json:"reason,omitempty"` // why it ended, or why it is not known to have; a sentence for a person
	// Unconfirmed: the call is over, and its line is not known to be on-hook, as Reason says
	// until it is; only then the state is Disconnected.
	Unconfirmed bool `json:"unconfirmed,omitempty"`
	SIPCode     int  `json:"sip_code,omitempty"` // line.md 4, only where the call failed

	// PlayedMS is how much of the message the far end has heard, as near as the modem tells,
	// once the call has ended. DurationMS is how long the message is, with what is missing of it.
	PlayedMS   int64 `json:"played_ms"`
	DurationMS int64 `json:"duration_ms"`
}

// LineInfo is a copy of what is known of a line.
type LineInfo struct {
	Name    string `json:"name"`
	Dialect string `json:"dialect"`
	Hook    string `json:"hook"`  // "on-hook", "off-hook", or "unknown" where nothing has told since the start
	State   string `json:"state"` // "idle", "ringing", "in-call", "lent" (a technician has it) or "fault"
	Call    string `json:"call"`  // id of the call on it, or ""
	Fault   string `json:"fault"` // why it is out of service and what to do, or who rings it, or ""
}

// Request asks for a call.
type Request struct {
	User    string                   // whose call it is
	Dial    string                   // the dial string as given
	Item    string                   // item id, for the log
	Message *audio.Message           // what is played; closed when the call needs it no longer, or was not made
	Clip    audio.Clip               // what is played where Message is nil
	Delete  func() error             // marks the message deleted (key 7); nil where it can't be
	Next    func() (Recording, bool) // the user's next message (key #); nil where there is none

	// Greeting, when not nil, makes it a call that plays and re-records a greeting; Clip is the greeting as it is (may be empty).
	Greeting *Greeting
}

// Recording is a message that follows in a call.
type Recording struct {
	Item    string
	Message *audio.Message // closed when the call needs it no longer
	Delete  func() error
}

// Greeting is what a greeting call may do.
type Greeting struct {
	Keep   func(audio.Clip) error // replaces the greeting, atomically
	Delete func() error
}
