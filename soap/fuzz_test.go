package soap_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"hookswitch/soap"
)

// fuzz sends documents to a path. Whatever comes is answered with a status that HTTP has for
// it and, if it is XML, with XML that our schema allows for.
func fuzz(f *testing.F, path string, seeds ...string) {
	examples, err := filepath.Glob("testdata/golden/*.request.xml")
	if err != nil || len(examples) == 0 {
		f.Fatal("no examples", err)
	}
	for _, name := range examples {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	for _, test := range hostile {
		if len(test.doc) < 1<<10 {
			f.Add([]byte(test.doc))
		}
	}
	b := &board{id: exampleCall, info: soap.CallInfo{State: "Connected"}}
	h := handler(b)
	f.Fuzz(func(t *testing.T, doc []byte) {
		b.asked = nil
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", path, strings.NewReader(string(doc)))
		r.Header.Set("Content-Type", "text/xml")
		h.ServeHTTP(w, r)
		body := w.Body.String()
		switch w.Code {
		case 200, 500:
			if !strings.HasPrefix(body, "<?xml ") || !utf8.ValidString(body) || strings.Contains(body, "ErrorInternalServerError") {
				t.Errorf("got %d %s", w.Code, body)
			}
			if w.Code == 500 && len(b.asked) > 0 {
				t.Errorf("a fault, but the backend was asked %q", b.asked)
			}
			if _, err := wellFormed(body); err != nil {
				t.Errorf("%v in %s", err, body)
			}
		case 413:
		default:
			t.Errorf("got %d %s", w.Code, body)
		}
	})
}

func FuzzUM(f *testing.F)  { fuzz(f, umPath) }
func FuzzEWS(f *testing.F) { fuzz(f, ewsPath) }
func FuzzPOX(f *testing.F) { fuzz(f, poxPath, pox("anna@example.test"), pox("<a/>")) }
func FuzzAutodiscoverSOAP(f *testing.F) {
	fuzz(f, svcPath, userSettings(mailbox("anna@example.test"), setting("ExternalUMUrl")))
}
