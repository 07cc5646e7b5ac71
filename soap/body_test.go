package soap_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"hookswitch/soap"
)

func utf16Of(order binary.AppendByteOrder, s string) string {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = order.AppendUint16(out, u)
	}
	return string(out)
}

func gzipped(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, s)
	z.Close()
	return b.String()
}

// TestBodiesComeInManyForms sends one request over HTTP in the ways there are.
func TestBodiesComeInManyForms(t *testing.T) {
	url := serve(t, handler(&board{info: soap.CallInfo{State: "Connected"}})) + umPath
	doc := `<?xml version="1.0" encoding="utf-16"?>` + envelope(getCallInfo)
	plain := envelope(getCallInfo)
	for _, test := range []struct {
		name, body string
		header     string
		want       string // of the body, or of the status if it isn't 200
		status     int
	}{
		{"UTF-16, little endian", "\xff\xfe" + utf16Of(binary.LittleEndian, doc), "Content-Type: text/xml; charset=utf-16", "Connected", 200},
		{"UTF-16, big endian", "\xfe\xff" + utf16Of(binary.BigEndian, doc), "Content-Type: text/xml; charset=utf-16", "Connected", 200},
		{"UTF-16 without a mark", utf16Of(binary.LittleEndian, doc), "Content-Type: text/xml; charset=utf-16", "Connected", 200},
		{"UTF-16 that is UTF-8", doc, "Content-Type: text/xml; charset=utf-8", "Connected", 200},
		{"blank lines before the declaration", "\r\n\r\n" + doc, "Content-Type: text/xml; charset=utf-8", "Connected", 200},
		{"nuSOAP's ISO-8859-1", `<?xml version="1.0" encoding="ISO-8859-1"?><!-- Gr\xfc\xdfe -->` + plain, "Content-Type: text/xml; charset=ISO-8859-1", "Connected", 200},
		{"a quoted charset among others", "<!-- Gr\xfc\xdfe -->" + plain, `Content-Type: text/xml; action="x"; CharSet = "windows-1252"`, "Connected", 200},
		{"bytes that are not in their charset", "<!-- Gr\xfc\xdfe -->" + plain, "Content-Type: text/xml; charset=utf-8", "ErrorInvalidRequest", 500},
		{"gzip", gzipped(plain), "Content-Encoding: gzip", "Connected", 200},
		{"gzip of UTF-16", gzipped("\xff\xfe" + utf16Of(binary.LittleEndian, doc)), "Content-Encoding: x-gzip", "Connected", 200},
		{"gzip that isn't", plain, "Content-Encoding: gzip", "gzip", 400},
		{"gzip cut short", gzipped(plain)[:60], "Content-Encoding: gzip", "gzip", 400},
		{"another coding", plain, "Content-Encoding: br", "content encoding", 415},
		{"no content type", plain, "Content-Type:", "Connected", 200},
		{"SOAP 1.2's type", plain, "Content-Type: application/soap+xml", "Connected", 200},
		{"XML's other type", plain, "Content-Type: Application/XML;charset=utf-8", "Connected", 200},
		{"curl's type", plain, "Content-Type: application/x-www-form-urlencoded", "Connected", 200},
		{"a form", "a=b", "Content-Type: application/x-www-form-urlencoded", "content type", 415},
		{"JSON", "{}", "Content-Type: application/json", "content type", 415},
		{"plain text", plain, "Content-Type: text/plain", "content type", 415},
		{"an attachment", plain, "Content-Type: multipart/related", "content type", 415},
		{"an action that contradicts the body", plain, `SOAPAction: "` + messagesNS + `/Disconnect"`, "Connected", 200},
		{"an action without quotes", plain, `SOAPAction: ` + messagesNS + `/GetCallInfo`, "Connected", 200},
		{"100-continue", plain, "Expect: 100-continue", "Connected", 200},
		{"another site's page", plain, "Origin: https://evil.example", "another site", 403},
		{"another site's page in a newer browser", plain, "Sec-Fetch-Site: cross-site", "another site", 403},
		{"our own page", plain, "Sec-Fetch-Site: same-origin", "Connected", 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, chunked := range []bool{false, true} {
				var body io.Reader = strings.NewReader(test.body)
				if chunked {
					body = io.MultiReader(body)
				}
				r, _ := http.NewRequest("POST", url, body)
				r.Header.Set("Content-Type", "text/xml")
				name, value, _ := strings.Cut(test.header, ":")
				r.Header.Set(name, strings.TrimSpace(value))
				if value == "" {
					delete(r.Header, name)
				}
				if got := do(t, r); got.status != test.status || !strings.Contains(got.body, test.want) {
					t.Errorf("chunked %v: got %d %s, want %d %s", chunked, got.status, got.body, test.status, test.want)
				}
			}
		})
	}
}

