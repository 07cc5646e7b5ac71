package soap_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"hookswitch/soap"
)

// bare reads a request and writes fixed bytes: what net/http itself costs.
func bare(answer string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		io.WriteString(w, answer)
	})
}

// silent answers every call at once and keeps nothing.
type silent struct{}

func (silent) PlayOnPhone(context.Context, string, string, string) (string, error) {
	return exampleCall, nil
}
func (silent) PlayOnPhoneGreeting(context.Context, string, string, string) (string, error) {
	return exampleCall, nil
}
func (silent) CallInfo(context.Context, string, string) (soap.CallInfo, error) {
	return soap.CallInfo{State: "Connected", Cause: "None"}, nil
}
func (silent) Disconnect(context.Context, string, string) error { return nil }

// BenchmarkRequest sends the published example requests over loopback HTTP to the handler
// and to a bare one that writes the same bytes; the ratio of the two is what decoding and
// encoding cost. BenchmarkDecode leaves HTTP out.
func BenchmarkRequest(b *testing.B) {
	for _, name := range []string{"um-GetCallInfo", "um-Disconnect", "um-PlayOnPhone", "ews-GetPhoneCallInformation"} {
		request, answer, h := benchmark(b, name)
		b.Run(name+"/handler", func(b *testing.B) { load(b, h, name, request) })
		b.Run(name+"/bare", func(b *testing.B) { load(b, bare(answer), name, request) })
	}
}

func benchmark(b *testing.B, name string) (request, answer string, h *soap.Handler) {
	text, err := os.ReadFile("testdata/golden/" + name + ".request.xml")
	if err != nil {
		b.Fatal(err)
	}
	request = strings.TrimSuffix(string(text), "\n")
	backend := &silent{}
	h = &soap.Handler{Phone: backend, User: func(*http.Request) string { return "anna" }}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", pathOf(name), strings.NewReader(request)))
	if w.Code != http.StatusOK {
		b.Fatal(w.Body)
	}
	return request, w.Body.String(), h
}

func pathOf(name string) string {
	if strings.HasPrefix(name, "um-") {
		return umPath
	}
	return ewsPath
}

func load(b *testing.B, h http.Handler, name, request string) {
	url := serve(b, h) + pathOf(name)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
		defer client.CloseIdleConnections()
		for pb.Next() {
			resp, err := client.Post(url, "text/xml; charset=utf-8", strings.NewReader(request))
			if err != nil {
				b.Fatal(err)
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	})
}

// discard is a ResponseWriter that keeps nothing.
type discard struct{ header http.Header }

func (d discard) Header() http.Header             { return d.header }
func (d discard) WriteHeader(int)                 {}
func (d discard) Write(p []byte) (int, error)     { return len(p), nil }
func (d discard) SetReadDeadline(time.Time) error { return nil }

func BenchmarkDecode(b *testing.B) {
	for _, name := range []string{"um-GetCallInfo", "um-Disconnect", "um-PlayOnPhone", "ews-GetPhoneCallInformation"} {
		b.Run(name, func(b *testing.B) {
			request, _, h := benchmark(b, name)
			r := httptest.NewRequest("POST", pathOf(name), nil)
			r.Header.Set("Content-Type", "text/xml; charset=utf-8")
			body := strings.NewReader(request)
			w := discard{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				body.Reset(request)
				r.Body = io.NopCloser(body)
				h.ServeHTTP(w, r)
			}
		})
	}
}
