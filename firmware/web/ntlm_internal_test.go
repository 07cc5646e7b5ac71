package web

import (
	"bytes"
	"crypto/rc4"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"hookswitch/firmware/config"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The numbers are those of [MS-NLMP] 4.2.1 and 4.2.4.
func TestNTLMv2AsInTheSpecification(t *testing.T) {
	blob := unhex(t, "0101000000000000 0000000000000000 aaaaaaaaaaaaaaaa 00000000"+
		"02000c00 44006f006d00610069006e00 01000c00 530065007200760065007200 00000000 00000000")
	nt, err := config.NTHash("Password")
	if err != nil {
		t.Fatal(err)
	}
	if want := "a4f49c406510bdcab6824ee7c30fd852"; nt != want {
		t.Fatalf("NT hash %s, want %s", nt, want)
	}
	m := authenticateMessage{user: "User", domain: "Domain", response: append(unhex(t, "68cd0ab851e51c96aabc927bebef6a1c"), blob...)}
	challenge := [8]byte(unhex(t, "0123456789abcdef"))
	base, ok := m.check(unhex(t, nt), challenge)
	if want := "8de40ccadbc14a82f15cb0ad0de95ca3"; !ok || hex.EncodeToString(base) != want {
		t.Errorf("got session key %x, %v, want %s", base, ok, want)
	}
	challenge[0]++
	if _, ok := m.check(unhex(t, nt), challenge); ok {
		t.Error("the answer to one challenge was taken for another")
	}
}

// The number was computed with other software, from the definitions in RFC 2744 3.11 and RFC
// 5929 4.
func TestAChannelBindingTiesALoginToOurCertificate(t *testing.T) {
	leaf := []byte("not a certificate")
	got := channelBinding(leaf)
	if want := "9282603c6a0b47ab07409e949666bf14"; hex.EncodeToString(got[:]) != want {
		t.Errorf("got %x, want %s", got, want)
	}
	m := authenticateMessage{pairs: map[uint16][]byte{avChannelBindings: got[:]}}
	tests := []struct {
		name   string
		said   []byte
		secure bool
		want   bool
	}{
		{"the right one", got[:], true, true},
		{"of another certificate", bytes.Repeat([]byte{1}, 16), true, false},
		{"none", nil, true, true},
		{"zeros, which mean none", make([]byte, 16), true, true},
		{"any without TLS", bytes.Repeat([]byte{1}, 16), false, true},
	}
	for _, test := range tests {
		m.pairs[avChannelBindings] = test.said
		if got := m.bound(test.secure, leaf); got != test.want {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

// ntlmClient makes the messages of a client ([MS-NLMP] 3.1.5).
type ntlmClient struct {
	user, domain, password string
	mic, exchange          bool // it signs; with a key of its own choice
	spoil                  func(msg []byte)
	negotiate              []byte
}

func (c *ntlmClient) first() string {
	flags := uint32(0xa0088207)
	if c.exchange {
		flags |= ntlmSign | ntlmVersion | ntlmKeyExchange
	}
	c.negotiate = binary.LittleEndian.AppendUint32(append(bytes.Clone(ntlmSignature), ntlmNegotiate, 0, 0, 0), flags)
	c.negotiate = append(c.negotiate, make([]byte, 16)...)
	return "NTLM " + base64.StdEncoding.EncodeToString(c.negotiate)
}

func (c *ntlmClient) second(t *testing.T, challenge string) string {
	t.Helper()
	token, ok := strings.CutPrefix(challenge, "NTLM ")
	offer, err := base64.StdEncoding.DecodeString(token)
	if !ok || err != nil || len(offer) < 56 {
		t.Fatalf("no challenge: %q", challenge)
	}
	nt, _ := config.NTHash(c.password)
	owf := hmacMD5(unhex(t, nt), toUTF16(strings.ToUpper(c.user)+c.domain))
	info, ok := ntlmField(offer, 40)
	if !ok {
		t.Fatal("the challenge has no target info")
	}
	blob := append([]byte{1, 1}, make([]byte, blobSize-2)...)
	if c.mic {
		blob = append(blob, 6, 0, 4, 0, avFlagMIC, 0, 0, 0)
	}
	blob = append(append(blob, info...), 0, 0, 0, 0)
	proof := hmacMD5(owf, offer[24:32], blob)
	const header = 88
	msg := append(append(bytes.Clone(ntlmSignature), 3, 0, 0, 0), make([]byte, header-12)...)
	put := func(at int, v []byte) {
		binary.LittleEndian.PutUint16(msg[at:], uint16(len(v)))
		binary.LittleEndian.PutUint16(msg[at+2:], uint16(len(v)))
		binary.LittleEndian.PutUint32(msg[at+4:], uint32(len(msg)))
		msg = append(msg, v...)
	}
	put(20, append(bytes.Clone(proof), blob...))
	put(28, toUTF16(c.domain))
	put(36, toUTF16(c.user))
	flags := binary.LittleEndian.Uint32(offer[20:])
	key := hmacMD5(owf, proof)
	if c.exchange {
		if flags&ntlmSign == 0 || flags&ntlmKeyExchange == 0 || offer[55] != 15 {
			t.Fatalf("what was asked for is not offered: %x", offer)
		}
		own := []byte("a key of its own")
		secret := make([]byte, len(own))
		cipher, err := rc4.NewCipher(key)
		if err != nil {
			t.Fatal(err)
		}
		cipher.XORKeyStream(secret, own)
		put(52, secret)
		key = own
	} else if flags != ntlmFlags {
		t.Fatalf("what was not asked for is offered: %x", offer)
	}
	binary.LittleEndian.PutUint32(msg[60:], flags)
	if c.mic {
		copy(msg[micOffset:], hmacMD5(key, c.negotiate, offer, msg))
	}
	if c.spoil != nil {
		c.spoil(msg)
	}
	return "NTLM " + base64.StdEncoding.EncodeToString(msg)
}

func ntlmServer(t *testing.T, secure *tls.Config) *Server {
	t.Helper()
	nt, err := config.NTHash("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	a := &Auth{
		Users: []config.User{{Name: "anna", NTHash: nt}, {Name: "bert"}},
		Realm: "hookswitch", NTLM: true, Log: slog.New(slog.DiscardHandler),
		Public: func(r *http.Request) bool { return r.URL.Path == "/page" },
	}
	if secure != nil {
		a.Leaf = secure.Certificates[0].Certificate[0]
	}
	s, err := NewServer(ServerConfig{Listen: "127.0.0.1:0", TLS: secure, NoHTTP2: true, Log: a.Log, Handler: a.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, UserOf(r).Name+" "+string(b))
	}))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(t.Context()) })
	return s
}

