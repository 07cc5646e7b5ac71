package soap_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/soap"
)

// repeat writes f(0) … f(n-1).
func repeat(n int, f func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(f(i))
	}
	return b.String()
}

// hostile are documents that were made to do harm. Each is sent to every service.
var hostile = []struct{ name, doc string }{
	{"10 000 levels", strings.Repeat("<a>", 10_000)},
	{"10 000 levels in the body", envelope(strings.Repeat("<m:a>", 5_000) + strings.Repeat("</m:a>", 5_000))},
	{"a million levels", strings.Repeat("<a>", 1_000_000)},
	{"100 000 attributes", "<a" + repeat(100_000, func(i int) string { return fmt.Sprintf(" a%d=''", i) }) + "/>"},
	{"5 000 attributes", "<a" + repeat(5_000, func(i int) string { return fmt.Sprintf(" a%d=''", i) }) + "/>"},
	{"one attribute 5 000 times", "<a" + strings.Repeat(" a=''", 5_000) + "/>"},
	{"a million empty elements", envelope(strings.Repeat("<a/>", 1_000_000))},
	{"10 000 empty elements", envelope(strings.Repeat("<a/>", 10_000))},
	{"10 000 operations", envelope(strings.Repeat("<m:ResetPIN/>", 4_000))},
	{"10 000 headers, then nothing", envelope("", strings.Repeat("<a/>", 10_000))},
	{"an attribute of 60 KiB", "<a b='" + strings.Repeat("x", 60<<10) + "'/>"},
	{"a name of 60 KiB", "<" + strings.Repeat("x", 60<<10) + "/>"},
	{"a flood of namespaces", strings.Repeat("<a"+repeat(30, func(i int) string { return fmt.Sprintf(" xmlns:p%d='u'", i) })+">", 31) + strings.Repeat("<q:a/>", 5_000)},
	{"a flood of default namespaces", repeat(31, func(i int) string { return fmt.Sprintf("<a xmlns='urn:%d'>", i) }) + strings.Repeat("<b/>", 10_000)},
	{"a thousand namespaces in one tag", "<a" + repeat(1_000, func(i int) string { return fmt.Sprintf(" xmlns:p%d='u'", i) }) + "/>"},
	{"laughs by the billion", `<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><a>&c;</a>`},
	{"an external entity", `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`},
	{"an external document type", `<?xml version="1.0"?><!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd">` + envelope("<m:IsUMEnabled/>")},
	{"a parameter entity", `<!DOCTYPE a [<!ENTITY % p "<!ENTITY q 'x'>">%p;]><a>&q;</a>`},
	{"an entity without a declaration", envelope("<m:GetCallInfo><m:CallId>&xxe;</m:CallId></m:GetCallInfo>")},
	{"a NUL", envelope("<m:GetCallInfo><m:CallId>x\x00</m:CallId></m:GetCallInfo>")},
	{"a NUL by number", envelope("<m:GetCallInfo><m:CallId>&#0;</m:CallId></m:GetCallInfo>")},
	{"a surrogate alone", envelope("<m:GetCallInfo><m:CallId>\xed\xa0\x80</m:CallId></m:GetCallInfo>")},
	{"a surrogate by number", envelope("<m:GetCallInfo><m:CallId>&#xD800;</m:CallId></m:GetCallInfo>")},
	{"a surrogate alone in UTF-16", "\xff\xfe<\x00a\x00>\x00\x00\xd8"},
	{"bytes that aren't UTF-8", envelope("<m:GetCallInfo><m:CallId>\xff\xfe</m:CallId></m:GetCallInfo>")},
	{"an encoding that isn't supported", `<?xml version="1.0" encoding="gb2312"?>` + envelope("<m:GetCallInfo><m:CallId>\xc4\xe3</m:CallId></m:GetCallInfo>")},
	{"an escape to the terminal", envelope("<m:GetCallInfo><m:CallId>\x1b[2J</m:CallId></m:GetCallInfo>")},
	{"a comment without an end", "<a><!--" + strings.Repeat("-", 60<<10)},
	{"a CDATA section without an end", "<a><![CDATA[" + strings.Repeat("]]", 30<<10)},
	{"an instruction without an end", "<a><?" + strings.Repeat("?", 60<<10)},
	{"a tag without an end", "<a " + strings.Repeat(" ", 60<<10)},
	{"references without an end", "<a>" + strings.Repeat("&#x41", 12_000)},
	{"64 KiB and a byte", strings.Repeat(" ", soap.MaxBody+1)},
	{"64 KiB of white space", strings.Repeat(" ", soap.MaxBody)},
	{"nothing", ""},
	{"a second document", envelope("<m:IsUMEnabled/>") + envelope("<m:ResetPIN/>")},
}

