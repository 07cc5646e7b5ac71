package daemon

import (
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"net"
	"net/smtp"
	"os"
	"strings"
	"time"
)

const mailLimit = 10 * time.Second

// pinSender delivers a new PIN to its user: by mail where a server is configured, else on
// the technician's side, where it is shown once.
type pinSender struct {
	server       string // host:port of the SMTP server; "" shows the PIN instead
	from         string
	user         string // of the SMTP server; "" sends without authentication
	passwordFile string
	show         func(text string) // the technician's side
}

// send returns the channel that the PIN went through.
func (p pinSender) send(user, address, pin string) (channel string, err error) {
	if p.server == "" || address == "" {
		p.show(fmt.Sprintf("New PIN of %s, shown only here and only now: %s", user, pin))
		return "shown to the technician", nil
	}
	if strings.ContainsAny(address+p.from, "\r\n") {
		return "", fmt.Errorf("daemon: mail address %q", address)
	}
	var auth smtp.Auth
	if p.user != "" {
		password, err := os.ReadFile(p.passwordFile)
		if err != nil {
			return "", fmt.Errorf("daemon: mail: %w", err)
		}
		host, _, err := net.SplitHostPort(p.server)
		if err != nil {
			return "", fmt.Errorf("daemon: mail server %s: %w", p.server, err)
		}
		auth = smtp.PlainAuth("", p.user, strings.TrimSpace(string(password)), host)
	}
	text := "From: " + p.from + "\r\nTo: " + address + "\r\nSubject: Your new voice mail PIN\r\n" +
		"Date: " + time.Now().Format(time.RFC1123Z) + "\r\nMessage-ID: <" + rand.Text() + "@hookswitch>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" +
		"Your voice mail PIN has been reset.\r\n\r\nNew PIN: " + pin + "\r\n\r\nIf you did not ask for this, tell your administrator.\r\n"
	if err := p.mail(auth, address, []byte(text)); err != nil {
		return "", fmt.Errorf("daemon: mail: %w", err)
	}
	return "mail", nil
}

// mail is smtp.SendMail with a deadline: a client waits for ResetPIN.
func (p pinSender) mail(auth smtp.Auth, to string, text []byte) error {
	conn, err := net.DialTimeout("tcp", p.server, mailLimit)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(mailLimit)); err != nil {
		return err
	}
	host, _, err := net.SplitHostPort(p.server)
	if err != nil {
		return err
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return err
	}
	if ok, _ := c.Extension("STARTTLS"); ok {
		if err := c.StartTLS(&tls.Config{ServerName: host}); err != nil {
			return err
		}
	}
	if auth != nil {
		if err := c.Auth(auth); err != nil {
			return err
		}
	}
	if err := c.Mail(p.from); err != nil {
		return err
	}
	if err := c.Rcpt(to); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return c.Quit()
}