// ntlmServers are one without TLS and one with it, by their schemes.
func ntlmServers(t *testing.T) map[string]*Server {
	t.Helper()
	cert, err := SelfSigned(t.TempDir(), "board")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*Server{"http": ntlmServer(t, nil), "https": ntlmServer(t, &tls.Config{Certificates: []tls.Certificate{cert}})}
}

func TestAnNTLMHandshakeLogsAConnectionIn(t *testing.T) {
	anna := func(c ntlmClient) ntlmClient {
		if c.user == "" {
			c.user = "anna"
		}
		if c.password == "" {
			c.password = "correct horse"
		}
		return c
	}
	tests := []struct {
		name   string
		client ntlmClient
		want   int
	}{
		{"a user", ntlmClient{}, 200},
		{"a user of a domain", ntlmClient{user: "ANNA", domain: "EXAMPLE"}, 200},
		{"a user who signs", ntlmClient{mic: true}, 200},
		{"a user who signs with a key of their own", ntlmClient{mic: true, exchange: true}, 200},
		{"not with a wrong password", ntlmClient{password: "wrong horse"}, 401},
		{"not a stranger", ntlmClient{user: "eve"}, 401},
		{"not a user without a hash", ntlmClient{user: "bert"}, 401},
		{"not with a wrong signature", ntlmClient{mic: true, spoil: func(msg []byte) { msg[micOffset]++ }}, 401},
		{"not with a wrong signature and a key of their own", ntlmClient{mic: true, exchange: true, spoil: func(msg []byte) { msg[micOffset]++ }}, 401},
		{"not with a proof changed on its way", ntlmClient{spoil: func(msg []byte) { msg[88]++ }}, 401},
		{"not with flags changed on their way", ntlmClient{mic: true, spoil: func(msg []byte) { msg[61]++ }}, 401},
		{"not with a response beyond the end", ntlmClient{spoil: func(msg []byte) { msg[24], msg[25] = 0xff, 0xff }}, 401},
		{"not with an offset that overflows", ntlmClient{spoil: func(msg []byte) { copy(msg[24:], "\xff\xff\xff\xff") }}, 401},
		{"not with NTLMv1's short response", ntlmClient{spoil: func(msg []byte) { msg[20], msg[21] = 24, 0 }}, 401},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := ntlmServer(t, nil)
			client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
			defer client.CloseIdleConnections()
			send := func(authorization string) *http.Response {
				r, _ := http.NewRequest(http.MethodPost, "http://"+s.Addr().String()+"/", strings.NewReader("body"))
				if authorization != "" {
					r.Header.Set("Authorization", authorization)
				}
				resp, err := client.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				return resp
			}
			c := anna(test.client)
			last := c.second(t, send(c.first()).Header.Get("WWW-Authenticate"))
			if got := send(last).StatusCode; got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
			if got := send("").StatusCode; got != test.want {
				t.Errorf("the next request on the connection got %d, want %d", got, test.want)
			}
			if got := send(last).StatusCode; got != 401 {
				t.Errorf("the same message once more got %d, want 401", got)
			}
			client.CloseIdleConnections()
			if got := send("").StatusCode; got != 401 {
				t.Errorf("another connection got %d, want 401", got)
			}
		})
	}
}

