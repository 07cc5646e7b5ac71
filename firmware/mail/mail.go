// Package mail sends mail through a server of the owner's (SMTP, RFC 5321).
package mail

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

// limit is how long a server may take in all: a client waits for it.
const limit = 10 * time.Second

// Sender sends through one server.
type Sender struct {
	Server       string // host:port
	From         string // mail address
	User         string // of the server; "" sends without authentication
	PasswordFile string
}

// Send sends a plain text, whose lines end in CR LF, and returns when the server has taken it.
func (s Sender) Send(to, subject, text string) error {
	if strings.ContainsAny(to+s.From, "\r\n") {
		return fmt.Errorf("mail: address %q", to)
	}
	var auth smtp.Auth
	if s.User != "" {
		password, err := os.ReadFile(s.PasswordFile)
		if err != nil {
			return fmt.Errorf("mail: %w", err)
		}
		host, _, err := net.SplitHostPort(s.Server)
		if err != nil {
			return fmt.Errorf("mail: server %s: %w", s.Server, err)
		}
		auth = smtp.PlainAuth("", s.User, strings.TrimSpace(string(password)), host)
	}
	head := "From: " + s.From + "\r\nTo: " + to + "\r\nSubject: " + subject + "\r\nDate: " + time.Now().Format(time.RFC1123Z) +
		"\r\nMessage-ID: <" + rand.Text() + "@hookswitch>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: text/plain; charset=utf-8\r\n\r\n"
	if err := s.deliver(auth, to, []byte(head+text)); err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	return nil
}

// deliver is smtp.SendMail with a deadline.
func (s Sender) deliver(auth smtp.Auth, to string, text []byte) error {
	conn, err := net.DialTimeout("tcp", s.Server, limit)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	host, _, err := net.SplitHostPort(s.Server)
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
	if err := c.Mail(s.From); err != nil {
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
