package soap_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"

	"hookswitch/soap"
)

// Paths of the two services.
const (
	umPath  = "/EWS/UM2007Legacy.asmx"
	ewsPath = "/EWS/Exchange.asmx"
)

// exampleCall is the call id of the published examples.
const exampleCall = "M2Y4YzFhNzItNWQwZS00YjlkLTljMTEtMmE3YmQ0NDBlZTAxQHVtLmV4YW1wbGUudGVzdA=="

// board is a backend that says what a test has put into it, and notes what it is asked.
type board struct {
	mu    sync.Mutex // guards the rest
	id    string
	info  soap.CallInfo
	props soap.Properties
	off   bool  // the user isn't enabled
	err   error // of any operation
	asked []string
}

func (b *board) note(format string, args ...any) error {
	b.asked = append(b.asked, fmt.Sprintf(format, args...))
	return b.err
}

func (b *board) PlayOnPhone(_ context.Context, user, item, dialString string) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.id, b.note("%s: play %s to %s", user, item, dialString)
}

func (b *board) PlayOnPhoneGreeting(_ context.Context, user, greeting, dialString string) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.id, b.note("%s: greeting %s to %s", user, greeting, dialString)
}

func (b *board) CallInfo(_ context.Context, user, callID string) (soap.CallInfo, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.info, b.note("%s: info %s", user, callID)
}

func (b *board) Disconnect(_ context.Context, user, callID string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.note("%s: disconnect %s", user, callID)
}

func (b *board) Enabled(_ context.Context, user string) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.off, b.note("%s: enabled", user)
}

func (b *board) Properties(_ context.Context, user string) (soap.Properties, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.props, b.note("%s: properties", user)
}

func (b *board) SetProperties(_ context.Context, user string, change func(*soap.Properties)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.props)
	return b.note("%s: set", user)
}

func (b *board) ResetPIN(_ context.Context, user string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.note("%s: pin", user)
}

// handler serves b to the user anna, whose address is anna@example.test.
func handler(b *board) *soap.Handler {
	return &soap.Handler{
		Phone: b, Mailbox: b,
		User: func(*http.Request) string { return "anna" },
		UserByEmail: func(email string) (string, bool) {
			name, ok := strings.CutSuffix(strings.ToLower(email), "@example.test")
			return name, ok && (name == "anna" || name == "bert")
		},
	}
}

func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// reply is an answer that has been read.
type reply struct {
	status int
	header http.Header
	body   string
}

// do sends a request, reads the answer, and holds it against the rules for all answers.
func do(t testing.TB, r *http.Request) reply {
	t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	got := reply{resp.StatusCode, resp.Header, string(body)}
	if r.Method == http.MethodPost && strings.HasSuffix(strings.ToLower(r.URL.Path), ".asmx") {
		checkRules(t, got)
	}
	return got
}

// post sends a document as text/xml.
func post(t testing.TB, url, body string) reply {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "text/xml; charset=utf-8")
	return do(t, r)
}

const (
	envelope11 = "http://schemas.xmlsoap.org/soap/envelope/"
	envelope12 = "http://www.w3.org/2003/05/soap-envelope"
	messagesNS = "http://schemas.microsoft.com/exchange/services/2006/messages"
	typesNS    = "http://schemas.microsoft.com/exchange/services/2006/types"
)

// envelope puts a body, and maybe a header, into a SOAP 1.1 envelope. The prefixes s, m and t
// are declared.
func envelope(body string, header ...string) string {
	head := ""
	if len(header) > 0 {
		head = "<s:Header>" + strings.Join(header, "") + "</s:Header>"
	}
	return `<s:Envelope xmlns:s="` + envelope11 + `" xmlns:m="` + messagesNS + `" xmlns:t="` + typesNS + `">` +
		head + `<s:Body>` + body + `</s:Body></s:Envelope>`
}

var serverVersion = regexp.MustCompile(`^<\?xml [^>]*>\s*<s:Envelope [^>]*><s:Header><h:ServerVersionInfo MajorVersion="\d+" MinorVersion="\d+" MajorBuildNumber="\d+" MinorBuildNumber="\d+" Version="\w+" [^>]*/></s:Header>`)

