package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/call"
	"hookswitch/firmware/config"
	"hookswitch/firmware/dialing"
	"hookswitch/firmware/mailbox"
	"hookswitch/firmware/web"
	"hookswitch/hal/modem"
	"hookswitch/hal/sim"
	"hookswitch/soap"
)

// Ids of ended calls: base64 with every character that a path has to escape.
const (
	annasCall = "YW5u//8/Pz4+QGJvYXJk+A=="
	bertsCall = "YmVydEBib2FyZA=="
)

// api is a board with a simulated line, the users anna, bert and root, an ended call and a
// message of anna and of bert each, behind the JSON interface.
type api struct {
	*httptest.Server
	calls *call.Exchange
	data  string
	log   *logged
}

// logged is what is logged.
type logged struct {
	mu   sync.Mutex // guards text
	text strings.Builder
}

func (l *logged) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

// since returns what was logged after the first n bytes, and how many there are now.
func (l *logged) since(n int) (string, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()[n:], l.text.Len()
}

func newAPI(t *testing.T) *api {
	t.Helper()
	data := t.TempDir()
	log := ""
	for id, user := range map[string]string{annasCall: "anna", bertsCall: "bert"} {
		record, err := json.Marshal(call.Info{ID: id, State: call.Disconnected, Cause: call.UserBusy, User: user, Number: "5550101", Started: time.Unix(1000, 0)})
		if err != nil {
			t.Fatal(err)
		}
		log += string(record) + "\n"
		file := filepath.Join(data, "mailbox", user, "messages", "from-"+user+".wav")
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := audio.WriteWAV(f, make(audio.Clip, 8000)); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
	}
	if err := os.WriteFile(filepath.Join(data, "calls.jsonl"), []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := mailbox.Open(filepath.Join(data, "mailbox"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	network := sim.New(sim.Options{Speed: 20})
	line := network.GSM("gsm1")
	calls, err := call.New(call.Options{
		Lines:   []call.LineConfig{{Name: "gsm1", Modem: modem.Config{Name: "gsm1", Dialect: "gsm", Open: line.Port, OpenPCM: line.PCM}}},
		Rules:   &dialing.Rules{Allow: []string{"55501xx"}},
		LogPath: filepath.Join(data, "calls.jsonl"), Host: "board",
	})
	if err != nil {
		t.Fatal(err)
	}
	said := &logged{}
	a := &web.API{Calls: calls, Store: store, Log: slog.New(slog.NewTextHandler(said, nil)), Updates: true, Faults: func() []string { return []string{"the <card> is full"} }, Play: func(_ context.Context, user, item, dial string) (call.Info, error) {
		switch item {
		case "":
			return call.Info{}, fmt.Errorf("open: %w", mailbox.ErrItemID)
		case "secret-failure":
			return call.Info{}, errors.New("disk /dev/sda1 is on fire")
		case "not-enabled":
			return call.Info{}, soap.ErrNotEnabled
		}
		return calls.Start(call.Request{User: user, Item: item, Dial: dial, Clip: make(audio.Clip, 60*audio.Rate)})
	}}
	users := &web.Auth{Realm: "hookswitch", Log: a.Log}
	for _, name := range []string{"anna", "bert", "root"} {
		users.Users = append(users.Users, config.User{Name: name, PasswordHash: hash(t, "password of "+name), Admin: name == "root"})
	}
	b := &api{Server: httptest.NewServer(users.Wrap(a.Handler())), calls: calls, data: data, log: said}
	t.Cleanup(func() {
		b.Server.CloseClientConnections()
		b.Server.Close()
		if err := calls.Close(); err != nil {
			t.Errorf("calls: %v", err)
		}
		_ = network.Close()
	})
	return b
}

// ask sends a request as a user and decodes the answer into v, which may be nil.
func (a *api) ask(t *testing.T, user, method, path, body string, v any) *http.Response {
	t.Helper()
	r, err := http.NewRequest(method, a.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(user, "password of "+user)
	resp, err := a.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if v != nil {
		if err := json.Unmarshal(b, v); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, b)
		}
	}
	return resp
}

func callPath(id string) string { return "/api/calls/" + url.PathEscape(id) }

func TestAUserSeesTheirOwnAndAnAdministratorAll(t *testing.T) {
	a := newAPI(t)
	for user, want := range map[string][]string{"anna": {"anna"}, "bert": {"bert"}, "root": {"anna", "bert"}} {
		var calls []call.Info
		var messages []mailbox.Message
		a.ask(t, user, "GET", "/api/calls", "", &calls)
		a.ask(t, user, "GET", "/api/messages", "", &messages)
		var callers, boxes []string
		for _, c := range calls {
			callers = append(callers, c.User)
		}
		for _, m := range messages {
			boxes = append(boxes, m.Mailbox)
		}
		slices.Sort(callers)
		slices.Sort(boxes)
		if !slices.Equal(callers, want) || !slices.Equal(boxes, want) {
			t.Errorf("%s sees calls of %v and messages of %v, want %v", user, callers, boxes, want)
		}
		for _, method := range []string{"GET", "DELETE"} {
			for id, owner := range map[string]string{annasCall: "anna", bertsCall: "bert"} {
				status := 404
				if slices.Contains(want, owner) {
					status = 200
				}
				if got := a.ask(t, user, method, callPath(id), "", nil).StatusCode; got != status {
					t.Errorf("%s %s's call as %s: got %d, want %d", method, owner, user, got, status)
				}
			}
		}
	}
}

// The fields are fixed: programs read them.
func TestTheLineOfSomebodyElsesCallDoesNotNameIt(t *testing.T) {
	a := newAPI(t)
	var c call.Info
	a.ask(t, "anna", http.MethodPost, "/api/calls", `{"item": "x", "number": "5550102"}`, &c)
	for user, want := range map[string]string{"anna": c.ID, "bert": "", "root": c.ID} {
		var lines []call.LineInfo
		a.ask(t, user, http.MethodGet, "/api/lines", "", &lines)
		if len(lines) != 1 || lines[0].State != "in-call" || lines[0].Call != want {
			t.Errorf("%s sees %+v, want the call %q", user, lines, want)
		}
		events, stop := a.stream(t, user, "/api/events")
		_, data := event(t, events)
		if strings.Contains(data, c.ID) != (want != "") {
			t.Errorf("%s is told %s, want the call %q", user, data, want)
		}
		stop()
	}
}

func TestTheJSONHasItsFields(t *testing.T) {
	a := newAPI(t)
	for path, want := range map[string][]string{
		"/api/lines":    {"name", "dialect", "hook", "state", "call", "fault"},
		"/api/calls":    {"id", "state", "cause", "line", "number", "item", "user", "started"},
		"/api/messages": {"id", "name", "mailbox", "duration_ms"},
	} {
		var list []map[string]any
		resp := a.ask(t, "root", "GET", path, "", &list)
		if got := resp.Header.Get("Content-Type"); !strings.HasPrefix(got, "application/json") {
			t.Errorf("%s is %s", path, got)
		}
		if len(list) == 0 {
			t.Errorf("%s is empty", path)
			continue
		}
		for _, field := range want {
			if _, ok := list[0][field]; !ok {
				t.Errorf("%s lacks %s: %v", path, field, list[0])
			}
		}
	}
}

func TestAnEmptyListIsAnArray(t *testing.T) {
	calls, err := call.New(call.Options{Rules: &dialing.Rules{}})
	if err != nil {
		t.Fatal(err)
	}
	defer calls.Close()
	store, err := mailbox.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	h := (&web.API{Calls: calls, Store: store, Log: slog.New(slog.DiscardHandler)}).Handler()
	for _, path := range []string{"/api/lines", "/api/calls", "/api/messages"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if got := strings.TrimSpace(w.Body.String()); got != "[]" {
			t.Errorf("%s: got %s, want []", path, got)
		}
	}
}

func TestFaultsOfTheBoardAreShownToEverybody(t *testing.T) {
	a := newAPI(t)
	for _, user := range []string{"anna", "root"} {
		var got []string
		if resp := a.ask(t, user, http.MethodGet, "/api/faults", "", &got); resp.StatusCode != http.StatusOK || !slices.Equal(got, []string{"the <card> is full"}) {
			t.Errorf("%s gets %s, %q", user, resp.Status, got)
		}
		r, err := http.NewRequest(http.MethodGet, a.URL+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth(user, "password of "+user)
		resp, err := a.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || !strings.Contains(string(page), "<li>the &lt;card&gt; is full") {
			t.Errorf("%s's page: %v in %s", user, err, page)
		}
	}
}

func TestARefusedRequestSaysWhatToDo(t *testing.T) {
	a := newAPI(t)
	tests := []struct {
		name, method, path, body string
		status                   int
		says                     string
	}{
		{"an unknown call", "GET", "/api/calls/unknown", "", 404, "hookswitch calls"},
		{"an unknown call to hang up", "DELETE", "/api/calls/unknown", "", 404, "hookswitch calls"},
		{"an unknown address", "GET", "/api/nothing", "", 404, "nothing"},
		{"another method", "PUT", "/api/lines", "", 404, "method"},
		{"no JSON", "POST", "/api/calls", "item=1", 400, "item"},
		{"two documents", "POST", "/api/calls", `{"item":"a","number":"5550100"}{}`, 400, "item"},
		{"a field that there is not", "POST", "/api/calls", `{"item":"a","to":"5550100"}`, 400, "number"},
		{"an endless document", "POST", "/api/calls", `{"item":"` + strings.Repeat("a", 1<<20), 400, "item"},
		{"no item", "POST", "/api/calls", `{"number":"5550100"}`, 400, "hookswitch messages"},
		{"no number", "POST", "/api/calls", `{"item":"a"}`, 400, "telephone number"},
		{"a number that is not permitted", "POST", "/api/calls", `{"item":"a","number":"911"}`, 403, "permitted"},
		{"a user without unified messaging", "POST", "/api/calls", `{"item":"not-enabled","number":"5550100"}`, 403, "um"},
		{"an event stream of an unknown call", "GET", "/api/events?call=unknown", "", 404, "hookswitch calls"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var p web.Problem
			_, before := a.log.since(0)
			resp := a.ask(t, "anna", test.method, test.path, test.body, &p)
			if resp.StatusCode != test.status || !strings.Contains(p.Error, test.says) || strings.Contains(p.Error, "call: ") {
				t.Errorf("got %d %q, want %d and %q", resp.StatusCode, p.Error, test.status, test.says)
			}
			log, _ := a.log.since(before)
			for _, want := range []string{"request refused", "user=anna", test.method + " /api/", "reason="} {
				if !strings.Contains(log, want) && test.says != "nothing" && test.says != "method" {
					t.Errorf("no %s in the log: %s", want, log)
				}
			}
		})
	}
}

func TestAnInternalErrorIsShownToNobody(t *testing.T) {
	var p web.Problem
	resp := newAPI(t).ask(t, "anna", "POST", "/api/calls", `{"item":"secret-failure","number":"5550100"}`, &p)
	if resp.StatusCode != 500 || strings.Contains(p.Error, "sda1") {
		t.Errorf("got %d %q, want 500 and no details", resp.StatusCode, p.Error)
	}
}

func TestAnotherSitesPageCannotUseABrowsersLogin(t *testing.T) {
	a := newAPI(t)
	for name, header := range map[string][2]string{
		"that says where it comes from": {"Sec-Fetch-Site", "cross-site"},
		"of the same domain's other":    {"Sec-Fetch-Site", "same-site"},
		"that says its origin":          {"Origin", "https://evil.example"},
		"that hides its origin":         {"Origin", "null"},
	} {
		for method, path := range map[string]string{"POST": "/api/calls", "DELETE": callPath(annasCall)} {
			r, _ := http.NewRequest(method, a.URL+path, strings.NewReader(`{"item":"a","number":"5550100"}`))
			r.SetBasicAuth("anna", "password of anna")
			r.Header.Set(header[0], header[1])
			resp, err := a.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusForbidden {
				t.Errorf("%s by a page %s: got %d, want 403", method, name, resp.StatusCode)
			}
		}
	}
}

// event reads one server-sent event.
func event(t *testing.T, r *bufio.Reader) (name, data string) {
	t.Helper()
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("the stream ended: %v", err)
		}
		switch field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": "); field {
		case "event":
			name = value
		case "data":
			data = value
		case "":
			if data != "" {
				return name, data
			}
		}
	}
}

