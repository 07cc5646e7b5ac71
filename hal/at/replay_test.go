package at_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"hookswitch/hal/at"
	"hookswitch/hal/at/attest"
)

// replays is what a Chat makes of each transcript: the answers to what the host sends, and
// what it hears unasked.
var replays = map[string]struct{ answers, unasked []string }{
	"01-cx93001-init": {
		[]string{
			"AT: OK",
			"ATI0: 56000 | OK",
			"ATZ: OK",
			"ATV1: OK",
			"ATE0: OK",
			"AT+VCID=1: OK",
			"AT&W0: OK",
			"AT&V: ACTIVE PROFILE: | B1 E0 L2 M1 N0 Q0 T V1 W0 X4 Y0 &C1 &D2 &G0 &J0 &K3 &Q5 &R1 &S0 &T5 &X0 &Y0 | S00:0 S01:0 S02:43 S03:13 S04:10 S05:8 S06:2 S07:50 S08:1 S09:6 | OK",
		},
		nil,
	},
	"02-rd02-d400-echo-double-cr": {
		[]string{
			"ATZ: OK",
			"ATV1: OK",
			"ATE0: OK",
			"AT-SCID=1;+VCID=1;-STE=3: OK",
		},
		nil,
	},
	"03-cx93001-pycallblock": {
		[]string{
			"ATZ: OK",
			"AT+FCLASS?: 0 | OK",
			"ATI3: CX93001-EIS_V0.2002-V92 | OK",
		},
		nil,
	},
	"04-zoom3095-vtx-underrun": {
		[]string{
			"ATZ: OK",
			"AT+FCLASS=8: OK",
			"AT+VLS=1: OK",
			"AT+VTX: CONNECT",
			"end: OK",
			"ATH: OK",
		},
		[]string{
			"DLE 'u'",
		},
	},
	"05-cx-vsm-list": {
		[]string{
			`AT+VSM=?: 1,"UNSIGNED PCM",8,0,8000,0,0 | 129,"IMA ADPCM",4,0,8000,0,0 | 130,"UNSIGNED PCM",8,0,8000,0,00 | 140,"2 Bit ADPCM",2,0,8000,0,0 | 141,"4 Bit ADPCM",4,0,8000,0,0 | OK`,
		},
		nil,
	},
	"06-usr-vsm-list": {
		[]string{
			`AT+VSM=?: 1,"UNSIGNED PCM",8,0,(7200,8000),(0),(0) | 128,"8-BIT LINEAR",8,0,(7200,8000),(0),(0) | 129,"ADPCM",4,0,(7200,8000),(0),(0) | 130,"UNSIGNED PCM",8,0,(7200,8000),(0),(0) | 131,"ULAW",8,0,(7200,8000),(0),(0) | 132,"ALAW",8,0,(7200,8000),(0),(0) | 133,"LINEAR",16,0,(7200,8000),(0),(0) | OK`,
		},
		nil,
	},
	"07-rockwell-vsm-list": {
		[]string{
			`AT+VSM=?: 1,"UNSIGNED PCM",8,0,(7200,8000,11025),0,0 | 129,"IMA ADPCM",4,0,(7200,8000),0,0 | 130,"UNSIGNED PCM",8,0,(7200,8000,11025),0,0 | 140,"2 Bit ADPCM",2,0,(7200,8000,11025),0,0 | OK`,
		},
		nil,
	},
	"08-multitech-vsm-list": {
		[]string{
			`AT+VSM=?: 128,"SIGNED PCM",12,0,(7200-8000,11025),(127-129),(0-50) | 132,"ADPCM/AQ",2,40,(7200),(128),(0-50) | OK`,
		},
		nil,
	},
	"09-zyxel-vsm-list": {
		[]string{
			"AT+VSM=?: 1;CELP;1;0;(9600) | 2;ADPCM;2;0;(9600) | 3;ADPCM;3;0;(9600) | OK",
		},
		nil,
	},
	"10-sim7600-voicecall-urc": {
		nil,
		[]string{
			"VOICE CALL: BEGIN",
			"VOICE CALL: END",
			"VOICE CALL: END: 000041",
			"MISSED_CALL: 11:01AM 07712345678",
		},
	},
	"11-sim7600-hangup": {
		[]string{
			"AT+CVHU=0: OK",
			"ATH: OK",
		},
		[]string{
			"VOICE CALL: END: 000017",
		},
	},
	"12-simcom-clcc-urc": {
		nil,
		[]string{
			"^CIEV: 1,0",
			`+CLCC: 1,1,0,0,0,"123456789",161`,
			`+CLCC: 2,1,5,0,0,"987654321",161`,
			"^CIEV: 1,0",
			"+CLCC: 1,1,0,0,0",
			`+CLCC: 2,1,0,0,0,"123456789",161`,
			`+CLCC: 3,1,0,0,0,"987654321",161,"Alice"`,
		},
	},
	"13-mm-clcc-9fields": {
		nil,
		[]string{
			`+CLCC: 1,1,4,0,0,"123456789",129,"",,0`,
			`+CLCC: 4,1,0,0,1,"000000000",161,"Bob",1`,
			`+CLCC: 5,1,5,0,0,"555555555",161,"Mallory",2,0`,
			`+CLCC: 2,1,4,1,0,"123456789",161`,
			`+CLCC: 10,1,4,9,0,"777777777",161`,
		},
	},
	"14-sim800c-clcc-alpha": {
		[]string{
			`AT+CLCC: +CLCC: 1,0,2,0,0,"0612345678",129,"" | OK`,
		},
		nil,
	},
	"15-chan_dongle-clcc": {
		nil,
		[]string{
			`+CLCC: 1,1,4,0,0,"",145`,
			`+CLCC: 1,1,4,0,0,"+7913913ABCA",145`,
			`+CLCC: 1,1,4,0,0,"+7913913ABCA"`,
		},
	},
	"16-huawei-call-urcs": {
		[]string{
			"ATD0612345678;: OK",
			"AT^DDSETEX=2: OK",
		},
		[]string{
			"^ORIG:1,0",
			"^CONF:1",
			"^CONN:1,0",
			"^CEND:1,12,104,16",
		},
	},
	"17-huawei-cend-long": {
		nil,
		[]string{
			"^CEND:1,125,104,16",
			"^CEND:1,0,255",
			"^CEND:1,0,104,17",
		},
	},
	"18-mm-dtmf-double-cr": {
		nil,
		[]string{
			"+CRING: VOICE",
			"+CRING: VOICE",
			"+RXDTMF: 8",
			"+RXDTMF: #",
		},
	},
	"19-sim800-dtmf": {
		[]string{
			"AT+DDET=1,100,1,1: OK",
		},
		[]string{
			"+DTMF: 1,40",
			"+DTMF: 2,100",
			"+DTMF: *,200",
			"+DTMF: #,300",
		},
	},
	"20-mm-final-lines": {
		nil,
		[]string{
			`+CMTI: "ME",1`,
			"+CIEV: 7,1",
			"+CRING: VOICE",
			`+CLIP: "+0123456789",145,,,,0`,
			"NO CARRIER",
		},
	},
	"21-quectel-dsci": {
		nil,
		[]string{
			"^DSCI: 2,1,4,0,+48123456789,145",
			"^DSCI: 2,1,6,0,+48123456789,145",
		},
	},
	"22-phonesim-busy-alert-answer": {
		[]string{
			"ATD155;: BUSY",
			"AT+CEER: +CEER: EXTENDED ERROR STRING | OK",
			"ATD0612302;: OK",
			`AT+CLCC: +CLCC: 1,0,3,0,0,"0612302",129 | OK`,
			"AT+CHUP: OK",
		},
		[]string{
			`*ECAV: 1,1,0,,,"0612302",129`,
			`*ECAV: 1,6,0,,,"0612302",129`,
			`*ECAV: 1,3,0,,,"0612302",129`,
			`*ECAV: 1,0,0,,,"0612302",129`,
		},
	},
	"23-phonesim-remote-hangup": {
		[]string{
			`AT+CLCC: +CLCC: 1,0,0,0,0,"0512303",129 | OK`,
			"AT+CLCC: OK",
		},
		[]string{
			"NO CARRIER",
			`*ECAV: 1,0,0,,,"0512303",129`,
		},
	},
	"24-iaxmodem-results": {
		[]string{
			"ATDT5551: BUSY",
			"ATDT5552: NO DIALTONE",
			"ATDT5554: NO CARRIER",
			"ATH: OK",
		},
		nil,
	},
	"25-iaxmodem-incoming": {
		[]string{
			"ATH1: OK",
		},
		[]string{
			"DATE=1123",
			"TIME=0835",
			"NAME=Alice",
			"NMBR=0612345678",
			"ANID=<NONE>",
			"USER=<NONE>",
			"PASS=<NONE>",
			"CDID=<NONE>",
			"NDID=900",
			"RING",
			"DTMF=5",
			"NO CARRIER",
		},
	},
	"26-slmodemd-voice": {
		[]string{
			"AT+FCLASS=?: 0,1,8 | OK",
			"AT+FCLASS=8: OK",
			"AT+VSM=?: +VSM=0-1,8000-8000 | OK",
			"AT+VLS=?: +VLS=0-1 | OK",
			"ATDT5550: BUSY",
			"AT+VTX: refused, ERROR",
			"AT+VLS=1: OK",
			"AT+VTX: CONNECT",
			"end: OK",
			"AT+VRX: CONNECT",
			"end: OK",
		},
		[]string{
			"sound 80807f",
			"DLE '5'",
			"sound 808180",
		},
	},
	"27-cid-callattendant": {
		nil,
		[]string{
			"RING",
			"DATE=0801",
			"TIME=1801",
			"NMBR=8055554567",
			"NAME=Test1 - Permitted",
			"RING",
			"RING",
			"DATE = 0805",
			"TIME = 1805",
			"NMBR = 8055554567",
			"NAME = Test5 - Permitted",
			"RING",
			"NMBR = 1234567890",
		},
	},
	"28-lucent-record": {
		[]string{
			"AT+VSD=128,50: OK",
			"AT+VRX: CONNECT",
			"end: OK",
			"ATH: OK",
		},
		[]string{
			"sound 8080",
			"DLE 's'",
		},
	},
	"29-multitech-dtmf-record": {
		nil,
		[]string{
			"DLE '/'",
			"DLE '5'",
			"DLE '5'",
			"DLE '~'",
		},
	},
	"30-intel-dtmf-del": {
		nil,
		[]string{
			"DLE '5'",
			"DLE '\\x7f'",
			"DLE '/'",
			"DLE '5'",
			"DLE '\\x7f'",
		},
	},
	"31-gammu-huawei-hexdump": {
		[]string{
			"AT: OK",
			"AT+MODE=2: refused, ERROR",
		},
		nil,
	},
	"32-sim7600-cpcmreg": {
		[]string{
			"AT+CPCMREG=1: refused, ERROR",
			"AT+CPCMREG=0: OK",
			"AT+CPCMREG=1: OK",
			"AT+CPCMREG?: +CPCMREG: 1 | OK",
		},
		nil,
	},
}

