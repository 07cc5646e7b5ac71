package soap

import (
	"context"
	"errors"
)

// CallInfo is what a client is told of a call, in Exchange's own words ([MS-OXWUMS]
// 3.1.4.3.4): State is Connecting, Alerted, Connected or Disconnected, Cause with the last is
// None, UserBusy, NoAnswer, Unavailable or Other.
type CallInfo struct {
	State, Cause string
	SIPCode      int // 0 where the call did not fail
	SIPText      string
}

// Properties are a user's voice-mail settings (UMProperties, [MS-OXWUMS] 3.1.4.4). Empty
// strings are settings that aren't set.
type Properties struct {
	OOF, MissedCallNotification             bool
	DialString, AccessNumbers, AccessFolder string
}

// Phone is the telephone side of the two services: what PlayOnPhone and its kin ask for.
// user is the authenticated user's name. The two that play return as soon as a call is on
// its way; Disconnect returns when the line is on-hook, and nil for a call that has ended.
// greeting is NormalCustom or OofCustom. Texts come as the client sent them, without the
// white space around them; an item and a call id are never empty.
type Phone interface {
	PlayOnPhone(ctx context.Context, user, item, dialString string) (callID string, err error)
	PlayOnPhoneGreeting(ctx context.Context, user, greeting, dialString string) (callID string, err error)
	CallInfo(ctx context.Context, user, callID string) (CallInfo, error)
	Disconnect(ctx context.Context, user, callID string) error
}

// Mailbox is the settings side: what voice-mail options pages ask for.
type Mailbox interface {
	Enabled(ctx context.Context, user string) (bool, error)
	Properties(ctx context.Context, user string) (Properties, error)
	SetProperties(ctx context.Context, user string, change func(*Properties)) error
	ResetPIN(ctx context.Context, user string) error
}

// Errors that a Backend returns (wrapped or not) for what a client can be told. Any other
// error is internal: logged, and shown to the client only as an internal error.
var (
	ErrCallID     = errors.New("soap: call id not valid")
	ErrItemID     = errors.New("soap: item id not valid") // malformed
	ErrItem       = errors.New("soap: item not found")
	ErrAudio      = errors.New("soap: item can't be played") // unsupported or damaged audio
	ErrNumber     = errors.New("soap: number not dialable")  // not in the form of a number
	ErrDialRules  = errors.New("soap: number not permitted")
	ErrUserBusy   = errors.New("soap: user already has a call")
	ErrNoLine     = errors.New("soap: no free line")
	ErrRinging    = errors.New("soap: the free line is ringing")
	ErrLineFault  = errors.New("soap: no line works")
	ErrNotEnabled = errors.New("soap: user not enabled for unified messaging")
	ErrHangup     = errors.New("soap: line not confirmed on-hook")
)