// TestHostileDocumentsAreRefusedInBoundedMemory counts what each costs, its client left out.
func TestHostileDocumentsAreRefusedInBoundedMemory(t *testing.T) {
	const mostBytes = 1 << 20
	b := &board{}
	h := handler(b)
	for _, path := range []string{umPath, ewsPath, "/autodiscover/autodiscover.svc", "/autodiscover/autodiscover.xml"} {
		for _, test := range hostile {
			for _, zip := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s gzip %v %s", test.name, zip, path), func(t *testing.T) {
					body := test.doc
					if zip {
						body = gzipped(body)
					}
					r := httptest.NewRequest("POST", path, strings.NewReader(body))
					r.Header.Set("Content-Type", "text/xml")
					if zip {
						r.Header.Set("Content-Encoding", "gzip")
					}
					w := httptest.NewRecorder()
					var before, after runtime.MemStats
					runtime.ReadMemStats(&before)
					h.ServeHTTP(w, r)
					runtime.ReadMemStats(&after)
					if used := after.TotalAlloc - before.TotalAlloc; used > mostBytes {
						t.Errorf("it took %d bytes of memory", used)
					}
					refused := w.Code == http.StatusInternalServerError || w.Code == http.StatusRequestEntityTooLarge
					if path == "/autodiscover/autodiscover.xml" && w.Code == http.StatusOK {
						refused = strings.Contains(w.Body.String(), "<ErrorCode>600</ErrorCode>")
					}
					if !refused || w.Body.Len() == 0 {
						t.Errorf("got %d %s", w.Code, w.Body)
					}
				})
			}
		}
	}
	if len(b.asked) > 0 {
		t.Errorf("the backend was asked %q", b.asked)
	}
}

func TestATinyBodyThatInflatesWithoutEndIsRefused(t *testing.T) {
	bomb := gzipped(strings.Repeat(" ", 32<<20))
	if len(bomb) > soap.MaxBody {
		t.Fatalf("the bomb has %d bytes", len(bomb))
	}
	r := httptest.NewRequest("POST", umPath, strings.NewReader(bomb))
	r.Header.Set("Content-Encoding", "gzip")
	w := httptest.NewRecorder()
	handler(&board{}).ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

// pipes is a listener whose connections are made in memory, where a bubble's time rules.
type pipes struct {
	c    chan net.Conn
	done chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.c:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}
func (p pipes) Close() error   { close(p.done); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// dial serves h and gives the client's end of a connection to it. It must be called in a
// bubble, and stop before its end.
func dial(h http.Handler, readTimeout time.Duration) (client net.Conn, stop func()) {
	l := pipes{make(chan net.Conn), make(chan struct{})}
	served, closed := make(chan struct{}), make(chan struct{})
	s := &http.Server{Handler: h, ReadTimeout: readTimeout, ConnState: func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			close(closed)
		}
	}}
	go func() {
		s.Serve(l)
		close(served)
	}()
	client, server := net.Pipe()
	l.c <- server
	return client, func() {
		client.Close()
		s.Close()
		<-served
		<-closed
	}
}

// TestBodiesThatLieOrDawdleEnd is about time and length, in a bubble where waiting is free.
func TestBodiesThatLieOrDawdleEnd(t *testing.T) {
	doc := envelope(getCallInfo)
	head := func(length int) string {
		return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n", umPath, length)
	}
	for _, test := range []struct {
		name   string
		send   func(c net.Conn)
		status int
		within time.Duration
	}{
		{"a byte a second", func(c net.Conn) {
			io.WriteString(c, head(len(doc)))
			for i := range doc {
				time.Sleep(time.Second)
				if _, err := io.WriteString(c, doc[i:i+1]); err != nil {
					return
				}
			}
		}, http.StatusRequestTimeout, 11 * time.Second},
		{"a body that never comes", func(c net.Conn) { io.WriteString(c, head(len(doc))) }, http.StatusRequestTimeout, 11 * time.Second},
		{"a body shorter than it says", func(c net.Conn) { io.WriteString(c, head(len(doc)+10)+doc) }, http.StatusRequestTimeout, 11 * time.Second},
		{"a body longer than it says", func(c net.Conn) { io.WriteString(c, head(len(doc)-10)+doc) }, http.StatusInternalServerError, time.Second},
		{"a length of a gigabyte", func(c net.Conn) { io.WriteString(c, head(1<<30)) }, http.StatusRequestEntityTooLarge, time.Second},
		{"a chunk of a gigabyte", func(c net.Conn) {
			fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n40000000\r\n", umPath)
			for {
				if _, err := io.WriteString(c, strings.Repeat(" ", 4096)); err != nil {
					return
				}
			}
		}, http.StatusRequestEntityTooLarge, time.Second},
		{"gzip that stops", func(c net.Conn) {
			zip := gzipped(doc)
			fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", umPath, len(zip), zip[:20])
		}, http.StatusRequestTimeout, 11 * time.Second},
		{"gzip that stops at its head", func(c net.Conn) {
			fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 100\r\n\r\n\x1f", umPath)
		}, http.StatusRequestTimeout, 11 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, stop := dial(handler(&board{}), 0)
				begin := time.Now()
				sent := make(chan struct{})
				go func() {
					test.send(c)
					close(sent)
				}()
				resp, err := http.ReadResponse(bufio.NewReader(c), nil)
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begin); resp.StatusCode != test.status || took > test.within {
					t.Errorf("got %d after %v, want %d within %v", resp.StatusCode, took, test.status, test.within)
				}
				stop()
				<-sent
			})
		})
	}
}

