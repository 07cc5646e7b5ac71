package daemon

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"hookswitch/firmware/call"
	"hookswitch/firmware/config"
	"hookswitch/firmware/update"
	"hookswitch/firmware/web"
)

const (
	// proofLimit is how long a version on trial has to prove itself; init has a longer
	// limit of its own.
	proofLimit = 150 * time.Second
	// idleLimit is how long a restart that can wait waits for calls to end.
	idleLimit = 30 * time.Minute
)

// updater is the daemon's part in an update of the appliance. On other machines card is nil.
type updater struct {
	card  *update.Card
	calls *call.Exchange
	log   *slog.Logger

	ctx     context.Context // ends with close
	cancel  context.CancelFunc
	working sync.WaitGroup
}

func newUpdater(calls *call.Exchange, log *slog.Logger) *updater {
	card, err := update.OpenCard()
	if err != nil {
		card = nil
	}
	u := &updater{card: card, calls: calls, log: log}
	u.ctx, u.cancel = context.WithCancel(context.Background())
	return u
}

// close stops what waits. A restart that was still waiting for calls to end is dropped.
func (u *updater) close() {
	u.cancel()
	u.working.Wait()
}

// ServeHTTP is /api/update, for administrators.
func (u *updater) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !web.UserOf(r).Admin:
		http.Error(w, "ERROR: only an administrator may do that", http.StatusForbidden)
	case u.card == nil:
		http.Error(w, "ERROR: "+update.ErrNoCard.Error(), http.StatusNotImplemented)
	default:
		h := &update.Handler{Card: u.card, Restart: func(how update.Restart) { u.working.Go(func() { u.restart(how) }) }}
		h.ServeHTTP(w, r)
	}
}

// restart asks for a restart once no call is up.
func (u *updater) restart(how update.Restart) {
	ctx, cancel := context.WithTimeout(u.ctx, idleLimit)
	defer cancel()
	for ctx.Err() == nil {
		changed := u.calls.Changed()
		if !u.inCall() {
			break
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	if u.ctx.Err() != nil {
		return
	}
	if err := how.Request(); err != nil {
		u.log.Error("restart", "error", err)
	}
}

func (u *updater) inCall() bool {
	for _, l := range u.calls.Lines() {
		if l.State == "in-call" {
			return true
		}
	}
	return false
}

// trialToken lets a version on trial log in to itself: it returns a bearer token that one
// of the users has from now on, in this process only; "" where nothing is on trial.
func (u *updater) trialToken(users []config.User) string {
	if u.card == nil || !u.card.Trial() || len(users) == 0 {
		return ""
	}
	token, hash := config.NewToken()
	users[0].TokenHash = append(users[0].TokenHash, hash)
	return token
}

// prove confirms a version on trial when it has answered a SOAP request of its own and
// every configured line has been seen, and otherwise returns to the version before.
func (u *updater) prove(addr net.Addr, useTLS bool, token string) {
	if u.card == nil || !u.card.Trial() {
		return
	}
	u.working.Go(func() {
		ctx, cancel := context.WithTimeout(u.ctx, proofLimit)
		defer cancel()
		err := u.card.Prove(ctx, func(ctx context.Context) error {
			if err := askOneself(ctx, addr, useTLS, token); err != nil {
				return err
			}
			return everyLineSeen(u.calls.Lines())
		})
		switch {
		case err == nil:
			u.log.Info("update confirmed", "version", u.card.Running.Version)
		case u.ctx.Err() == nil:
			u.log.Error("update", "error", err)
			_ = update.Again.Request()
		}
	})
}

func everyLineSeen(lines []call.LineInfo) error {
	for _, l := range lines {
		if l.State == "fault" {
			return fmt.Errorf("line %s: %s", l.Name, l.Fault)
		}
	}
	return nil
}

const isUMEnabled = `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><IsUMEnabled xmlns="http://schemas.microsoft.com/exchange/services/2006/messages"/></s:Body></s:Envelope>`

// askOneself sends a SOAP request the way a client's comes: through the port, TLS and login.
func askOneself(ctx context.Context, addr net.Addr, useTLS bool, token string) error {
	_, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return err
	}
	scheme := map[bool]string{true: "https", false: "http"}[useTLS]
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, scheme+"://"+net.JoinHostPort("127.0.0.1", port)+"/EWS/UM2007Legacy.asmx", strings.NewReader(isUMEnabled))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "text/xml; charset=utf-8")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	// It is not about whom we reach, but whether we answer.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err == nil && (resp.StatusCode != http.StatusOK || !strings.Contains(string(body), "IsUMEnabledResponse")) {
		err = fmt.Errorf("own SOAP request: %s", resp.Status)
	}
	return err
}
