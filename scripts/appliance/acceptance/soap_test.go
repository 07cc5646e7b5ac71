//go:build e2e

package acceptance

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"hookswitch/scripts/appliance/emulator"
)

// soapURL is where the board serves Exchange's operations.
func soapURL(m *emulator.Machine) string { return "https://" + m.Addr(443) + "/EWS/UM2007Legacy.asmx" }

// ask sends one operation to the board as user anna, and returns the body of the answer
// as text; a fault fails the test.
func ask(t *testing.T, m *emulator.Machine, operation string) string {
	t.Helper()
	answer, err := tryAsk(m, operation)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func tryAsk(m *emulator.Machine, operation string) (string, error) {
	body := `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>` + operation + `</s:Body></s:Envelope>`
	r, err := http.NewRequest(http.MethodPost, soapURL(m), strings.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "text/xml; charset=utf-8")
	r.SetBasicAuth("anna", password)
	patient := *client
	patient.Timeout = 20 * time.Second
	answer, err := patient.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %.500s", answer.Status, b)
	}
	return string(b), err
}

// element returns the text of the innermost element of that name.
func element(t *testing.T, answer, name string) string {
	t.Helper()
	text := ""
	for d := xml.NewDecoder(strings.NewReader(answer)); ; {
		token, err := d.Token()
		if err != nil {
			return text
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == name {
			var inner struct {
				Text string `xml:",chardata"`
				XML  string `xml:",innerxml"`
			}
			if err := d.DecodeElement(&inner, &start); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(inner.XML, "<"+name) {
				return element(t, inner.XML, name)
			}
			text = inner.Text
		}
	}
}

const messages = `xmlns="http://schemas.microsoft.com/exchange/services/2006/messages"`

// playSoon plays as soon as the board has found its modem, and returns the call's id.
func playSoon(t *testing.T, m *emulator.Machine, number string) string {
	t.Helper()
	return soon(t, m, "PlayOnPhone", func() (string, error) {
		item, err := itemID(m)
		return fmt.Sprintf("<PlayOnPhone %s><entryId>%s</entryId><DialString>%s</DialString></PlayOnPhone>", messages, item, number), err
	})
}

// greetSoon is playSoon for a greeting, which needs no message.
func greetSoon(t *testing.T, m *emulator.Machine, number string) string {
	t.Helper()
	return soon(t, m, "PlayOnPhoneGreeting", func() (string, error) {
		return fmt.Sprintf("<PlayOnPhoneGreeting %s><GreetingType>NormalCustom</GreetingType><DialString>%s</DialString></PlayOnPhoneGreeting>", messages, number), nil
	})
}

// soon sends an operation until the board can do it, and returns the response's text.
func soon(t *testing.T, m *emulator.Machine, name string, operation func() (string, error)) string {
	t.Helper()
	err := errors.New("no answer")
	for ctx := within(t, time.Minute); ctx.Err() == nil; time.Sleep(500 * time.Millisecond) {
		var body, answer string
		if body, err = operation(); err != nil {
			continue
		}
		if answer, err = tryAsk(m, body); err == nil {
			return element(t, answer, name+"Response")
		}
	}
	t.Fatal(err)
	return ""
}

// state is the call's state, and its cause.
func state(t *testing.T, m *emulator.Machine, call string) (state, cause string) {
	t.Helper()
	answer := ask(t, m, getCallInfo(call))
	return element(t, answer, "CallState"), element(t, answer, "EventCause")
}

func getCallInfo(call string) string {
	return fmt.Sprintf("<GetCallInfo %s><CallId>%s</CallId></GetCallInfo>", messages, call)
}

func disconnect(t *testing.T, m *emulator.Machine, call string) {
	t.Helper()
	ask(t, m, fmt.Sprintf("<Disconnect %s><CallId>%s</CallId></Disconnect>", messages, call))
}

// waitState polls the call as a client does: a connection that fails is not the end.
func waitState(t *testing.T, m *emulator.Machine, call, want string, limit time.Duration) {
	t.Helper()
	got := ""
	for ctx := within(t, limit); ctx.Err() == nil; time.Sleep(200 * time.Millisecond) {
		answer, err := tryAsk(m, getCallInfo(call))
		if err != nil {
			got = err.Error()
			continue
		}
		if got = element(t, answer, "CallState"); got == want {
			return
		}
		if got == "Disconnected" {
			t.Fatalf("the call has ended (%s) before it was %s", element(t, answer, "EventCause"), want)
		}
	}
	t.Fatalf("call is %s, not %s within %v", got, want, limit)
}

// itemID asks the board for the id of anna's message.
func itemID(m *emulator.Machine) (string, error) {
	r, err := http.NewRequest(http.MethodGet, "https://"+m.Addr(443)+"/api/messages", nil)
	if err != nil {
		return "", err
	}
	r.SetBasicAuth("anna", password)
	answer, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var list []struct{ ID, Name string }
	if err := json.NewDecoder(answer.Body).Decode(&list); err != nil {
		return "", err
	}
	if len(list) == 0 {
		return "", errors.New("the board lists no message")
	}
	return list[0].ID, nil
}

// speech is a message of that many seconds: a sweep under a slow envelope, so that it is
// like itself at one delay only.
func speech(seconds int) []int16 {
	s := make([]int16, 8000*seconds)
	phase := 0.0
	for i := range s {
		at := float64(i) / 8000
		phase += 2 * math.Pi * (400 + 1600*math.Mod(at*0.37, 1)) / 8000
		s[i] = int16(9000 * (0.6 + 0.4*math.Sin(2*math.Pi*1.3*at)) * math.Sin(phase))
	}
	return s
}

// writeWAV writes 16-bit mono at 8 kHz.
func writeWAV(t *testing.T, path string, s []int16) {
	t.Helper()
	le := func(v, n int) []byte { return []byte{byte(v), byte(v >> 8), byte(v >> 16), byte(v >> 24)}[:n] }
	b := []byte("RIFF")
	b = append(b, le(36+2*len(s), 4)...)
	b = append(b, "WAVEfmt "...)
	for _, f := range []struct{ v, n int }{{16, 4}, {1, 2}, {1, 2}, {8000, 4}, {16000, 4}, {2, 2}, {16, 2}} {
		b = append(b, le(f.v, f.n)...)
	}
	b = append(b, "data"...)
	b = append(b, le(2*len(s), 4)...)
	for _, v := range s {
		b = append(b, byte(v), byte(uint16(v)>>8))
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// readWAV reads what the simulator's far end has kept: 16-bit mono at 8 kHz.
func readWAV(t *testing.T, path string) []int16 {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, data, ok := strings.Cut(string(b), "data")
	if !ok || len(data) < 4 {
		t.Fatalf("%s: no WAV file", path)
	}
	data = data[4:]
	s := make([]int16, len(data)/2)
	for i := range s {
		s[i] = int16(uint16(data[2*i]) | uint16(data[2*i+1])<<8)
	}
	return s
}

// likeness looks for each half second of the message in what was heard, in order, and
// returns the share of them that is there, and how much silence came in between: an
// emulated board on a busy machine does not always keep up with a real-time modem.
func likeness(heard, message []int16) (share float64, gaps time.Duration) {
	const piece, reach = 4000, 3 * 8000
	at, found, pieces := 0, 0, 0
	for from := 0; from+piece <= len(message); from += piece {
		pieces++
		best, where := 0.0, at
		end := min(len(heard), at+piece+reach)
		if found == 0 { // a modem takes its time to be sure of an answer: five seconds with +VRA=50
			end = len(heard)
		}
		for i := at; i+piece <= end; i++ {
			if c := correlation(heard[i:], message[from:from+piece], 7); c > best {
				best, where = c, i
			}
		}
		if best > 0.9 {
			found++
			if from > 0 {
				gaps += time.Duration(where-at) * time.Second / 8000
			}
			at = where + piece
		}
	}
	return float64(found) / float64(pieces), gaps
}

// correlation of the beginning of two sounds; step thins it out.
func correlation(a, b []int16, step int) float64 {
	var ab, aa, bb float64
	for i := 0; i < min(len(a), len(b)); i += step {
		x, y := float64(a[i]), float64(b[i])
		ab += x * y
		aa += x * x
		bb += y * y
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}
