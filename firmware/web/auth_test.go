package web_test

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/bcrypt"

	"hookswitch/firmware/config"
	"hookswitch/firmware/web"
)

// hashes are those of hash, made once.
var hashes sync.Map

// hash is of the least cost.
func hash(t *testing.T, password string) string {
	t.Helper()
	if h, ok := hashes.Load(password); ok {
		return h.(string)
	}
	h, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	hashes.Store(password, string(h))
	return string(h)
}

func newAuth(t *testing.T) *web.Auth {
	return &web.Auth{
		Users: []config.User{
			{Name: "anna", Email: "anna.smith@example.com", PasswordHash: hash(t, "correct horse")},
			{Name: "jörg", PasswordHash: hash(t, "pässwört:mit:colon")},
			{Name: "root", Email: "anna@example.com", PasswordHash: hash(t, "another horse"), Admin: true},
		},
		Realm: "hookswitch", Log: slog.New(slog.DiscardHandler),
		Public: func(r *http.Request) bool { return r.URL.RawQuery == "wsdl" },
	}
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// try sends a request over TLS and returns the answer, whose body is the user if it was let in.
func try(a *web.Auth, from, authorization string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "https://board/EWS/Exchange.asmx", strings.NewReader("<xml/>"))
	r.RemoteAddr, r.TLS = from, &tls.ConnectionState{}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	w := httptest.NewRecorder()
	a.Wrap(who()).ServeHTTP(w, r)
	return w
}

// who answers with the user that was authenticated.
func who() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u := web.UserOf(r)
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%s admin=%v", u.Name, u.Admin)
	})
}

func TestWhoIsLetIn(t *testing.T) {
	latin1 := func(s string) string {
		var b []byte
		for _, r := range s {
			b = append(b, byte(r))
		}
		return string(b)
	}
	tests := []struct {
		name, authorization string
		status              int
		user                string
	}{
		{"nobody without credentials", "", 401, ""},
		{"a user", basic("anna", "correct horse"), 200, "anna admin=false"},
		{"an administrator", basic("root", "another horse"), 200, "root admin=true"},
		{"a user in capitals", basic("ANNA", "correct horse"), 200, "anna admin=false"},
		{"a user of a domain", basic(`EXAMPLE\anna`, "correct horse"), 200, "anna admin=false"},
		{"a user of a domain and an address", basic(`EXAMPLE\anna@example.org`, "correct horse"), 200, "anna admin=false"},
		{"a user at any domain", basic("anna@corp.example", "correct horse"), 200, "anna admin=false"},
		{"a mail address", basic("anna.smith@example.com", "correct horse"), 200, "anna admin=false"},
		{"a mail address before a name at a domain", basic("anna@example.com", "another horse"), 200, "root admin=true"},
		{"not that name's user with the other's mail address", basic("anna@example.com", "correct horse"), 401, ""},
		{"a user in UTF-8, with colons in the password", basic("jörg", "pässwört:mit:colon"), 200, "jörg admin=false"},
		{"a user in ISO 8859-1", basic(latin1("jörg"), latin1("pässwört:mit:colon")), 200, "jörg admin=false"},
		{"a scheme in other letters", "bAsIc " + strings.TrimPrefix(basic("anna", "correct horse"), "Basic "), 200, "anna admin=false"},
		{"not a wrong password", basic("anna", "wrong horse"), 401, ""},
		{"not an empty password", basic("anna", ""), 401, ""},
		{"not a password as name", basic("correct horse", "anna"), 401, ""},
		{"not a stranger", basic("eve", "correct horse"), 401, ""},
		{"not an empty name", basic("", "correct horse"), 401, ""},
		{"not a part of a name", basic("ann", "correct horse"), 401, ""},
		{"not with damaged base64", "Basic !!!!", 401, ""},
		{"not without a colon", "Basic " + base64.StdEncoding.EncodeToString([]byte("anna")), 401, ""},
		{"not with NTLM while it is off", "NTLM TlRMTVNTUAABAAAAB4IIAAAAAAAAAAAAAAAAAAAAAAA=", 401, ""},
		{"not with Negotiate", "Negotiate TlRMTVNTUAABAAAA", 401, ""},
		{"not with a token that is nobody's", "Bearer x", 401, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := try(newAuth(t), "192.0.2.1:4000", test.authorization)
			if w.Code != test.status || test.status == 200 && w.Body.String() != test.user {
				t.Errorf("got %d %q, want %d %q", w.Code, w.Body, test.status, test.user)
			}
		})
	}
}

