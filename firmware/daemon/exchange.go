package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/call"
	"hookswitch/firmware/dialing"
	"hookswitch/firmware/mailbox"
	"hookswitch/soap"
)

// exchange is what SOAP clients see: the only file that knows both their words and ours.
type exchange struct {
	calls   *call.Exchange
	store   *mailbox.Store
	users   map[string]account
	maxCall time.Duration // no message longer than a call is taken
	pin     pinSender
	log     *slog.Logger

	decoding *workers // of messages
	mailing  *workers // of new PINs, hashing included
	resets   shared   // a user who asks for fifty new PINs at once gets one
}

// maxDecoding is how many messages are decoded at once: a decoded one is up to ten megabytes.
const maxDecoding = 2

// maxMailing is how many new PINs are on their way at once: each is a password hash, and then
// waits for the mail server.
const maxMailing = 2

// account is what a user may do.
type account struct {
	admin         bool
	um            bool   // unified messaging: PlayOnPhone and its settings
	email         string // where a new PIN goes
	accessNumbers string
}

var (
	_ soap.Phone   = (*exchange)(nil)
	_ soap.Mailbox = (*exchange)(nil)
)

// refusals maps what the engine says to what a client is told; the first match holds. What
// is not here is an internal error, shown to nobody.
var refusals = []struct{ ours, theirs error }{
	{dialing.ErrNumber, soap.ErrNumber},
	{dialing.ErrDenied, soap.ErrDialRules},
	{dialing.ErrQuota, soap.ErrDialRules},
	{call.ErrUserBusy, soap.ErrUserBusy},
	{call.ErrNoLine, soap.ErrNoLine},
	{call.ErrRinging, soap.ErrRinging},
	{call.ErrFault, soap.ErrLineFault},
	{call.ErrUnknown, soap.ErrCallID},
	{call.ErrOnHook, soap.ErrHangup},
	{mailbox.ErrItemID, soap.ErrItemID},
	{mailbox.ErrItem, soap.ErrItem},
	{mailbox.ErrUnfinished, soap.ErrAudio},
	{mailbox.ErrUnreadable, soap.ErrAudio},
	{errUnplayable, soap.ErrAudio},
	{audio.ErrFormat, soap.ErrAudio},
	{audio.ErrBroken, soap.ErrAudio},
	{audio.ErrLimit, soap.ErrAudio},
}

func refusal(err error) error {
	for _, r := range refusals {
		if errors.Is(err, r.ours) {
			return fmt.Errorf("%w: %w", r.theirs, err)
		}
	}
	return err
}

// PlayOnPhone implements soap.Phone.
func (e *exchange) PlayOnPhone(ctx context.Context, user, item, dial string) (string, error) {
	info, err := e.play(ctx, user, item, dial)
	return info.ID, refusal(err)
}

// play starts a call that plays an item. The message is opened, and its beginning decoded,
// before a line is taken: one that can't be played must never ring a telephone.
func (e *exchange) play(ctx context.Context, user, item, dial string) (call.Info, error) {
	if !e.users[user].um {
		return call.Info{}, soap.ErrNotEnabled
	}
	return e.start(ctx, call.Request{User: user, Dial: dial, Item: item}, func(req *call.Request) error {
		msg, r, err := e.load(ctx, user, item)
		req.Message, req.Delete, req.Next = r.Message, r.Delete, e.following(msg)
		return err
	})
}

// start starts the call that prepare completes. What would be refused, and what is only a
// retry, is answered before anything is opened: a client that asks for fifty calls at once
// must not fill the memory. When ctx ends before the call has begun there is none: a
// telephone must not ring for a client that has gone, and asks again.
func (e *exchange) start(ctx context.Context, req call.Request, prepare func(*call.Request) error) (call.Info, error) {
	if info, err := e.calls.Foresee(req); err != nil || info.ID != "" {
		return info, err
	}
	leave, err := e.decoding.enter(ctx, req.User)
	if err != nil {
		return call.Info{}, err
	}
	defer leave()
	if info, err := e.calls.Foresee(req); err != nil || info.ID != "" { // while this one waited
		return info, err
	}
	if err := prepare(&req); err != nil {
		return call.Info{}, err
	}
	if ctx.Err() != nil {
		if req.Message != nil {
			req.Message.Close()
		}
		return call.Info{}, context.Cause(ctx)
	}
	return e.calls.Start(req)
}

// find opens an item of user's; an administrator's items are everybody's.
func (e *exchange) find(user, item string) (io.ReadSeekCloser, mailbox.Message, error) {
	file, msg, err := e.store.Message(user, item)
	if (errors.Is(err, mailbox.ErrItem) || errors.Is(err, mailbox.ErrMailbox)) && e.users[user].admin {
		return e.store.Message("", item)
	}
	return file, msg, err
}

// load opens an item of user's, when the beginning of its sound is there.
func (e *exchange) load(ctx context.Context, user, item string) (msg mailbox.Message, r call.Recording, err error) {
	file, msg, err := e.find(user, item)
	if err != nil {
		return msg, r, err
	}
	sound, err := audio.Load(ctx, file, msg.Name, e.maxCall)
	if err != nil && ctx.Err() == nil {
		return msg, r, &unplayable{msg.Name, err}
	}
	remove := func() error { return e.store.Delete(msg.Mailbox, msg.ID) }
	return msg, call.Recording{Item: msg.ID, Message: sound, Delete: remove}, err
}

