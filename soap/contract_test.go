package soap_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func get(t testing.TB, url string) reply {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return do(t, r)
}

// tool fails the test if a program that it drives is missing.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing: scripts/test installs it", name)
	}
	return path
}

// run runs a program and gives what it printed.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(tool(t, name), args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

func TestTheContractIsServedWithTheRequestsOwnAddress(t *testing.T) {
	url := serve(t, handler(&board{}))
	for _, test := range []struct{ path, address string }{
		{umPath + "?wsdl", umPath},
		{umPath + "?WSDL", umPath},
		{"/unifiedmessaging/service.asmx?singleWsdl", "/UnifiedMessaging/Service.asmx"},
		{"/EWS/UM2007Legacy.wsdl", umPath},
		{ewsPath + "?wsdl", ewsPath},
		{"/ews/services.WSDL", ewsPath},
	} {
		got := get(t, url+test.path)
		if got.status != 200 || got.header.Get("Content-Type") != "text/xml; charset=utf-8" ||
			strings.Count(got.body, `<soap:address location="`+url+test.address+`"/>`) != 1 ||
			!strings.Contains(got.body, "<xs:element name=\"PlayOnPhone\"") || strings.Contains(got.body, "schemaLocation") {
			t.Errorf("%s: got %d %s", test.path, got.status, got.body)
		}
		if _, err := wellFormed(got.body); err != nil {
			t.Errorf("%s: %v", test.path, err)
		}
	}
	for path, file := range map[string]string{
		"/EWS/messages.xsd": "messages.xsd", "/ews/types.xsd": "types.xsd", "/EWS/UM2007Legacy.xsd": "UM2007Legacy.xsd",
		umPath + "?xsd": "UM2007Legacy.xsd", ewsPath + "?xsd=types": "types.xsd", ewsPath + "?XSD=messages.xsd": "messages.xsd", ewsPath + "?xsd": "messages.xsd",
	} {
		want, err := os.ReadFile("wsdl/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if got := get(t, url+path); got.body != string(want) {
			t.Errorf("%s: got %s", path, got.body)
		}
	}
}

// TestTheEWSContractHasTheNamesThatNodeEWSAsksFor: npm's node-ews looks operations up by
// them, and where the service is missing puts in its own.
func TestTheEWSContractHasTheNamesThatNodeEWSAsksFor(t *testing.T) {
	got := get(t, serve(t, handler(&board{}))+"/ews/services.wsdl").body
	for _, name := range []string{`<wsdl:definitions`, `<wsdl:service name="ExchangeServices">`, `<wsdl:port name="ExchangeServicePort" binding="tns:ExchangeServiceBinding">`} {
		if !strings.Contains(got, name) {
			t.Errorf("no %s in %s", name, got)
		}
	}
}

// TestTheSchemasAllowThePublishedRequests holds our schemas against the specification's
// examples; responses are held against them in every test.
func TestTheSchemasAllowThePublishedRequests(t *testing.T) {
	examples, err := filepath.Glob("testdata/golden/*.xml")
	if err != nil || len(examples) == 0 {
		t.Fatal("no examples", err)
	}
	for _, name := range examples {
		service, _, _ := strings.Cut(filepath.Base(name), "-")
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		validate(t, "testdata/envelope-"+service+".xsd", string(text))
	}
	for _, bad := range []string{`<m:PlayOnPhone><m:DialString>1</m:DialString></m:PlayOnPhone>`, `<m:Dance/>`} {
		if cmd := exec.Command(tool(t, "xmllint"), "--nonet", "--noout", "--schema", "testdata/envelope-ews.xsd", "-"); true {
			cmd.Stdin = strings.NewReader(envelope(bad))
			if cmd.Run() == nil {
				t.Errorf("the schema allows %s", bad)
			}
		}
	}
}

