package modem

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestVoiceFormatsAreChosenByName(t *testing.T) {
	tests := []struct {
		name, list string
		want       string // id and codec, "" for none
	}{
		{"Conexant", "1,\"UNSIGNED PCM\",8,0,8000,0,0\n129,\"IMA ADPCM\",4,0,8000,0,0\n130,\"UNSIGNED PCM\",8,0,8000,0,00\n140,\"2 Bit ADPCM\",2,0,8000,0,0", "1 unsigned 8"},
		{"USRobotics", "1,\"UNSIGNED PCM\",8,0,(7200,8000),(0),(0)\n131,\"ULAW\",8,0,(7200,8000),(0),(0)\n132,\"ALAW\",8,0,(7200,8000),(0),(0)", "131 mu-law"},
		{"Rockwell", "1,\"UNSIGNED PCM\",8,0,(7200,8000,11025),0,0\n129,\"IMA ADPCM\",4,0,(7200,8000),0,0", "1 unsigned 8"},
		{"Multi-Tech has none of ours", "128,\"SIGNED PCM\",12,0,(7200-8000,11025),(127-129),(0-50)\n132,\"ADPCM/AQ\",2,40,(7200),(128),(0-50)", ""},
		{"ZyXEL has none at 8000 Hz", "1;CELP;1;0;(9600)\n2;ADPCM;2;0;(9600)", ""},
		{"a softmodem's ranges", "+VSM=0-1,8000-8000", "1 unsigned 8"},
		{"with its prefix", "+VSM: 1,\"UNSIGNED PCM\",8,0,8000,0,0", "1 unsigned 8"},
		{"signed is not unsigned", "0,\"SIGNED PCM\",8,0,8000,0,0", "0 signed 8"},
		{"ADPCM where there is nothing else", "129,\"IMA ADPCM\",4,0,8000,0,0", "129 ima adpcm"},
		{"nothing", "", ""},
		{"garbage", "((((\n,,,,,,\n\"", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if f, c, ok := chooseFormat(parseVSM(strings.Split(tt.list, "\n"))); ok {
				got = f.id + " " + c.name
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCurrentCalls(t *testing.T) {
	tests := []struct {
		line string
		ours bool
		stat int
		ok   bool
	}{
		{`+CLCC: 1,0,2,0,0,"0612345678",129,""`, true, 2, true},
		{`+CLCC: 1,0,3,0,0,"0612302",129`, true, 3, true},
		{`+CLCC: 1,0,0,0,0`, true, 0, true},
		{`+CLCC: 1,1,4,0,0,"123456789",129,"",,0`, false, 4, true},
		{`+CLCC: 5,1,5,0,0,"555555555",161,"Mallory, Eve",2,0`, false, 5, true},
		{`+CLCC: 2,0,4,1,0,"123456789",161`, false, 4, true}, // a data call
		{`+CLCC: 1,1,4,0,0,"",145`, false, 4, true},
		{`+CLCC: 1,1,4,0,0,"+7913913ABCA"`, false, 0, false}, // a number without its type
		{`+CLCC: 1,0`, false, 0, false},
		{`+CLCC: x,0,0,0,0`, false, 0, false},
		{`+CLCC:`, false, 0, false},
	}
	for _, tt := range tests {
		c, ok := parseCLCC(tt.line)
		if ok != tt.ok || ok && (c.stat != tt.stat || c.ours() != tt.ours) {
			t.Errorf("%s: %+v, ours %v, %v", tt.line, c, c.ours(), ok)
		}
	}
}

func TestCauses(t *testing.T) {
	for text, want := range map[string]error{
		"+CEER: 5,17":                           ErrBusy,
		"+CEER: 0,21,rejected":                  ErrBusy,
		"+CEER: No user responding":             nil,
		"+CEER: User busy":                      ErrBusy,
		"+CEER: 19":                             ErrNoAnswer,
		"+CEER: 1":                              ErrNoService,
		"+CEER: No cause information available": nil,
		"+CEER: EXTENDED ERROR STRING":          nil,
		"+CEER: 0,255":                          nil,
		"+CEER: Unassigned number":              ErrNoService,
	} {
		cause := parseCEER([]string{text})
		if want == nil {
			if cause != 0 {
				t.Errorf("%s: cause %d, want none", text, cause)
			}
			continue
		}
		if err := causeError(cause, false); !errors.Is(err, want) {
			t.Errorf("%s: cause %d, %v, want %v", text, cause, err, want)
		}
	}
	for fields, want := range map[string]error{"1,125,104,16": ErrHungUp, "1,0,104,17": ErrBusy, "1,0,255": ErrNoCarrier, "1,12,104": ErrHungUp} {
		if err := cendError(strings.Split(fields, ",")); !errors.Is(err, want) {
			t.Errorf("^CEND:%s: %v, want %v", fields, err, want)
		}
	}
}

func TestDetect(t *testing.T) {
	for ident, want := range map[string]string{
		"56000\nCX93001-EIS_V0.2002-V92":                "conexant",
		"5601\nU.S. Robotics 56K FAX USB V1.2.23":       "usr",
		"Manufacturer: SIMCOM INCORPORATED\nSIM7600G-H": "sim7600",
		"SIM800 R14.18":                     "sim800",
		"Quectel\nEC25":                     "quectel",
		"Manufacturer: huawei\nModel: E173": "huawei",
		"144\nsome fax modem":               "voice",
		"Manufacturer: Sierra Wireless, Inc.\nModel: MC7304 LTE": "gsm",
	} {
		if d := Detect(strings.Split(ident, "\n")); d.Name != want {
			t.Errorf("%q: %s, want %s", ident, d.Name, want)
		}
	}
}

func TestEveryCodecKeepsASine(t *testing.T) {
	sine := make([]int16, 8000)
	for i := range sine {
		sine[i] = int16(8000 * math.Sin(2*math.Pi*440*float64(i)/8000))
	}
	for _, c := range codecs {
		encode, decode := c.make()
		data := encode(nil, sine)
		if want := int(float64(len(sine)) * c.bytes); len(data) != want {
			t.Errorf("%s: %d bytes, want %d", c.name, len(data), want)
		}
		var back []int16
		for _, b := range data { // split anywhere
			back = decode(back, []byte{b})
		}
		var signal, noise float64
		for i := range sine {
			d := float64(back[i]) - float64(sine[i])
			signal, noise = signal+float64(sine[i])*float64(sine[i]), noise+d*d
		}
		if snr := 10 * math.Log10(signal/(noise+1)); snr < 20 {
			t.Errorf("%s: signal to noise %.1f dB", c.name, snr)
		}
	}
}

func TestG711IsItsOwnInverse(t *testing.T) {
	for b := range 256 {
		if u := ulaw(fromUlaw(byte(b))); u != byte(b) && !(b == 0x7f && u == 0xff) { // two zeros
			t.Errorf("µ-law %#x comes back as %#x", b, u)
		}
		if a := alaw(fromAlaw(byte(b))); a != byte(b) {
			t.Errorf("A-law %#x comes back as %#x", b, a)
		}
	}
}

func FuzzWhatModemsList(f *testing.F) {
	f.Add("1,\"UNSIGNED PCM\",8,0,(7200-8000,11025),(0),(0)")
	f.Add("+CLCC: 1,0,2,0,0,\"0612345678\",129,\"\"")
	f.Add("+CEER: 0,16")
	f.Fuzz(func(t *testing.T, line string) {
		for _, v := range parseVSM([]string{line}) {
			if name := v.codecName(); name != "" {
				if _, ok := codecNamed(name); !ok {
					t.Errorf("%q: codec %q", line, name)
				}
			}
		}
		if c, ok := parseCLCC(line); ok && (c.stat < 0 || c.stat > 255) {
			t.Errorf("%q: %+v", line, c)
		}
		if cause := parseCEER([]string{line}); cause < 0 || cause > 127 {
			t.Errorf("%q: cause %d", line, cause)
		}
		_ = fmt.Sprint(cendError(strings.Split(line, ",")))
	})
}
