package soap_test

import (
	"strings"
	"testing"
)

// TestAPHPClientMadeFromTheWSDLWorks drives PHP's own SoapClient, which makes its client from
// ?wsdl at run time, in both versions of SOAP.
func TestAPHPClientMadeFromTheWSDLWorks(t *testing.T) {
	url := serve(t, handler(exampleBoard()))
	if got := run(t, ".", "php", "testdata/php/client.php", url); !strings.Contains(got, "all operations work") {
		t.Error(got)
	}
}

// TestAZeepClientMadeFromTheWSDLWorks drives Debian's python3-zeep, which takes schemas and
// answers strictly.
func TestAZeepClientMadeFromTheWSDLWorks(t *testing.T) {
	const python = "/usr/bin/python3" // Debian's own: the one that sees Debian's modules
	url := serve(t, handler(exampleBoard()))
	if got := run(t, ".", python, "testdata/zeep/client.py", url); !strings.Contains(got, "all operations work") {
		t.Error(got)
	}
}