// prefixes of info lines, where a command's are marked.
var prefixes = map[string]string{"AT+CLCC": "+CLCC:", "AT+CEER": "+CEER:", "AT+VSM=?": "+VSM", "AT+VLS=?": "+VLS", "AT+CPCMREG?": "+CPCMREG:"}

// host plays the host's side of a transcript through a Chat and notes what it hears.
type host struct {
	chat   *at.Chat
	stream *at.Stream

	answers []string // of the test's goroutine
	unasked []string // of the reader's
}

func (h *host) note(format string, args ...any) {
	h.answers = append(h.answers, fmt.Sprintf(format, args...))
}

func (h *host) hear(format string, args ...any) {
	h.unasked = append(h.unasked, fmt.Sprintf(format, args...))
}

// act makes the Chat send what step demands.
func (h *host) act(ctx context.Context, step attest.Step) {
	text := strings.TrimSuffix(string(step.Bytes), "\r")
	switch {
	case h.stream != nil:
		h.inStream(step)
	case strings.HasPrefix(text, "ATD"):
		result, err := h.chat.Dial(ctx, text)
		h.note("%s: %s%s", text, result, noted(err))
	case text == "AT+VTX" || text == "AT+VRX":
		var sound func([]byte)
		if text == "AT+VRX" {
			sound = func(p []byte) { h.hear("sound %x", p) }
		}
		stream, err := h.chat.Connect(ctx, text, sound, []byte{at.DLE, '!'})
		if err == nil {
			h.stream = stream
		}
		h.note("%s: %s", text, cmp.Or(noted(err), "CONNECT"))
	case strings.HasPrefix(text, "AT"):
		info, err := h.chat.Command(ctx, text, prefixes[text])
		h.note("%s: %s", text, cmp.Or(noted(err), strings.Join(append(info, "OK"), " | ")))
	default:
		_ = h.chat.WriteRaw(step.Bytes)
		h.chat.Drain(ctx, 1)
	}
}