func TestAChallengeOffersOnlyWhatWorks(t *testing.T) {
	nt, err := config.NTHash("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	_, token := config.NewToken()
	withPassword := config.User{Name: "anna", PasswordHash: hash(t, "correct horse")}
	withToken := config.User{Name: "script", TokenHash: []string{token}}
	withNT := config.User{Name: "old", NTHash: nt}
	const basicOffer, bearerOffer = `Basic realm="hookswitch", charset="UTF-8"`, `Bearer realm="hookswitch"`
	tests := []struct {
		name  string
		users []config.User
		ntlm  bool
		major int
		want  []string
	}{
		{"passwords", []config.User{withPassword}, false, 1, []string{basicOffer}},
		{"passwords and tokens", []config.User{withPassword, withToken}, false, 1, []string{basicOffer, bearerOffer}},
		{"tokens", []config.User{withToken}, false, 1, []string{bearerOffer}},
		{"no NTLM while it is off", []config.User{withPassword, withNT}, false, 1, []string{basicOffer}},
		{"no NTLM while nobody can use it", []config.User{withPassword}, true, 1, []string{basicOffer}},
		{"NTLM", []config.User{withPassword, withNT}, true, 1, []string{"NTLM", basicOffer}},
		{"no NTLM over HTTP/2", []config.User{withPassword, withNT}, true, 2, []string{basicOffer}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := newAuth(t)
			a.Users, a.NTLM = test.users, test.ntlm
			r := httptest.NewRequest(http.MethodGet, "https://board/", nil)
			r.ProtoMajor = test.major
			w := httptest.NewRecorder()
			a.Wrap(who()).ServeHTTP(w, r)
			if got := w.Result().Header["Www-Authenticate"]; w.Code != 401 || fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("got %d %q, want 401 %q", w.Code, got, test.want)
			}
		})
	}
}

func TestATokenLogsIn(t *testing.T) {
	a := newAuth(t)
	token, tokenHash := config.NewToken()
	a.Users[0].TokenHash = []string{strings.Repeat("0", 64), tokenHash}
	for range 10 { // what others try from there does not matter
		try(a, "192.0.2.1:4000", "Bearer guess")
	}
	if w := try(a, "192.0.2.1:4000", "Bearer "+token); w.Body.String() != "anna admin=false" {
		t.Errorf("got %d %q, want anna", w.Code, w.Body)
	}
	if w := try(a, "192.0.2.1:4000", "Bearer guess"); w.Code != http.StatusTooManyRequests {
		t.Errorf("the eleventh guess got %d, want 429", w.Code)
	}
}

func TestWhatIsPublicNeedsNoLogin(t *testing.T) {
	a := newAuth(t)
	w := httptest.NewRecorder()
	a.Wrap(who()).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "https://board/EWS/Exchange.asmx?wsdl", nil))
	if w.Code != 200 || w.Body.String() != " admin=false" {
		t.Errorf("got %d %q, want 200 and no user", w.Code, w.Body)
	}
}

func TestCredentialsAreRefusedWithoutTLSFromTheNetwork(t *testing.T) {
	for from, want := range map[string]int{"192.0.2.1:4000": 403, "127.0.0.1:4000": 200, "[::1]:4000": 200, "[::ffff:127.0.0.1]:4000": 200, "[fe80::1%eth0]:4000": 403, "": 403} {
		r := httptest.NewRequest(http.MethodPost, "http://board/", nil)
		r.RemoteAddr = from
		r.Header.Set("Authorization", basic("anna", "correct horse"))
		w := httptest.NewRecorder()
		newAuth(t).Wrap(who()).ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("from %q: got %d, want %d", from, w.Code, want)
		}
	}
}

