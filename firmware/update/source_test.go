package update_test

import (
	"bytes"
	"crypto/ed25519"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"hookswitch/firmware/update"
)

func TestUpdateOverHTTP(t *testing.T) {
	good := archive(t, newer, owner, slotOf("v2"))
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/good" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(good)
	}))
	defer files.Close()
	form := func(u string) string { return url.Values{"url": {u}}.Encode() }
	tests := []struct {
		name, method string
		body         []byte
		status       int
		last         string // start of the last line
		restarts     bool
	}{
		{"an archive as the body", http.MethodPut, good, 200, "OK: v2", true},
		{"the address of one", http.MethodPost, []byte(form(files.URL + "/good")), 200, "OK: v2", true},
		{"a damaged archive", http.MethodPut, good[:len(good)-9], 200, "ERROR: update: archive is damaged", false},
		{"something else", http.MethodPut, []byte("GIF89a"), 422, "ERROR: update: archive is damaged", false},
		{"another's archive", http.MethodPut, archive(t, newer, thief, slotOf("v2")), 422, "ERROR: update: not signed", false},
		{"an address without an archive", http.MethodPost, []byte(form(files.URL + "/none")), 400, "ERROR: update: http", false},
		{"a file of the board's own", http.MethodPost, []byte(form("file:///etc/passwd")), 400, "ERROR: update: \"file", false},
		{"no address", http.MethodPost, nil, 400, "ERROR: update: \"\"", false},
		{"another method", http.MethodDelete, nil, 405, "ERROR: update: GET", false},
		{"a question", http.MethodGet, nil, 200, "OK: version v1", false},
		{"a key", http.MethodPost, []byte(url.Values{"key": {string(update.FormatKey(thief.Public().(ed25519.PublicKey)))}}.Encode()), 200, "OK: from now on", false},
		{"something that is no key", http.MethodPost, []byte("key=12345"), 422, "ERROR: update: not a public key", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var restarts []update.Restart
			h := &update.Handler{Card: newCard(t), Restart: func(r update.Restart) { restarts = append(restarts, r) }}
			r := httptest.NewRequest(tt.method, "/", bytes.NewReader(tt.body))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			lines := strings.Split(strings.TrimSpace(w.Body.String()), "\n")
			if last := lines[len(lines)-1]; w.Code != tt.status || !strings.HasPrefix(last, tt.last) {
				t.Errorf("got %d %q, want %d %q", w.Code, last, tt.status, tt.last)
			}
			if (len(restarts) == 1 && restarts[0] == update.Try) != tt.restarts {
				t.Errorf("restarts: %v", restarts)
			}
		})
	}
}

func TestSpoolGivesBackWhatItGot(t *testing.T) {
	f, err := update.Spool(strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if b, err := io.ReadAll(f); err != nil || string(b) != "hello" {
		t.Errorf("got %q, %v", b, err)
	}
}
