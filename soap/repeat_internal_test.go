package soap

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// said is a backend that says what it was asked.
type said struct{}

func (said) PlayOnPhone(_ context.Context, user, item, dialString string) (string, error) {
	return fmt.Sprintf("%s plays %q to %q", user, item, dialString), nil
}
func (said) PlayOnPhoneGreeting(_ context.Context, user, greeting, dialString string) (string, error) {
	return fmt.Sprintf("%s plays greeting %q to %q", user, greeting, dialString), nil
}
func (said) CallInfo(_ context.Context, user, callID string) (CallInfo, error) {
	return CallInfo{State: fmt.Sprintf("%s asks for %q", user, callID)}, nil
}
func (said) Disconnect(_ context.Context, user, callID string) error {
	return fmt.Errorf("%s disconnects %q", user, callID)
}
func (said) Enabled(context.Context, string) (bool, error)          { return true, nil }
func (said) Properties(context.Context, string) (Properties, error) { return Properties{}, nil }
func (said) SetProperties(_ context.Context, _ string, change func(*Properties)) error {
	var p Properties
	change(&p)
	return fmt.Errorf("set %+v", p)
}
func (said) ResetPIN(context.Context, string) error { return nil }

// ask gives m a document from user and returns the answer and the error.
func ask(m *message, user, doc string, at service) string {
	h := &Handler{Phone: said{}, Mailbox: said{}, User: func(*http.Request) string { return user }}
	w, r := httptest.NewRecorder(), httptest.NewRequest("POST", "/", strings.NewReader(doc))
	if err := m.read(w, r); err != nil {
		return err.Error()
	}
	err := m.call(h, r, at)
	if err != nil {
		return err.Error()
	}
	return string(m.out)
}

func request(operation string) string {
	return `<s:Envelope xmlns:s="` + nsSOAP11 + `" xmlns="` + nsMessages + `"><s:Header/><s:Body>` + operation + `</s:Body></s:Envelope>`
}

// TestARepeatedRequestIsAnsweredAsIfItHadBeenRead sends pairs of requests to one message and
// the second to a new one; the answers must be the same. taken says whether the second must
// have been recognised.
func TestARepeatedRequestIsAnsweredAsIfItHadBeenRead(t *testing.T) {
	info := func(id string) string { return request("<GetCallInfo><CallId>" + id + "</CallId></GetCallInfo>") }
	play := func(item, number string) string {
		return request("<PlayOnPhone><entryId>" + item + "</entryId><DialString>" + number + "</DialString></PlayOnPhone>")
	}
	to12 := func(doc string) string { return strings.ReplaceAll(doc, nsSOAP11, nsSOAP12) }
	self := `<t:ExchangeImpersonation xmlns:t="` + nsTypes + `"><t:ConnectingSID><t:PrincipalName>anna</t:PrincipalName></t:ConnectingSID></t:ExchangeImpersonation>`
	for _, test := range []struct {
		name          string
		first, second string
		taken         bool
	}{
		{"the same", info("a"), info("a"), true},
		{"another id", info("a"), info("TTJZNGM=+/-_.@"), true},
		{"no id", info("a"), info(""), true},
		{"two parameters", play("a", "1"), play("bcd", "+234"), true},
		{"no parameters", request("<ResetPIN/>"), request("<ResetPIN/>"), true},
		{"SOAP 1.2", to12(info("a")), to12(info("b")), true},
		{"a byte order mark", "\uFEFF" + info("a"), "\uFEFF" + info("b"), true},
		{"markup for an id", info("a"), info("<x/>"), false},
		{"a comment in the id", info("a"), info("b<!-- c -->d"), false},
		{"a reference in the id", info("a"), info("b&amp;c"), false},
		{"white space around the id", info("a"), info(" b "), false},
		{"white space around the first", info(" a "), info(" b "), false},
		{"a first with a reference", info("a&amp;b"), info("a"), false},
		{"CDATA", info("<![CDATA[a]]>"), info("<![CDATA[b]]>"), false},
		{"a control character", info("a"), info("b\x00"), false},
		{"something after it", info("a"), info("b") + "x", false},
		{"less than all of it", info("a"), info("b")[:len(info("b"))-1], false},
		{"another operation", info("a"), request("<Disconnect><CallId>a</CallId></Disconnect>"), false},
		{"another version", info("a"), to12(info("a")), false},
		{"a parameter more", info("a"), info("b</CallId><CallId>c"), false},
		{"numbers with spaces", play("a", "1"), play("a", "1 2"), false},
		{"UTF-16's first half", info("a"), "\xff\xfe" + info("a"), false},
		{"a header about the caller", strings.Replace(info("a"), "<s:Header/>", "<s:Header>"+self+"</s:Header>", 1),
			strings.Replace(info("a"), "<s:Header/>", "<s:Header>"+self+"</s:Header>", 1), false},
		{"longer than is kept", info(strings.Repeat("a", maxShape)), info(strings.Repeat("a", maxShape)), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var used, fresh message
			ask(&used, "anna", test.first, unifiedMessaging)
			got := ask(&used, "anna", test.second, unifiedMessaging)
			if want := ask(&fresh, "anna", test.second, unifiedMessaging); got != want {
				t.Errorf("got %s\nwant %s", got, want)
			}
			used.last = shape{}
			ask(&used, "anna", test.first, unifiedMessaging)
			used.in = append(used.in[:0], test.second...)
			if used.repeats() != test.taken {
				t.Errorf("recognised: got %v", !test.taken)
			}
		})
	}
}

// TestImpersonationIsJudgedForEachCaller sends one request as two users.
func TestImpersonationIsJudgedForEachCaller(t *testing.T) {
	doc := strings.Replace(request("<ResetPIN/>"), "<s:Header/>", `<s:Header><t:ExchangeImpersonation xmlns:t="`+nsTypes+
		`"><t:ConnectingSID><t:PrincipalName>anna</t:PrincipalName></t:ConnectingSID></t:ExchangeImpersonation></s:Header>`, 1)
	var m message
	if got := ask(&m, "anna", doc, unifiedMessaging); !strings.Contains(got, "ResetPINResponse") {
		t.Errorf("as anna: got %s", got)
	}
	if got := ask(&m, "bert", doc, unifiedMessaging); !strings.Contains(got, "ErrorImpersonateUserDenied") {
		t.Errorf("as bert: got %s", got)
	}
}

// FuzzRepeat sends a second request to a message that has read a first, and to a new one.
func FuzzRepeat(f *testing.F) {
	for _, name := range []string{"um-GetCallInfo", "um-PlayOnPhone", "um-ResetPIN"} {
		doc, err := os.ReadFile("testdata/golden/" + name + ".request.xml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(doc), string(doc), "x", 3)
	}
	f.Fuzz(func(t *testing.T, first, second, patch string, at int) {
		if at >= 0 && at <= len(first) {
			second = first[:at] + patch + first[at:]
		}
		var used, fresh message
		ask(&used, "anna", first, unifiedMessaging)
		got := ask(&used, "anna", second, unifiedMessaging)
		if want := ask(&fresh, "anna", second, unifiedMessaging); got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	})
}