func TestWithoutUsersThisMachineIsTheAdministrator(t *testing.T) {
	tests := []struct {
		name, method, from, host, origin string
		want                             int
	}{
		{"by address", "GET", "127.0.0.1:1", "127.0.0.1:8080", "", 200},
		{"by IPv6 address", "GET", "[::1]:1", "[::1]:8080", "", 200},
		{"by name", "GET", "127.0.0.1:1", "localhost:8080", "", 200},
		{"by name without port", "GET", "127.0.0.1:1", "LOCALHOST", "", 200},
		{"by the board's name", "GET", "127.0.0.1:1", "board.local:8080", "", 200},
		{"by any address", "GET", "127.0.0.1:1", "192.168.1.9:8080", "", 200},
		{"with HTTP/1.0's empty host", "GET", "127.0.0.1:1", "", "", 200},
		{"not from the network", "GET", "192.0.2.1:1", "127.0.0.1", "", 403},
		{"not by another name, which a browser may have been led to", "GET", "127.0.0.1:1", "rebound.example:8080", "", 403},
		{"not by another name in a browser's POST", "POST", "127.0.0.1:1", "rebound.example:8080", "http://rebound.example:8080", 403},
		{"by any name in the POST of a program", "POST", "127.0.0.1:1", "autodiscover.example.com", "", 200},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := &web.Auth{Realm: "hookswitch", Host: "Board", Log: slog.New(slog.DiscardHandler)}
			r := httptest.NewRequest(test.method, "http://x/", nil)
			r.RemoteAddr, r.Host = test.from, test.host
			if test.origin != "" {
				r.Header.Set("Origin", test.origin)
			}
			w := httptest.NewRecorder()
			a.Wrap(who()).ServeHTTP(w, r)
			if w.Code != test.want || test.want == 200 && w.Body.String() != "local admin=true" {
				t.Errorf("got %d %q, want %d", w.Code, w.Body, test.want)
			}
		})
	}
}

// attempt is one login in a story of logins.
type attempt struct {
	after                time.Duration
	from, user, password string
	want                 int
}