func TestAHumanGetsAPageThatSaysWhatThisIs(t *testing.T) {
	url := serve(t, handler(&board{}))
	for path, title := range map[string]string{
		umPath: "Exchange Unified Messaging web service", "/UnifiedMessaging/Service.asmx": "Exchange Unified Messaging web service",
		ewsPath: "Exchange Web Services: telephone operations", svcPath: "Autodiscover",
	} {
		got := get(t, url+path)
		if got.status != 200 || got.header.Get("Content-Type") != "text/html; charset=utf-8" ||
			!strings.Contains(got.body, "<h1>"+title+"</h1>") || !strings.Contains(got.body, url+path+"</pre>") {
			t.Errorf("%s: got %d %s", path, got.status, got.body)
		}
	}
}

// TestThePagesCurlExampleWorks runs the command that the page shows, without the name and
// password that an outer layer would want.
func TestThePagesCurlExampleWorks(t *testing.T) {
	url := serve(t, handler(exampleBoard()))
	unescape := strings.NewReplacer("&lt;", "<", "&gt;", ">", "&#34;", `"`, "&#39;", "'", "&amp;", "&")
	for path, want := range map[string]string{
		umPath: "<PlayOnPhoneDialString>2077<", ewsPath: "<t:UmEnabled>true<", svcPath: "<ErrorCode>InvalidUser<",
	} {
		_, command, _ := strings.Cut(get(t, url+path).body, "<pre>")
		command, _, _ = strings.Cut(command, "</pre>")
		command = strings.Replace(unescape.Replace(command), "curl -u USER", "curl -sS", 1)
		tool(t, "curl")
		if got := run(t, ".", "sh", "-c", command); !strings.Contains(got, want) {
			t.Errorf("%s\ngot %s", command, got)
		}
	}
}

// TestANodeClientMadeFromTheWSDLWorks drives npm's soap, which makes its client from ?wsdl
// at run time.
func TestANodeClientMadeFromTheWSDLWorks(t *testing.T) {
	const dir = "testdata/node"
	if _, err := os.Stat(dir + "/node_modules/soap"); err != nil {
		run(t, dir, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	}
	url := serve(t, handler(exampleBoard()))
	if got := run(t, dir, "node", "client.mjs", url); !strings.Contains(got, "all operations work") {
		t.Error(got)
	}
}

// TestGSOAPClientsMadeFromTheWSDLsWork generates, compiles and runs a client of each service
// as Debian's gsoap makes it, with no hand edits.
func TestGSOAPClientsMadeFromTheWSDLsWork(t *testing.T) {
	if _, err := os.Stat("/usr/include/stdsoap2.h"); err != nil {
		t.Fatal("gSOAP's library is missing: scripts/test installs it (Debian package libgsoap-dev)")
	}
	for _, test := range []struct{ name, path, binding string }{
		{"um", umPath, "UnifiedMessagingBinding"}, {"ews", ewsPath, "ExchangeServiceBinding"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, handler(exampleBoard())) + test.path
			source, err := filepath.Abs("testdata/gsoap/" + test.name + ".cpp")
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			run(t, dir, "wsdl2h", "-o", "service.h", url+"?wsdl")
			run(t, dir, "soapcpp2", "-j", "-C", "-I/usr/share/gsoap/import", "service.h")
			run(t, dir, "g++", "-O0", "-w", "-I.", "-o", "client", source, "soapC.cpp",
				"soap"+test.binding+"Proxy.cpp", "-lgsoap++")
			if got := run(t, dir, dir+"/client", url, exampleCall); !strings.Contains(got, "all operations work") {
				t.Error(got)
			}
		})
	}
}

// nowhere is a client that reads everything and keeps nothing.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n nowhere) WriteHeader(int)             {}

func TestAContractFileIsServedWithoutACopy(t *testing.T) {
	h := handler(&board{})
	for _, path := range []string{ewsPath + "?wsdl", umPath + "?wsdl", ewsPath + "?xsd=types", "/EWS/messages.xsd", "/EWS/UM2007Legacy.xsd"} {
		ask := func() {
			h.ServeHTTP(nowhere{http.Header{}}, httptest.NewRequest(http.MethodGet, path, nil))
		}
		ask() // the first one assembles it
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		const times = 100
		for range times {
			ask()
		}
		runtime.ReadMemStats(&after)
		if each := (after.TotalAlloc - before.TotalAlloc) / times; each > 8<<10 {
			t.Errorf("%s takes %d bytes", path, each)
		}
	}
}
