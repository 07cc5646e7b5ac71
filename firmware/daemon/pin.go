package daemon

import (
	"fmt"

	"hookswitch/firmware/mail"
)

// pinSender delivers a new PIN to its user: by mail where a server is configured, else on
// the technician's side, where it is shown once.
type pinSender struct {
	mail mail.Sender
	show func(text string) // the technician's side
}

// send returns the channel that the PIN went through.
func (p pinSender) send(user, address, pin string) (channel string, err error) {
	if p.mail.Server == "" || address == "" {
		p.show(fmt.Sprintf("New PIN of %s, shown only here and only now: %s", user, pin))
		return "shown to the technician", nil
	}
	err = p.mail.Send(address, "Your new voice mail PIN", "Your voice mail PIN has been reset.\r\n\r\nNew PIN: "+pin+
		"\r\n\r\nIf you did not ask for this, tell your administrator.\r\n")
	return "mail", err
}