func (a *api) stream(t *testing.T, user, path string) (*bufio.Reader, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, _ := http.NewRequestWithContext(ctx, "GET", a.URL+path, nil)
	r.SetBasicAuth(user, "password of "+user)
	resp, err := a.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = resp.Body.Close() })
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || got != "text/event-stream" {
		t.Fatalf("got %d %s, want an event stream", resp.StatusCode, got)
	}
	return bufio.NewReader(resp.Body), cancel
}

func TestACallIsFollowedToItsEndAndHungUp(t *testing.T) {
	a := newAPI(t)
	everything, _ := a.stream(t, "root", "/api/events")
	if name, data := event(t, everything); name != "line" || !strings.Contains(data, `"on-hook"`) {
		t.Errorf("the first event is %s %s, want the line on-hook", name, data)
	}
	stranger, _ := a.stream(t, "bert", "/api/events")

	var c call.Info
	if resp := a.ask(t, "anna", "POST", "/api/calls", `{"item":"a","number":"5550100"}`, &c); resp.StatusCode != 201 {
		t.Fatalf("got %d, want 201", resp.StatusCode)
	}
	own, _ := a.stream(t, "anna", "/api/events?call="+url.QueryEscape(c.ID))
	var last call.Info
	for last.State != call.Connected {
		name, data := event(t, own)
		if err := json.Unmarshal([]byte(data), &last); err != nil || name != "call" || last.ID != c.ID {
			t.Fatalf("got %s %s, want the call", name, data)
		}
	}
	var ended call.Info
	if resp := a.ask(t, "anna", "DELETE", callPath(c.ID), "", &ended); resp.StatusCode != 200 || ended.State != call.Disconnected {
		t.Errorf("hang up: got %d %s, want Disconnected", resp.StatusCode, ended.State)
	}
	for last.State != call.Disconnected {
		_, data := event(t, own)
		if err := json.Unmarshal([]byte(data), &last); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := own.ReadString('\n'); err != io.EOF {
		t.Errorf("after the end of the call the stream has %v, want its end", err)
	}
	seen := map[string]bool{}
	for !seen["Disconnected"] {
		name, data := event(t, everything)
		if name == "call" {
			var c call.Info
			if err := json.Unmarshal([]byte(data), &c); err != nil {
				t.Fatal(err)
			}
			seen[string(c.State)] = true
		}
	}
	// A line's changes are everybody's to see, a call's are not.
	for range 2 {
		if name, data := event(t, stranger); name != "line" {
			t.Errorf("bert was told of %s %s", name, data)
		}
	}
	var lines []call.LineInfo
	a.ask(t, "anna", "GET", "/api/lines", "", &lines)
	if lines[0].Hook != "on-hook" {
		t.Errorf("the line is %s", lines[0].Hook)
	}
}

func TestEventStreamsAreLimited(t *testing.T) {
	a := newAPI(t)
	var cancels []context.CancelFunc
	open := func(user string) {
		_, cancel := a.stream(t, user, "/api/events")
		cancels = append(cancels, cancel)
	}
	for range 8 {
		open("anna")
	}
	if got := a.ask(t, "anna", "GET", "/api/events", "", nil); got.StatusCode != 503 || got.Header.Get("Retry-After") == "" {
		t.Errorf("one too many got %d, want 503 with Retry-After", got.StatusCode)
	}
	if got := a.ask(t, "anna", "GET", "/api/lines", "", nil).StatusCode; got != 200 {
		t.Errorf("meanwhile another request got %d", got)
	}
	open("bert") // what one user has open is not the others' loss
	for _, cancel := range cancels {
		cancel()
	}
}

func TestThePageShowsWhatAUserMaySee(t *testing.T) {
	a := newAPI(t)
	evil := filepath.Join(a.data, "mailbox", "anna", "messages", "<script>alert(1)<script>.wav")
	b, err := os.ReadFile(filepath.Join(a.data, "mailbox", "anna", "messages", "from-anna.wav"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(evil, append(b, 0), 0o600); err != nil {
		t.Fatal(err)
	}
	r, _ := http.NewRequest("GET", a.URL+"/", nil)
	r.SetBasicAuth("anna", "password of anna")
	resp, err := a.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	for want, there := range map[string]bool{
		"gsm1": true, "on-hook": true, "5550101": true, "from-anna": true, "from-bert": false,
		"<script>alert": false, "/EWS/UM2007Legacy.asmx": true,
	} {
		if strings.Contains(string(text), want) != there {
			t.Errorf("%q on the page: %v, want %v", want, !there, there)
		}
	}
	if csp := resp.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("Content-Security-Policy %q", csp)
	}
	if strings.Contains(string(text), "<form") {
		t.Error("anna, who is no administrator, is offered to update the software")
	}
	if got := a.ask(t, "anna", "GET", "/elsewhere", "", nil).StatusCode; got != 404 {
		t.Errorf("/elsewhere: got %d, want 404", got)
	}
}