func TestAnNTLMHandshakeMayBeginAtAPublicPage(t *testing.T) {
	s := ntlmServer(t, nil)
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	send := func(method, path, authorization string) *http.Response {
		r, _ := http.NewRequest(method, "http://"+s.Addr().String()+path, nil)
		r.Header.Set("Authorization", authorization)
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		return resp
	}
	if got := send(http.MethodGet, "/page", "").StatusCode; got != 200 {
		t.Errorf("the page without a login: got %d, want 200", got)
	}
	c := ntlmClient{user: "anna", password: "correct horse"}
	last := c.second(t, send(http.MethodGet, "/page", c.first()).Header.Get("WWW-Authenticate"))
	if got := send(http.MethodPost, "/", last).StatusCode; got != 200 {
		t.Errorf("got %d, want 200", got)
	}
}

func TestAnNTLMMessageWithoutAChallengeIsRefused(t *testing.T) {
	s := ntlmServer(t, nil)
	for _, token := range []string{"", "x", "TlRMTVNTUAADAAAA", strings.Repeat("A", 1<<13), base64.StdEncoding.EncodeToString(append(bytes.Clone(ntlmSignature), 3, 0, 0, 0))} {
		r, _ := http.NewRequest(http.MethodGet, "http://"+s.Addr().String()+"/", nil)
		r.Header.Set("Authorization", "NTLM "+token)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if got := resp.Header.Get("WWW-Authenticate"); resp.StatusCode != 401 || got != "NTLM" {
			t.Errorf("%.20q: got %d %q, want 401 NTLM", token, resp.StatusCode, got)
		}
	}
}

func TestCurlLogsInWithNTLM(t *testing.T) {
	version, err := exec.Command("curl", "--version").Output()
	if err != nil || !strings.Contains(string(version), "NTLM") {
		t.Skip("no curl with NTLM")
	}
	for scheme, s := range ntlmServers(t) {
		for password, want := range map[string]string{"correct horse": "anna body 200", "wrong horse": " 401"} {
			out, err := exec.Command("curl", "-sSk", "--ntlm", "--user", `EXAMPLE\anna:`+password, "--data-binary", "body", "-w", " %{http_code}", scheme+"://"+s.Addr().String()+"/").CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if !strings.HasSuffix(string(out), want) {
				t.Errorf("%s %s: got %q, want %q", scheme, password, out, want)
			}
		}
	}
}

// TestGSSNTLMSSPLogsIn drives Debian's gss-ntlmssp, by which .NET's HttpClient logs in on
// Linux. It wants signatures, as that client does, and says which certificate it has seen.
func TestGSSNTLMSSPLogsIn(t *testing.T) {
	for scheme, s := range ntlmServers(t) {
		for password, want := range map[string]string{"correct horse": "200 anna body", "wrong horse": "401"} {
			// Debian's own: the one that sees Debian's modules.
			out, err := exec.Command("/usr/bin/python3", "testdata/gss/client.py", scheme, s.Addr().String(), "anna", password, "body").CombinedOutput()
			if err != nil || strings.TrimSpace(string(out)) != want {
				t.Errorf("%s %s: %v %s, want %s", scheme, password, err, out, want)
			}
		}
	}
}

func FuzzNTLM(f *testing.F) {
	f.Add(append(bytes.Clone(ntlmSignature), 1, 0, 0, 0))
	whole := append(append(bytes.Clone(ntlmSignature), 3, 0, 0, 0), make([]byte, 120)...)
	binary.LittleEndian.PutUint16(whole[20:], proofSize+blobSize+4)
	binary.LittleEndian.PutUint32(whole[24:], 64)
	binary.LittleEndian.PutUint32(whole[60:], ntlmFlags)
	f.Add(whole)
	a := &Auth{Users: []config.User{{Name: "anna"}}, Log: slog.New(slog.DiscardHandler)}
	f.Fuzz(func(t *testing.T, msg []byte) {
		m, err := parseAuthenticate(msg)
		if err != nil {
			return
		}
		if len(m.response) < proofSize+blobSize {
			t.Fatalf("a response of %d bytes", len(m.response))
		}
		base, _ := m.check(make([]byte, 16), [8]byte{})
		m.checkMIC(base, nil, nil, msg)
		m.bound(true, []byte("leaf"))
		a.find(m.user)
	})
}