func TestAnswersAreCompressedOnlyIfAsked(t *testing.T) {
	url := serve(t, handler(&board{info: soap.CallInfo{State: "Connected"}})) + umPath
	for _, test := range []struct {
		accept string
		zipped bool
	}{
		{"gzip,deflate", true}, {"deflate, GZIP;q=0.5", true}, {"x-gzip", true},
		{"none", false}, {"identity", false}, {"deflate", false}, {"gzip;q=0", false}, {"gzip; q = 0.0", false}, {"*", false},
	} {
		t.Run(test.accept, func(t *testing.T) {
			r, _ := http.NewRequest("POST", url, strings.NewReader(envelope(getCallInfo)))
			r.Header.Set("Accept-Encoding", test.accept)
			got := do(t, r)
			body := got.body
			if zipped := got.header.Get("Content-Encoding") == "gzip"; zipped != test.zipped {
				t.Fatalf("compressed: got %v, want %v", zipped, test.zipped)
			}
			if test.zipped {
				z, err := gzip.NewReader(strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				plain, err := io.ReadAll(z)
				if err != nil {
					t.Fatal(err)
				}
				body = string(plain)
			}
			if !strings.HasSuffix(body, "</soap:Envelope>") || !strings.Contains(body, "Connected") {
				t.Errorf("got %s", body)
			}
		})
	}
}

func TestAClientGetsItsRequestIDBackIfItAsks(t *testing.T) {
	url := serve(t, handler(&board{info: soap.CallInfo{State: "Connected"}})) + umPath
	for _, test := range []struct{ id, ask, want string }{
		{"7c5", "true", "7c5"}, {"7c5", "false", ""}, {"7c5", "", ""}, {"", "true", ""}, {strings.Repeat("x", 65), "true", ""},
	} {
		r, _ := http.NewRequest("POST", url, strings.NewReader(envelope(getCallInfo)))
		r.Header.Set("client-request-id", test.id)
		r.Header.Set("return-client-request-id", test.ask)
		got := do(t, r)
		if id := got.header.Get("client-request-id"); id != test.want {
			t.Errorf("%+v: got %q", test, id)
		}
		if id := got.header.Get("request-id"); (len(id) == 36) != (test.want != "") {
			t.Errorf("%+v: request-id %q", test, id)
		}
	}
}

// stuck is the ResponseWriter of a client that does not read its answer.
type stuck struct {
	http.ResponseWriter
	writing chan<- struct{}
	cut     <-chan struct{}
}

func (s stuck) Write(b []byte) (int, error) {
	select {
	case s.writing <- struct{}{}:
	case <-s.cut:
	}
	<-s.cut
	return len(b), nil
}

func TestClientsThatDoNotReadTheirGzipKeepNobodyWaiting(t *testing.T) {
	h := handler(&board{})
	ask := func(w http.ResponseWriter) {
		r := httptest.NewRequest(http.MethodPost, umPath, strings.NewReader(envelope("<m:IsUMEnabled/>")))
		r.Header.Set("Accept-Encoding", "gzip")
		h.ServeHTTP(w, r)
	}
	const clients = 4 // more than can compress at once
	writing, cut := make(chan struct{}, clients), make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(cut)
	for range clients {
		wg.Go(func() { ask(stuck{httptest.NewRecorder(), writing, cut}) })
	}
	for n := range clients {
		select {
		case <-writing:
		case <-time.After(10 * time.Second):
			t.Fatalf("%d clients that do not read keep the others' answers back", n)
		}
	}
}

func TestABodyThatWasCodedTwiceIsRefused(t *testing.T) {
	r, _ := http.NewRequest("POST", serve(t, handler(&board{}))+umPath, strings.NewReader("x"))
	r.Header["Content-Encoding"] = []string{"gzip", "br"}
	if got := do(t, r); got.status != http.StatusUnsupportedMediaType {
		t.Errorf("got %d %s", got.status, got.body)
	}
}