// following yields the messages of the same mailbox after msg, as key # asks for them.
func (e *exchange) following(msg mailbox.Message) func() (call.Recording, bool) {
	return func() (call.Recording, bool) {
		list, err := e.store.Messages(msg.Mailbox)
		if err != nil {
			e.log.Error("next message", "mailbox", msg.Mailbox, "error", err)
			return call.Recording{}, false
		}
		for _, m := range list {
			if m.ID != msg.ID && m.After(msg) && m.Fault == "" { // msg may be there no more
				next, r, err := e.load(context.Background(), msg.Mailbox, m.ID)
				if err == nil {
					msg = next
					return r, true
				}
				e.log.Warn("next message passed over", "mailbox", msg.Mailbox, "item", m.ID, "error", err)
			}
		}
		return call.Recording{}, false
	}
}

// PlayOnPhoneGreeting implements soap.Phone.
func (e *exchange) PlayOnPhoneGreeting(ctx context.Context, user, kind, dial string) (string, error) {
	if !e.users[user].um {
		return "", soap.ErrNotEnabled
	}
	info, err := e.start(ctx, call.Request{
		User: user, Dial: dial, Item: kind,
		Greeting: &call.Greeting{
			Keep: func(c audio.Clip) error {
				return e.store.SetGreeting(user, kind, func(w io.Writer) error { return audio.WriteWAV(w, c) })
			},
			Delete: func() error { return e.store.DeleteGreeting(user, kind) },
		},
	}, func(req *call.Request) (err error) {
		req.Clip, err = e.greeting(user, kind)
		return err
	})
	return info.ID, refusal(err)
}

// greeting is the user's greeting as it is; empty where there is none.
func (e *exchange) greeting(user, kind string) (audio.Clip, error) {
	file, err := e.store.Greeting(user, kind)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return audio.Decode(file, e.maxCall)
}

// owned returns a call that user may see: their own; an administrator sees all. Somebody
// else's call is as unknown as one that never was.
func (e *exchange) owned(user, id string) (call.Info, error) {
	info, err := e.calls.Call(id)
	if err == nil && info.User != user && !e.users[user].admin {
		err = call.ErrUnknown
	}
	return info, err
}

// CallInfo implements soap.Phone.
func (e *exchange) CallInfo(_ context.Context, user, id string) (soap.CallInfo, error) {
	info, err := e.owned(user, id)
	if err != nil {
		return soap.CallInfo{}, refusal(err)
	}
	return soap.CallInfo{
		State: string(info.State), Cause: string(info.Cause),
		SIPCode: info.SIPCode, SIPText: call.SIPText(info.SIPCode),
	}, nil
}

// Disconnect implements soap.Phone. A client that goes away does not stop the hang-up.
func (e *exchange) Disconnect(ctx context.Context, user, id string) error {
	if _, err := e.owned(user, id); err != nil {
		return refusal(err)
	}
	return refusal(e.calls.Disconnect(context.WithoutCancel(ctx), id))
}

// userByEmail finds a user for Autodiscover.
func (e *exchange) userByEmail(address string) (string, bool) {
	for name, a := range e.users {
		if a.email != "" && strings.EqualFold(a.email, address) {
			return name, true
		}
	}
	return "", false
}

// Enabled implements soap.Mailbox.
func (e *exchange) Enabled(_ context.Context, user string) (bool, error) {
	return e.users[user].um, nil
}

// Properties implements soap.Mailbox.
func (e *exchange) Properties(_ context.Context, user string) (soap.Properties, error) {
	if !e.users[user].um {
		return soap.Properties{}, soap.ErrNotEnabled
	}
	s, err := e.store.Settings(user)
	p := properties(s)
	p.AccessNumbers = e.users[user].accessNumbers
	return p, err
}

// SetProperties implements soap.Mailbox.
func (e *exchange) SetProperties(_ context.Context, user string, change func(*soap.Properties)) error {
	if !e.users[user].um {
		return soap.ErrNotEnabled
	}
	return e.store.ChangeSettings(user, func(s *mailbox.Settings) {
		p := properties(*s)
		change(&p)
		s.OOF, s.MissedCallNotification = p.OOF, p.MissedCallNotification
		s.DialString, s.AccessFolder = p.DialString, p.AccessFolder
	})
}

func properties(s mailbox.Settings) soap.Properties {
	return soap.Properties{
		OOF: s.OOF, MissedCallNotification: s.MissedCallNotification,
		DialString: s.DialString, AccessFolder: s.AccessFolder,
	}
}

// ResetPIN implements soap.Mailbox. A PIN that can't be delivered leaves the old one in force.
func (e *exchange) ResetPIN(ctx context.Context, user string) error {
	if !e.users[user].um {
		return soap.ErrNotEnabled
	}
	return e.resets.do(ctx, user, func() error {
		leave, err := e.mailing.enter(context.Background(), user)
		if err != nil {
			return err
		}
		defer leave()
		return e.store.ResetPIN(user, func(pin string) error {
			channel, err := e.pin.send(user, e.users[user].email, pin)
			if err != nil {
				return fmt.Errorf("PIN of %s not delivered: %w", user, err)
			}
			e.log.Info("new PIN", "user", user, "delivered", channel)
			return nil
		})
	})
}