// TestAClientThatSendsFarTooMuchSeesTheAnswer writes its whole body before it reads, as most
// clients do; it is more than the system's buffers hold.
func TestAClientThatSendsFarTooMuchSeesTheAnswer(t *testing.T) {
	body := strings.Repeat("<a/>", 4<<20)
	for _, head := range []string{
		fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)),
		fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n", len(body)),
	} {
		c, err := net.Dial("tcp", strings.TrimPrefix(serve(t, handler(&board{})), "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n%s%s\r\n0\r\n\r\n", umPath, head, body); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != http.StatusRequestEntityTooLarge || !resp.Close {
			t.Errorf("got %d, closed %v", resp.StatusCode, resp.Close)
		}
	}
}

// slowly is a backend that takes a minute to disconnect.
type slowly struct{ board }

func (s *slowly) Disconnect(ctx context.Context, _, _ string) error {
	select {
	case <-time.After(time.Minute):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TestASlowOperationIsNotTakenForASlowBody waits far longer than a body may take.
func TestASlowOperationIsNotTakenForASlowBody(t *testing.T) {
	doc := envelope(`<m:Disconnect><m:CallId>x</m:CallId></m:Disconnect>`)
	for _, readTimeout := range []time.Duration{0, 15 * time.Second} {
		t.Run(fmt.Sprintf("the server's own limit is %v", readTimeout), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := handler(&board{})
				h.Phone = &slowly{}
				c, stop := dial(h, readTimeout)
				defer stop()
				for range 2 { // the connection lives on
					go fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", umPath, len(doc), doc)
					resp, err := http.ReadResponse(bufio.NewReader(c), nil)
					if err != nil {
						t.Fatal(err)
					}
					body, err := io.ReadAll(resp.Body)
					if err != nil || resp.StatusCode != http.StatusOK {
						t.Errorf("got %d %s, %v", resp.StatusCode, body, err)
					}
				}
			})
		})
	}
}

// TestPollsOnOneConnectionAreNotHurried polls for longer than a body may take.
func TestPollsOnOneConnectionAreNotHurried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, stop := dial(handler(&board{info: soap.CallInfo{State: "Connected"}}), 0)
		defer stop()
		doc := envelope(getCallInfo)
		for range 5 {
			go fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", umPath, len(doc), doc)
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
				t.Errorf("got %d, %v", resp.StatusCode, err)
			}
			time.Sleep(8 * time.Second)
		}
	})
}

func TestOtherMethodsAndPathsAreAnsweredByHTTP(t *testing.T) {
	url := serve(t, handler(&board{}))
	for _, test := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"PUT", umPath, 405, "GET, HEAD, OPTIONS, POST"},
		{"DELETE", ewsPath, 405, "GET, HEAD, OPTIONS, POST"},
		{"OPTIONS", ewsPath, 204, "GET, HEAD, OPTIONS, POST"},
		{"POST", "/EWS/types.xsd", 405, "GET, HEAD, OPTIONS"},
		{"OPTIONS", "/EWS/types.xsd", 204, "GET, HEAD, OPTIONS"},
		{"HEAD", umPath, 200, ""},
		{"GET", "/EWS/", 404, ""},
		{"POST", "/EWS/Exchange.asmx/x", 404, ""},
	} {
		r, _ := http.NewRequest(test.method, url+test.path, nil)
		got := do(t, r)
		if got.status != test.status || got.header.Get("Allow") != test.allow {
			t.Errorf("%s %s: got %d, Allow %q", test.method, test.path, got.status, got.header.Get("Allow"))
		}
		if test.method == "HEAD" && got.body != "" {
			t.Errorf("HEAD has a body: %s", got.body)
		}
	}
}

func TestOldAndNewHTTPAreSpoken(t *testing.T) {
	h := handler(&board{info: soap.CallInfo{State: "Connected"}})
	doc := envelope(getCallInfo)

	c, err := net.Dial("tcp", strings.TrimPrefix(serve(t, h), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "POST %s HTTP/1.0\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s", umPath, len(doc), doc)
	old, err := io.ReadAll(c)
	if err != nil || !bytes.HasPrefix(old, []byte("HTTP/1.0 200")) || !bytes.Contains(old, []byte("Connected")) {
		t.Errorf("HTTP/1.0: got %s, %v", old, err)
	}

	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	resp, err := s.Client().Post(s.URL+umPath, "text/xml", strings.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if resp.ProtoMajor != 2 || !bytes.Contains(body, []byte("Connected")) {
		t.Errorf("HTTP/2: got %s %s", resp.Proto, body)
	}
}