// checkRules holds an answer against the rules without which one client or another fails:
// content type, XML declaration, header, status of faults, shape of errors; and against our
// own schema.
func checkRules(t testing.TB, got reply) {
	t.Helper()
	if got.status != http.StatusOK && got.status != http.StatusInternalServerError {
		if !strings.HasPrefix(got.header.Get("Content-Type"), "text/plain") || len(got.body) == 0 {
			t.Errorf("status %d without a sentence: %q", got.status, got.body)
		}
		return
	}
	if got.header.Get("Content-Encoding") == "gzip" {
		return
	}
	if !strings.HasPrefix(got.body, `<?xml version="1.0" encoding="utf-8"?>`) {
		t.Errorf("the answer doesn't begin with an XML declaration: %.60q", got.body)
	}
	if got.header.Get("WWW-Authenticate") != "" {
		t.Error("an authentication scheme is advertised")
	}
	isFault := strings.Contains(got.body, ":Fault>")
	if isFault != (got.status == http.StatusInternalServerError) {
		t.Errorf("status %d with %s", got.status, got.body)
	}
	if strings.Contains(got.body, envelope12) {
		if got.header.Get("Content-Type") != "application/soap+xml; charset=utf-8" {
			t.Errorf("SOAP 1.2 with content type %s", got.header.Get("Content-Type"))
		}
		return
	}
	if got.header.Get("Content-Type") != "text/xml; charset=utf-8" {
		t.Errorf("content type %s", got.header.Get("Content-Type"))
	}
	isUM := strings.Contains(got.body, "<soap:Envelope") || strings.Contains(got.body, "ExceptionType")
	if isUM || isFault && !strings.Contains(got.body, "is not supported") {
		if strings.Contains(got.body, "Header>") {
			t.Errorf("a header where Exchange has none: %s", got.body)
		}
	} else {
		if !serverVersion.MatchString(got.body) {
			t.Errorf("no ServerVersionInfo: %s", got.body)
		}
	}
	if !isUM && !isFault {
		checkResponseMessages(t, got.body)
	}
	schema := "testdata/envelope-ews.xsd"
	if isUM {
		schema = "testdata/envelope-um.xsd"
	}
	validate(t, schema, got.body)
}

// checkResponseMessages looks at every element with a ResponseClass: on Success the first
// child is ResponseCode, on Error the children are MessageText, ResponseCode,
// DescriptiveLinkKey.
func checkResponseMessages(t testing.TB, body string) {
	t.Helper()
	found := false
	d := xml.NewDecoder(strings.NewReader(body))
	for {
		token, err := d.Token()
		if err != nil {
			break
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		for _, a := range start.Attr {
			if a.Name.Local != "ResponseClass" {
				continue
			}
			found = true
			rest := body[d.InputOffset():]
			switch {
			case a.Value == "Success" && strings.HasPrefix(rest, "<ResponseCode>NoError</ResponseCode>"):
			case a.Value == "Error" && errorChildren.MatchString(rest):
			default:
				t.Errorf("ResponseClass %s, then %s", a.Value, rest)
			}
		}
	}
	if !found {
		t.Errorf("no ResponseClass: %s", body)
	}
}

var errorChildren = regexp.MustCompile(`^<MessageText>[^<]+</MessageText><ResponseCode>Error\w+</ResponseCode><DescriptiveLinkKey>0</DescriptiveLinkKey></`)

// validate holds a document against a schema.
func validate(t testing.TB, schema, doc string) {
	t.Helper()
	if _, err := exec.LookPath("xmllint"); err != nil {
		t.Fatal("xmllint is missing: scripts/test installs it (Debian package libxml2-utils)")
	}
	cmd := exec.Command("xmllint", "--nonet", "--noout", "--schema", schema, "-")
	cmd.Stdin = strings.NewReader(doc)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("xmllint: %v\n%s\n%s", err, bytes.TrimSpace(out), doc)
	}
}

// wellFormed counts the elements of a document that encoding/xml can read to its end.
func wellFormed(doc string) (elements int, err error) {
	d := xml.NewDecoder(strings.NewReader(doc))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return elements, nil
		}
		if err != nil {
			return elements, err
		}
		if _, ok := token.(xml.StartElement); ok {
			elements++
		}
	}
}
