package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

const (
	head              = `<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>`
	tail              = `</soap:Body></soap:Envelope>`
	ns                = `xmlns="http://schemas.microsoft.com/exchange/services/2006/messages"`
	playRequest       = head + `<PlayOnPhone ` + ns + `><entryId>%s</entryId><DialString>%s</DialString></PlayOnPhone>` + tail
	infoRequest       = head + `<GetCallInfo ` + ns + `><CallId>%s</CallId></GetCallInfo>` + tail
	disconnectRequest = head + `<Disconnect ` + ns + `><CallId>%s</CallId></Disconnect>` + tail
	disconnectAnswer  = head + `<DisconnectResponse ` + ns + ` />` + tail
)

// httpConn is one keep-alive connection that knows when the last byte of a request left.
type httpConn struct {
	net.Conn
	r *bufio.Reader
}

func dialHTTP(addr string) (*httpConn, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &httpConn{c, bufio.NewReader(c)}, nil
}

// soap sends one request and returns the answer and the moment before its bytes were sent.
func (c *httpConn) soap(body string) (answer string, sent time.Time, err error) {
	req := "POST /EWS/UM2007Legacy.asmx HTTP/1.1\r\nHost: " + c.RemoteAddr().String() +
		"\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Length: " + fmt.Sprint(len(body)) + "\r\n\r\n" + body
	sent = time.Now()
	if _, err := io.WriteString(c, req); err != nil {
		return "", sent, err
	}
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return "", sent, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, b)
	}
	return string(b), sent, err
}

// wait polls until a call is in a state.
func (c *httpConn) wait(id, state string) error {
	for begin := time.Now(); time.Since(begin) < 30*time.Second; time.Sleep(5 * time.Millisecond) {
		answer, _, err := c.soap(fmt.Sprintf(infoRequest, id))
		if err != nil {
			return err
		}
		switch s := between(answer, "<CallState>", "<"); s {
		case state:
			return nil
		case "Disconnected":
			return fmt.Errorf("call ended: %s", answer)
		}
	}
	return errors.New("call did not reach " + state)
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

// someItem is the id of the longest message in the mailbox.
func someItem(base string) (string, error) {
	resp, err := http.Get(base + "/api/messages")
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var list []struct {
		ID       string
		Duration int64 `json:"duration_ms"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
		return "", err
	}
	best := -1
	for i, m := range list {
		if best < 0 || m.Duration > list[best].Duration {
			best = i
		}
	}
	if best < 0 {
		return "", errors.New("no message")
	}
	return list[best].ID, nil
}
