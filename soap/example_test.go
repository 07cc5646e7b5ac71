package soap_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"hookswitch/soap"
)

// telephone is the smallest backend: one call, which is being dialled.
type telephone struct{ soap.Mailbox }

func (telephone) PlayOnPhone(_ context.Context, user, item, dialString string) (string, error) {
	if item != "greeting.wav" {
		return "", soap.ErrItem
	}
	fmt.Printf("%s wants to hear %s at %s\n", user, item, dialString)
	return "call-1", nil
}

func (telephone) PlayOnPhoneGreeting(context.Context, string, string, string) (string, error) {
	return "", soap.ErrNoLine
}

func (telephone) CallInfo(_ context.Context, _, callID string) (soap.CallInfo, error) {
	if callID != "call-1" {
		return soap.CallInfo{}, soap.ErrCallID
	}
	return soap.CallInfo{State: "Connecting", Cause: "None"}, nil
}

func (telephone) Disconnect(context.Context, string, string) error { return nil }

func ExampleHandler() {
	server := httptest.NewServer(&soap.Handler{
		Phone:   telephone{},
		Mailbox: telephone{},
		User:    func(*http.Request) string { return "anna" },
	})
	defer server.Close()

	const request = `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>
		<PlayOnPhone xmlns="http://schemas.microsoft.com/exchange/services/2006/messages">
			<entryId>greeting.wav</entryId><DialString>5550100</DialString>
		</PlayOnPhone></soap:Body></soap:Envelope>`
	response, err := http.Post(server.URL+"/EWS/UM2007Legacy.asmx", "text/xml; charset=utf-8", strings.NewReader(request))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	_, body, _ = bytes.Cut(body, []byte("<soap:Body>"))
	fmt.Println(response.Status)
	fmt.Printf("%s\n", body)
	// Output:
	// anna wants to hear greeting.wav at 5550100
	// 200 OK
	// <PlayOnPhoneResponse xmlns="http://schemas.microsoft.com/exchange/services/2006/messages"><PlayOnPhoneResponse>call-1</PlayOnPhoneResponse></PlayOnPhoneResponse></soap:Body></soap:Envelope>
}