// inStream sends bytes of voice data and DLE codes.
func (h *host) inStream(step attest.Step) {
	var u at.Unshielder
	for _, b := range step.Bytes {
		data, n, code, isCode := u.Next(b)
		if isCode {
			_ = h.stream.Code(code)
		}
		for range n {
			_ = h.stream.Send([]byte{data})
		}
		if code == at.ETX || code == '!' {
			<-h.stream.Done()
			h.note("end: %s", cmp.Or(noted(h.stream.Err()), "OK"))
			h.stream = nil
		}
	}
}

func noted(err error) string {
	var refused *at.Error
	if err == nil {
		return ""
	}
	if errors.As(err, &refused) {
		return "refused, " + refused.Result
	}
	return err.Error()
}

// replay plays a transcript against a Chat; modem is wrapped round what it reads.
func replay(t *testing.T, path string, split func([]byte) [][]byte, wrap func(io.Reader) io.Reader) *host {
	t.Helper()
	steps, err := attest.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	h := &host{}
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		port := io.ReadWriteCloser(near)
		if wrap != nil {
			port = struct {
				io.Reader
				io.WriteCloser
			}{wrap(near), near}
		}
		h.chat = at.NewChat(port, at.Config{
			URC:   func(line string) { h.hear("%s", line) },
			Event: func(code byte) { h.hear("DLE %q", code) },
		})
		turn, played := make(chan attest.Step), make(chan error, 1)
		go func() {
			played <- attest.Play(far, steps, split, func(s attest.Step) { turn <- s })
			close(turn)
		}()
		for step := range turn {
			synctest.Wait() // until all that came before has been heard
			h.act(t.Context(), step)
		}
		if err := <-played; err != nil {
			t.Error(err)
		}
		synctest.Wait()
		_ = h.chat.Close()
		_ = far.Close()
	})
	h.unasked = joinSound(h.unasked)
	return h
}

