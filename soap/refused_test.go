package soap_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"hookswitch/soap"
)

// TestARefusedRequestIsLogged with whose it was, what it asked for, why it was refused and, for
// XML that can't be used, where that is.
func TestARefusedRequestIsLogged(t *testing.T) {
	const discover = "/autodiscover/autodiscover.xml"
	lines := strings.ReplaceAll(envelope("<m:GetCallInfo><m:CallID2>x</m:CallID2></m:GetCallInfo>"), "><", ">\n<")
	for _, test := range []struct {
		name, path, body string
		err              error // of the backend
		want             []string
	}{
		{"a number that the rules refuse", umPath, envelope(`<m:PlayOnPhone><m:entryId>x</m:entryId><m:DialString>0190</m:DialString></m:PlayOnPhone>`),
			fmt.Errorf("%w: 0190 is a premium number", soap.ErrDialRules), []string{"operation=PlayOnPhone", "0190 is a premium number"}},
		{"the same in EWS", ewsPath, envelope(`<m:DisconnectPhoneCall><m:PhoneCallId Id="x"/></m:DisconnectPhoneCall>`),
			fmt.Errorf("%w: forgotten", soap.ErrCallID), []string{"operation=DisconnectPhoneCall", "forgotten"}},
		{"another element", umPath, lines, nil, []string{"operation=GetCallInfo", "CallID2", "line=4", "column="}},
		{"XML that is not well-formed", ewsPath, "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'>\n<s:Body></c>", nil, []string{"line=2"}},
		{"no envelope", umPath, "\n<a/>", nil, []string{"no SOAP envelope", "line=2"}},
		{"an operation that is not supported", ewsPath, envelope("<m:GetFolder/>"), nil, []string{"operation=GetFolder", "not supported"}},
		{"a value that is none", umPath, envelope("<m:SetOofStatus><m:status>maybe</m:status></m:SetOofStatus>"), nil, []string{"operation=SetOofStatus", "value"}},
		{"Autodiscover", discover, "<Autodiscover/>", nil, []string{"operation=Autodiscover", "Invalid Request", "line=1"}},
		{"another content", umPath, "not XML", nil, []string{"line=1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			h := handler(&board{err: test.err})
			h.Log = slog.New(slog.NewTextHandler(&log, nil))
			post(t, serve(t, h)+test.path, test.body)
			for _, want := range append(test.want, "user=anna", "request refused") {
				if !strings.Contains(log.String(), want) {
					t.Errorf("no %s in %s", want, &log)
				}
			}
		})
	}
}

func TestARequestThatIsTurnedAwayUnreadIsLogged(t *testing.T) {
	for name, test := range map[string]struct {
		method string
		header http.Header
		want   []string
	}{
		"another method":      {http.MethodDelete, nil, []string{"method=DELETE", "takes POST"}},
		"another site's page": {http.MethodPost, http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://elsewhere.example"}, "User-Agent": {"Mozilla/5.0"}}, []string{"another site"}},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			h := handler(&board{})
			h.Log = slog.New(slog.NewTextHandler(&log, nil))
			r := httptest.NewRequest(test.method, umPath, nil)
			for k, v := range test.header {
				r.Header[k] = v
			}
			h.ServeHTTP(httptest.NewRecorder(), r)
			for _, want := range append(test.want, "user=anna", "request refused") {
				if !strings.Contains(log.String(), want) {
					t.Errorf("no %s in %q", want, &log)
				}
			}
		})
	}
}