func TestFailedLoginsMakeTheNextOnesWait(t *testing.T) {
	const anna, wrong, right = "anna", "wrong horse", "correct horse"
	const here, there = "192.0.2.1:4000", "198.51.100.7:4000"
	tries := func(from, user string) []attempt {
		return []attempt{{0, from, user, wrong, 401}, {0, from, user, wrong, 401}, {0, from, user, wrong, 401}, {0, from, user, wrong, 429}}
	}
	tests := []struct {
		name  string
		story []attempt
	}{
		{"twice wrong is forgiven", []attempt{{0, here, anna, wrong, 401}, {0, here, anna, wrong, 401}, {0, here, anna, right, 200}}},
		{"the right password waits too", append(tries(here, anna), attempt{0, here, anna, right, 429}, attempt{1100 * time.Millisecond, here, anna, right, 200})},
		{"the wait doubles", append(tries(here, anna), attempt{1100 * time.Millisecond, here, anna, wrong, 401}, attempt{1100 * time.Millisecond, here, anna, right, 429}, attempt{time.Second, here, anna, right, 200})},
		{"success forgets", append(tries(here, anna), attempt{2 * time.Second, here, anna, right, 200}, attempt{0, here, anna, wrong, 401}, attempt{0, here, anna, wrong, 401}, attempt{0, here, anna, right, 200})},
		{"another user of the client waits", append(tries(here, anna), attempt{0, here, "root", "another horse", 429})},
		{"another client of the user waits", append(tries(here, anna), attempt{0, there, anna, right, 429})},
		{"another client of another user does not", append(tries(here, anna), attempt{0, there, "root", "another horse", 200})},
		{"a stranger waits as a user does", append(tries(here, "eve"), attempt{0, there, "eve", wrong, 429})},
		{"other spellings of a name are the same name", []attempt{{0, here, "anna@example.org", wrong, 401}, {0, here, `D\ANNA`, wrong, 401}, {0, here, anna, wrong, 401}, {0, there, anna, right, 429}}},
		{"a neighbour in the same IPv6 network is somebody else", append(tries("[2001:db8::1]:1", "eve"), attempt{0, "[2001:db8::2]:1", anna, right, 200})},
		{"and so is one on the same link", append(tries("[fe80::1%eth0]:1", "eve"), attempt{0, "[fe80::2%eth0]:1", anna, right, 200})},
		{"who takes another address of the network for each guess waits for the user", []attempt{{0, "[2001:db8::1]:1", anna, wrong, 401}, {0, "[2001:db8::2]:1", anna, wrong, 401}, {0, "[2001:db8::3]:1", anna, wrong, 401}, {0, "[2001:db8::4]:1", anna, right, 429}}},
		{"who has logged in here before is not kept out by what others try elsewhere", append([]attempt{{0, here, anna, right, 200}, {time.Hour, there, anna, wrong, 401}, {0, there, anna, wrong, 401}, {0, there, anna, wrong, 401}, {0, there, anna, wrong, 429}}, attempt{0, here, anna, right, 200})},
		{"and who is logged in not by what others try here", append([]attempt{{0, here, anna, right, 200}}, append(tries(here, anna), attempt{0, here, anna, right, 200})...)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAuth(t)
				for i, step := range test.story {
					time.Sleep(step.after)
					w := try(a, step.from, basic(step.user, step.password))
					if w.Code != step.want {
						t.Fatalf("step %d: got %d %q, want %d", i, w.Code, w.Body, step.want)
					}
					if retry := w.Header().Get("Retry-After"); (step.want == 429) != (retry != "") {
						t.Errorf("step %d: %d with Retry-After %q", i, w.Code, retry)
					}
				}
			})
		})
	}
}

func TestGuessingElsewhereKeepsAUserOutForSecondsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAuth(t)
		for i := range 20 {
			try(a, fmt.Sprintf("192.0.2.%d:1", i), basic("anna", "wrong horse"))
			time.Sleep(16 * time.Second)
		}
		if w := try(a, "198.51.100.7:1", basic("anna", "correct horse")); w.Code != http.StatusOK {
			t.Errorf("got %d %q", w.Code, w.Body)
		}
	})
}

func TestTheWaitIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAuth(t)
		for range 40 {
			try(a, "192.0.2.1:1", basic("anna", "wrong"))
			time.Sleep(5*time.Minute + time.Second)
		}
		if w := try(a, "192.0.2.1:1", basic("anna", "correct horse")); w.Code != 200 {
			t.Errorf("got %d after five minutes, want 200", w.Code)
		}
	})
}

// TestAGuesserBesideAUserKeepsThemOutOfNothing, at the same proxy's address say, for as long as
// a call may last. A verified password is recognised at no cost, a guesser's too: so each of
// those guesses costs a connection.
func TestAGuesserBesideAUserKeepsThemOutOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAuth(t)
		const proxy = "192.0.2.1:1"
		try(a, proxy, basic("anna", "correct horse"))
		for hour := range 12 {
			for i := range 200 {
				guess := try(a, proxy, basic("anna", fmt.Sprint("guess", i)))
				if part := guess.Header().Get("Connection") == "close"; i > 150 && !part {
					t.Fatalf("guess %d of hour %d: the connection stays", i, hour)
				}
				if w := try(a, proxy, basic("anna", "correct horse")); w.Code != 200 {
					t.Fatalf("beside guess %d of hour %d: got %d, want 200", i, hour, w.Code)
				}
			}
			time.Sleep(time.Hour)
		}
	})
}

