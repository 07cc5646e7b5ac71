package call

import (
	"context"
	"errors"

	"hookswitch/hal"
	"hookswitch/hal/hook"
	"hookswitch/hal/modem"
)

// end says how a call ended, for the three who ask: a client (cause, SIP code), a person
// (reason).
type end struct {
	cause  Cause
	sip    int // 0 where nothing failed
	reason string
}

// ends is the one table from what happened to what is reported; the first match holds.
var ends = []struct {
	err      error
	before   end // the far end had not answered
	answered end // it had
}{
	{errDisconnected, end{None, 0, "disconnected by the user"}, end{None, 0, "disconnected by the user"}},
	{errMaxCall, end{NoAnswer, 480, "maximum call length reached before an answer"}, end{None, 0, "maximum call length reached"}},
	{errShutdown, end{Other, 487, "the daemon was stopped"}, end{Other, 487, "the daemon was stopped"}},
	{errCutOff, end{Other, 487, "the daemon was stopped or the power failed"},
		end{Other, 487, "the daemon was stopped or the power failed in the call: how much was heard is not known"}},
	{hal.ErrLeaseEnded, end{Unavailable, 503, stoodStill}, end{Other, 500, stoodStill}},
	{hal.ErrNoGuard, end{Unavailable, 503, noGuard}, end{Other, 500, noGuard}},
	{errQueue, end{Unavailable, 503, "no line became free in time"}, end{}},
	{errUnheard, end{}, end{NoAnswer, 480, "nobody pressed 1 to hear the message"}}, // a machine answered
	{modem.ErrRinging, end{Unavailable, 503, "the line is ringing"}, end{}},
	{modem.ErrUnsure, end{Other, 500, "given up: the modem no longer told whether the call was still up"},
		end{Other, 500, "given up: the modem no longer told whether the call was still up"}},
	{modem.ErrInUse, end{Unavailable, 503, "another telephone on the line is in use"},
		end{Other, 500, "another telephone on the line was lifted"}},
	{modem.ErrBusy, end{UserBusy, 486, "busy"}, end{None, 0, "the far end hung up"}},
	{modem.ErrNoAnswer, end{NoAnswer, 480, "no answer"}, end{None, 0, "the far end hung up"}},
	{modem.ErrHungUp, end{Other, 500, "the far end hung up while it was being called"}, end{None, 0, "the far end hung up"}},
	{modem.ErrNoCarrier, end{Other, 500, "the call was cut off before an answer, without a reason"}, end{None, 0, "the far end hung up"}},
	{modem.ErrNoDialTone, end{Unavailable, 503, "no dial tone: check the line's cable, and that no other telephone is off-hook"}, end{Other, 500, "the line was lost"}},
	{modem.ErrSound, end{Unavailable, 503, "the modem's sound does not work"}, end{Other, 500, "the modem's sound has failed"}},
	{modem.ErrNoService, end{Unavailable, 503, "the network does not put the call through"}, end{Other, 500, "the network was lost"}},
	{modem.ErrRestarted, end{Unavailable, 503, "the modem restarted by itself: check its power supply"},
		end{Unavailable, 503, "the modem restarted by itself: check its power supply"}},
	{modem.ErrGone, end{Unavailable, 503, "the modem is gone: check its cable and power"}, end{Unavailable, 503, "the modem is gone: check its cable and power"}},
	{errSilent, end{Unavailable, 503, "the line's modem has not confirmed the last hang-up: hookswitch lines says more"}, end{}},
	{hook.ErrInUse, end{Unavailable, 503, "another telephone on the line is in use"}, end{Other, 500, "another telephone on the line was lifted"}},
	{hook.ErrRinging, end{Unavailable, 503, "the line is ringing"}, end{}},
	{hook.ErrNoLoop, end{Unavailable, 503, "no loop current: check the line's cable and the hook relay's contact"}, end{Other, 500, "no loop current"}},
	{hook.ErrLoopLost, end{Unavailable, 503, "the exchange dropped the line before an answer"}, end{None, 0, "the far end hung up"}},
	{hook.ErrCurrent, end{Unavailable, 503, "current flows on the line without a call: put down the other telephone on it, or check the hook relay's contact"}, end{}},
	{hook.ErrInput, end{Unavailable, 503, "an input of the line can't be read: hookswitch lines says which"}, end{Other, 500, "an input of the line could not be read any more: hookswitch lines says which"}},
	{hook.ErrRelay, end{Unavailable, 503, "a relay of the line can't be driven: hookswitch lines says why"}, end{Other, 500, "a relay of the line could not be driven: hookswitch lines says why"}},
	{hook.ErrDigit, end{Unavailable, 503, "this line dials by pulses, which * and # have not"}, end{}},
	{modem.ErrTimeout, end{Other, 500, "the modem did not reply"}, end{Other, 500, "the modem did not reply"}},
	{modem.ErrRefused, end{Other, 500, "the modem refused a command"}, end{Other, 500, "the modem refused a command"}},
}

// What the guard of the hook relay does to a call, before the answer and after it.
const (
	stoodStill = "the board had stood still for too long, and its guard put the line on-hook: try again"
	noGuard    = "the process that drives the hook relay has died, and the line was put on-hook: try again in a few seconds"
)

// outcome finds the end that err stands for; nil is a call whose message was played.
func outcome(err error, answered bool) end {
	if err == nil {
		return end{None, 0, "played to the end"}
	}
	for _, row := range ends {
		if errors.Is(err, row.err) {
			found := row.before
			if answered {
				found = row.answered
			}
			var says interface{ Sentence() string }
			if errors.As(err, &says) { // it knows better which of the reasons it is
				found.reason = says.Sentence()
			}
			return found
		}
	}
	if errors.Is(err, context.Canceled) {
		return end{Other, 487, "cancelled"}
	}
	return end{Other, 500, "internal error: see the log"}
}

// worthRedialling says whether a later attempt may succeed.
func worthRedialling(err error) bool {
	return errors.Is(err, modem.ErrBusy) || errors.Is(err, modem.ErrNoAnswer) || errors.Is(err, errUnheard)
}

// sipText are the reason phrases of RFC 3261 21 for the codes above.
var sipText = map[int]string{
	480: "Temporarily Unavailable",
	486: "Busy Here",
	487: "Request Terminated",
	500: "Server Internal Error",
	503: "Service Unavailable",
}

// SIPText is the reason phrase that goes with Info.SIPCode; "" for 0.
func SIPText(code int) string { return sipText[code] }