// joinSound makes one of notes of sound in a row: how it was cut is the reader's affair.
func joinSound(notes []string) []string {
	var out []string
	for _, n := range notes {
		last := len(out) - 1
		if more, ok := strings.CutPrefix(n, "sound "); ok && last >= 0 && strings.HasPrefix(out[last], "sound ") {
			out[last] += more
			continue
		}
		out = append(out, n)
	}
	return out
}

func TestTranscriptsSayTheSameHoweverTheyAreSplit(t *testing.T) {
	paths, _ := filepath.Glob("testdata/transcripts/*.txt")
	if len(paths) != 32 {
		t.Fatalf("%d transcripts, want 32", len(paths))
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".txt")
		t.Run(name, func(t *testing.T) {
			want := replays[name]
			check := func(how string, got *host) {
				if !slices.Equal(got.answers, want.answers) || !slices.Equal(got.unasked, want.unasked) {
					t.Errorf("%s:\ngot  %q %q\nwant %q %q", how, got.answers, got.unasked, want.answers, want.unasked)
				}
			}
			check("whole", replay(t, path, nil, nil))
			check("a byte at a time", replay(t, path, nil, iotest.OneByteReader))
			for i := 1; i < 300; i++ {
				check(fmt.Sprintf("split at %d", i), replay(t, path, func(b []byte) [][]byte {
					return [][]byte{b[:min(i, len(b))], b[min(i, len(b)):]}
				}, nil))
			}
		})
	}
}