func TestARememberedLoginIsNotPushedOutByMany(t *testing.T) {
	if testing.Short() {
		t.Skip("a thousand passwords are checked, one after the other")
	}
	a := newAuth(t)
	for i := range 1200 {
		try(a, fmt.Sprintf("192.0.%d.%d:1", i/250, i%250), basic("jörg", "pässwört:mit:colon"))
		if i%500 == 0 {
			try(a, "198.51.100.7:1", basic("anna", "correct horse"))
		}
	}
	a.Users[0].PasswordHash = "" // nobody's: only what is remembered is let in
	if w := try(a, "198.51.100.7:1", basic("anna", "correct horse")); w.Code != 200 {
		t.Errorf("got %d, want 200", w.Code)
	}
}

func TestAFloodOfLoginsFindsNoMoreThanAFewTries(t *testing.T) {
	a := newAuth(t)
	var flood sync.WaitGroup
	var mu sync.Mutex
	codes := map[int]int{}
	for i := range 200 {
		flood.Go(func() {
			w := try(a, "192.0.2.1:1", basic("anna", fmt.Sprint("guess", i)))
			mu.Lock()
			defer mu.Unlock()
			codes[w.Code]++
		})
	}
	flood.Wait()
	if codes[401] > 4 || codes[200] > 0 || codes[401]+codes[429]+codes[503] != 200 {
		t.Errorf("got %v, want at most 4 looked at", codes)
	}
}

func TestACrowdWithOneLoginIsLetInAfterARestart(t *testing.T) {
	a := newAuth(t)
	a.Users[0].PasswordHash = slowHash(t, "correct horse")
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			if w := try(a, "192.0.2.1:1000", basic("anna", "correct horse")); w.Code != http.StatusOK {
				t.Errorf("status %d, want 200", w.Code)
			}
		})
	}
	wg.Wait()
}

// slowHash takes long enough to check that a crowd has come meanwhile.
func slowHash(t *testing.T, password string) string {
	t.Helper()
	cost := bcrypt.DefaultCost
	if testing.Short() {
		cost -= 3
	}
	h, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	if err != nil {
		t.Fatal(err)
	}
	return string(h)
}

func TestALogInNamesNoSecret(t *testing.T) {
	var out bytes.Buffer
	a := newAuth(t)
	a.Log = slog.New(slog.NewTextHandler(&out, nil))
	try(a, "192.0.2.1:4000", basic("correct horse", "anna")) // the two exchanged
	try(a, "192.0.2.1:4000", basic("anna", "almost right"))
	try(a, "192.0.2.2:4000", "Bearer secret-token")
	got := out.String()
	for _, secret := range []string{"horse", "almost", "secret-token"} {
		if strings.Contains(got, secret) {
			t.Errorf("the log has %q:\n%s", secret, got)
		}
	}
	for _, want := range []string{"user=anna", "from=192.0.2.1", "user=unknown", "from=192.0.2.2"} {
		if !strings.Contains(got, want) {
			t.Errorf("the log lacks %q:\n%s", want, got)
		}
	}
}

// Clients send their request without credentials first, and again on the same connection.
func TestAConnectionSurvivesARefusedRequestWithItsBody(t *testing.T) {
	s, err := web.NewServer(web.ServerConfig{Listen: "127.0.0.1:0", Handler: newAuth(t).Wrap(who()), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1, ExpectContinueTimeout: 5 * time.Second}}
	var connections sync.Map
	for _, expect := range []string{"", "100-continue"} {
		for _, authorization := range []string{"", basic("anna", "correct horse")} {
			r, _ := http.NewRequest(http.MethodPost, "http://"+s.Addr().String()+"/", bytes.NewReader(make([]byte, 60<<10)))
			r.Header.Set("Expect", expect)
			if authorization != "" {
				r.Header.Set("Authorization", authorization)
			}
			resp, err := client.Do(withConnections(r, &connections))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if want := map[bool]int{true: 401, false: 200}[authorization == ""]; resp.StatusCode != want {
				t.Errorf("got %d, want %d", resp.StatusCode, want)
			}
		}
	}
	n := 0
	connections.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// withConnections notes the connections that a request is sent on.
func withConnections(r *http.Request, seen *sync.Map) *http.Request {
	return r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { seen.Store(info.Conn.LocalAddr().String(), true) },
	}))
}
