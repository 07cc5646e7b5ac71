package modem

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"

	"hookswitch/hal/modem/dialect"
)

var discard = slog.New(slog.DiscardHandler)

func TestParseVSMKnowsEveryShape(t *testing.T) {
	r := func(low, high int) dialect.Rate { return dialect.Rate{Low: low, High: high} }
	f := func(id int, name string, bits int, rates ...dialect.Rate) dialect.Format {
		return dialect.Format{ID: id, Name: name, Bits: bits, Rates: rates}
	}
	tests := []struct {
		name string
		info []string
		want []dialect.Format
	}{
		{"Conexant", []string{`1,"UNSIGNED PCM",8,0,8000,0,0`, `130,"UNSIGNED PCM",8,0,8000,0,00`}, []dialect.Format{
			f(1, "UNSIGNED PCM", 8, r(8000, 8000)), f(130, "UNSIGNED PCM", 8, r(8000, 8000)),
		}},
		{"USRobotics", []string{`133,"LINEAR",16,0,(7200,8000),(0),(0)`}, []dialect.Format{f(133, "LINEAR", 16, r(7200, 7200), r(8000, 8000))}},
		{"Multi-Tech", []string{`128,"SIGNED PCM",12,0,(7200-8000,11025),(127-129),(0-50)`}, []dialect.Format{f(128, "SIGNED PCM", 12, r(7200, 8000), r(11025, 11025))}},
		{"Lucent", []string{`128,"8-BIT LINEAR",(7200,8000,11025)`, `132,"IMA ADPCM",(8000)`}, []dialect.Format{
			f(128, "8-BIT LINEAR", 8, r(7200, 7200), r(8000, 8000), r(11025, 11025)), f(132, "IMA ADPCM", 0, r(8000, 8000)),
		}},
		{"ZyXEL", []string{"1;CELP;1;0;(9600)"}, []dialect.Format{f(1, "CELP", 1, r(9600, 9600))}},
		{"slmodemd", []string{"+VSM=0-1,8000-8000"}, []dialect.Format{
			f(0, "SIGNED PCM", 8, r(8000, 8000)), f(1, "UNSIGNED PCM", 8, r(8000, 8000)),
		}},
		{"V.253 ids alone", []string{"+VSM: (0,1,4,5),(8000)"}, []dialect.Format{
			f(0, "SIGNED PCM", 8, r(8000, 8000)), f(1, "UNSIGNED PCM", 8, r(8000, 8000)),
			f(4, "G.711U", 8, r(8000, 8000)), f(5, "G.711A", 8, r(8000, 8000)),
		}},
		{"a prefix", []string{`+VSM: 131,"ULAW",8,0,(8000),(0),(0)`}, []dialect.Format{f(131, "ULAW", 8, r(8000, 8000))}},
		{"a prefix with blanks", []string{`+ VSM: 131,"ULAW",8,0,(8000),(0),(0)`}, []dialect.Format{f(131, "ULAW", 8, r(8000, 8000))}},
		{"brackets round each", []string{`+VSM: (1,"UNSIGNED PCM",8,0,8000,0,0),(4,"G.711U",8,0,8000,0,0)`}, []dialect.Format{
			f(1, "UNSIGNED PCM", 8, r(8000, 8000)), f(4, "G.711U", 8, r(8000, 8000)),
		}},
		{"nothing", nil, nil},
		{"no list", []string{"ERROR", "", ",,,", "()", `"`, "x,y,z"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := parseVSM(tt.info); fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestTheFormatIsChosenByItsName(t *testing.T) {
	conexantList := []string{`1,"UNSIGNED PCM",8,0,8000,0,0`, `129,"IMA ADPCM",4,0,8000,0,0`, `140,"2 Bit ADPCM",2,0,8000,0,0`, `141,"4 Bit ADPCM",4,0,8000,0,0`}
	usrList := []string{`1,"UNSIGNED PCM",8,0,(7200,8000),(0),(0)`, `128,"8-BIT LINEAR",8,0,(7200,8000),(0),(0)`, `131,"ULAW",8,0,(7200,8000),(0),(0)`, `132,"ALAW",8,0,(7200,8000),(0),(0)`, `133,"LINEAR",16,0,(7200,8000),(0),(0)`}
	tests := []struct {
		name string
		info []string
		baud int
		id   int
		want string
	}{
		{"Conexant", conexantList, 115200, 1, "8-bit unsigned"},
		{"USRobotics on a serial port", usrList, 115200, 131, "G.711 µ-law"},
		{"USRobotics on a fast port", usrList, 460800, 133, "16-bit linear"},
		{"A-law where there is no µ-law", []string{`130,"8-BIT ALAW",(8000)`, `1,"UNSIGNED PCM",8,0,8000`}, 0, 130, "G.711 A-law"},
		{"signed 8-bit", []string{`0,"SIGNED PCM",8,0,8000,0,0`}, 0, 0, "8-bit signed"},
		{"16-bit alone, however slow the port", []string{`129,"16-BIT LINEAR",(8000)`}, 115200, 129, "16-bit linear"},
		{"ADPCM alone", []string{`129,"IMA ADPCM",4,0,(7200,8000),0,0`}, 0, 129, "IMA ADPCM"},
		{"slmodemd", []string{"+VSM=0-1,8000-8000"}, 0, 1, "8-bit unsigned"},
		{"MU-LAW", []string{`7,"MU-LAW",8,0,8000,0,0`}, 0, 7, "G.711 µ-law"},
		{"µ-law", []string{`7,"µ-law",8,0,8000,0,0`}, 0, 7, "G.711 µ-law"},
		{"vendors' ADPCM", []string{`141,"4 Bit ADPCM",4,0,8000,0,0`, `129,"ADPCM",4,0,8000,0,0`}, 0, 0, ""},
		{"12 bits", []string{`128,"SIGNED PCM",12,0,(7200-8000),0,0`}, 0, 0, ""},
		{"other rates", []string{`1,"UNSIGNED PCM",8,0,(7200,11025),0,0`}, 0, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, c, ok := chooseFormat(parseVSM(tt.info), tt.baud)
			if c.name != tt.want || f.ID != tt.id || ok != (tt.want != "") {
				t.Errorf("got %d %q, want %d %q", f.ID, c.name, tt.id, tt.want)
			}
		})
	}
}

func TestParseCLCC(t *testing.T) {
	tests := []struct {
		line string
		want listedCall
		ok   bool
		ours bool
	}{
		{`+CLCC: 1,0,3,0,0,"0612302",129`, listedCall{id: 1, dir: 0, stat: 3, mode: 0}, true, true},
		{`+CLCC: 1,0,0,0,0`, listedCall{id: 1, dir: 0, stat: 0, mode: 0}, true, true},
		{`+CLCC: 1,0,2,0,0,"0612345678",129,""`, listedCall{id: 1, dir: 0, stat: 2, mode: 0}, true, true},
		{`+CLCC: 1,0,0,3,0,"",145,"a, b",,0`, listedCall{id: 1, dir: 0, stat: 0, mode: 3}, true, true},
		{`+CLCC:2,0,6,0,0,"1",129`, listedCall{id: 2, dir: 0, stat: 6, mode: 0}, true, true},
		{`+CLCC: 1,1,4,0,0,"123456789",129,"",,0`, listedCall{id: 1, dir: 1, stat: 4, mode: 0}, true, false},
		{`+CLCC: 4,1,0,0,1,"000000000",161,"Bob",1`, listedCall{id: 4, dir: 1, stat: 0, mode: 0}, true, false},
		{`+CLCC: 2,0,4,1,0,"123456789",161`, listedCall{id: 2, dir: 0, stat: 4, mode: 1}, true, false},
		{`+CLCC: 10,0,4,9,0,"777777777",161`, listedCall{id: 10, dir: 0, stat: 4, mode: 9}, true, true},
		{`+CLCC: 1,1,4,0,0,"+7913913ABCA",145`, listedCall{id: 1, dir: 1, stat: 4, mode: 0}, true, false},
		{`^SLCC: 1,0,3,0,0,0,"1",129`, listedCall{id: 1, dir: 0, stat: 3, mode: 0}, true, true},
		{`+CLCC: 1,1,4,0,0,"+7913913ABCA"`, listedCall{id: 1, dir: 1, stat: 4, mode: 0}, true, false},
		{`+CLCC: 1,0,0,0,0,"5550100,129`, listedCall{id: 1, dir: 0, stat: 0, mode: 0}, true, true},
		{`+CLCC: 1,0,0,2,0,"5550100",129`, listedCall{id: 1, dir: 0, stat: 0, mode: 2}, true, false},
		{`+CLCC: 1,0,0,0`, listedCall{}, false, false},
		{`+CLCC: 1,0,x,0,0`, listedCall{}, false, false},
		{`+CLCC: 1,0,-1,0,0`, listedCall{}, false, false},
		{`+CLCC: 1,0,0,0,"0`, listedCall{}, false, false},
		{`+CLCC: 99999999999999999999,0,0,0,0`, listedCall{}, false, false},
		{`+CLCC:`, listedCall{}, false, false},
		{`+COLP: 1`, listedCall{}, false, false},
	}
	for _, tt := range tests {
		got, ok := parseCLCC(tt.line)
		got.number = ""
		if ok != tt.ok || ok && (got != tt.want || got.ours() != tt.ours) {
			t.Errorf("%s: got %v, %v", tt.line, got, ok)
		}
	}
}

func TestParseCEER(t *testing.T) {
	tests := []struct {
		info string
		want int
	}{
		{"+CEER: 0,16", 16},
		{"+CEER: 5,17", 17},
		{`+CEER: "CM_CALL_END_NETWORK", 19`, 19},
		{"+CEER: User busy", 17},
		{"+CEER: Call rejected by the user", 21},
		{"+CEER: Unassigned (unallocated) number", 1},
		{"+CEER: No cause information available", 0},
		{"+CEER: EXTENDED ERROR STRING", 0},
		{"+CEER: 0,0", 0},
		{"+CEER: 300,256", 0},
		{"+CEER: 99999999999999999999", 0},
		{"", 0},
	}
	for _, tt := range tests {
		if got := parseCEER([]string{tt.info}); got != tt.want {
			t.Errorf("%q: got %d, want %d", tt.info, got, tt.want)
		}
	}
}

func TestCausesMeanWhatTheNetworkMeans(t *testing.T) {
	for cause, want := range map[int]error{
		17: ErrBusy, 21: ErrBusy, 18: ErrNoAnswer, 19: ErrNoAnswer, 102: ErrNoAnswer,
		1: ErrNoService, 3: ErrNoService, 28: ErrNoService, 34: ErrNoService, 42: ErrNoService,
		16: ErrNoCarrier, 126: ErrNoCarrier,
	} {
		if err := causeError(cause); !errors.Is(err, want) {
			t.Errorf("cause %d: %v, want %v", cause, err, want)
		}
	}
}

func TestParseClasses(t *testing.T) {
	tests := []struct{ line, want string }{
		{"0,1,8", "0 1 8"},
		{"(0,1,1.0,2,8)", "0 1 1.0 2 8"},
		{`+FCLASS: (0-2,8)`, "0 1 2 8"},
		{`"0,1,8"`, "0 1 8"},
		{"0-99999", "0-99999"},
		{"", ""},
	}
	for _, tt := range tests {
		if got := strings.Join(parseClasses([]string{tt.line}), " "); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.line, got, tt.want)
		}
	}
}

func TestCodecsKeepSpeech(t *testing.T) {
	speech := make([]int16, 16000)
	for i := range speech { // a swelling voice, loud and quiet
		s := math.Sin(float64(i)*0.11) + 0.4*math.Sin(float64(i)*0.37)
		speech[i] = int16(9000 * s * math.Abs(math.Sin(float64(i)/3000)))
	}
	for _, c := range codecs {
		t.Run(c.name, func(t *testing.T) {
			encode, decode := c.encoder(), c.decoder()
			var data []byte
			var got []int16
			for part := range slices.Chunk(speech, 160) {
				data = encode(data, part)
			}
			if want := int(float64(len(speech)) * c.bytes); len(data) != want {
				t.Errorf("%d bytes, want %d", len(data), want)
			}
			for part := range slices.Chunk(data, 37) { // reads end anywhere
				got = decode(got, part)
			}
			if r := correlation(speech, got); r < 0.995 {
				t.Errorf("correlation %.4f", r)
			}
			if c.bytes == 1 {
				for b := range 256 { // what was decoded is coded as it was, but for the two zeroes of µ-law
					back := c.encoder()(nil, c.decoder()(nil, []byte{byte(b)}))
					if again := c.decoder()(nil, back); again[0] != c.decoder()(nil, []byte{byte(b)})[0] {
						t.Errorf("%#x comes back as %#x", b, back)
					}
				}
			}
			for _, s := range []int16{math.MinInt16, math.MaxInt16, 0, -1, 1} { // no wrap
				out := c.decoder()(nil, c.encoder()(nil, []int16{s, s}))
				if d := int(out[0]) - int(s); c.bytes >= 1 && (d > 1100 || d < -1100) {
					t.Errorf("%d comes out as %d", s, out[0])
				}
			}
		})
	}
	if got := unsigned8.encoder()(nil, make([]int16, 3)); string(got) != "\x80\x80\x80" {
		t.Errorf("silence is %x", got)
	}
}

func correlation(a, b []int16) float64 {
	var ab, aa, bb float64
	for i := range min(len(a), len(b)) {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	if len(a) != len(b) || aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}

func FuzzParseVSM(f *testing.F) {
	for _, s := range []string{`1,"UNSIGNED PCM",8,0,8000,0,0`, `128,"SIGNED PCM",12,0,(7200-8000,11025),(127-129),(0-50)`, "+VSM=0-1,8000-8000", "1;CELP;1;0;(9600)", `(1,"A",8,0,8000),(2,"B`, "((((", `"""`, "0-99999999,1-8000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		formats := parseVSM(strings.Split(s, "\n"))
		if len(formats) > maxFormats {
			t.Errorf("%d formats", len(formats))
		}
		for _, format := range formats {
			if again := parseVSM([]string{fmt.Sprintf(`%d,"%s",%d,0,(%s),0,0`, format.ID, strings.ReplaceAll(format.Name, `"`, ""), format.Bits, rates(format))}); format.At8000() && len(again) == 1 && !again[0].At8000() {
				t.Errorf("%v is read back as %v", format, again)
			}
		}
		_, c, ok := chooseFormat(formats, 0)
		if ok != (c.encoder != nil) {
			t.Error("a format without a codec was chosen")
		}
	})
}

func rates(f dialect.Format) string {
	var list []string
	for _, r := range f.Rates {
		list = append(list, fmt.Sprintf("%d-%d", r.Low, r.High))
	}
	return strings.Join(list, ",")
}

func FuzzParseCLCC(f *testing.F) {
	for _, s := range []string{`+CLCC: 1,0,3,0,0,"0612302",129`, `+CLCC: 1,1,4,0,0,"+7913913ABCA"`, `+CLCC: 4,1,0,0,1,"000000000",161,"Bob",1`, `^SLCC: 1,0,3,0,0,0,"1",129`, "+CLCC:,,,,"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		call, ok := parseCLCC(line)
		if !ok {
			return
		}
		call.number = ""
		again, ok := parseCLCC(fmt.Sprintf(`+CLCC: %d,%d,%d,%d,0,"1",129`, call.id, call.dir, call.stat, call.mode))
		again.number = ""
		if !ok || again != call {
			t.Errorf("%q: %v is read back as %v", line, call, again)
		}
	})
}

func FuzzParseCEER(f *testing.F) {
	for _, s := range []string{"+CEER: 0,16", "+CEER: User busy", "+CEER: No cause information available", "+CEER: 5,17,\"x\""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		cause := parseCEER([]string{s})
		if cause < 0 || cause > 127 {
			t.Errorf("%q: cause %d", s, cause)
		}
		if causeError(cause) == nil {
			t.Error("a cause without an error")
		}
	})
}

// FuzzLine gives a call in progress whatever an unsolicited line may hold.
func FuzzLine(f *testing.F) {
	for _, s := range []string{"VOICE CALL: BEGIN", "^CEND:1,0,104,17", "^DSCI: 2,0,6,0,1,129", "*ECAV: 1,3", "+RXDTMF: 8", "+QTONEDET: 56", "DTMF=5", `+CLCC: 1,0,0,0,0,"1",129`, "NO CARRIER", ":", "+RXDTMF"} {
		f.Add(s, byte('b'))
	}
	f.Fuzz(func(t *testing.T, line string, code byte) {
		c := newCall()
		defer c.cancel()
		c.line(line)
		c.code(code)
		c.line(line)
		select {
		case <-c.over:
			if c.why() == nil {
				t.Error("ended without a reason")
			}
		default:
		}
		for len(c.events) > 0 {
			if e := <-c.events; e.key != 0 && !isKey(e.key) {
				t.Errorf("key %q", e.key)
			}
		}
	})
}

func FuzzTriesLeft(f *testing.F) {
	for _, s := range []string{"+CPINR: SIM PIN,3,3", "+SPIC: 3,10,3,10", `+QPINC: "SC",3,10`, "^CPIN: SIM PIN,3,10,3,10,3", "+SPIC:", "+SPIC: 99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		for _, q := range triesQuestions {
			if n := q.parse(line); n < -1 || n > 10 {
				t.Errorf("%q: %d tries by %s", line, n, q.cmd)
			}
		}
	})
}

// FuzzOverride chooses a format that is asked for from what a modem lists.
func FuzzOverride(f *testing.F) {
	f.Add("131 ulaw", `131,"ULAW",8,0,(8000),(0),(0)`)
	f.Add("131", `1,"UNSIGNED PCM",8,0,8000,0,0`)
	f.Fuzz(func(t *testing.T, text, listed string) {
		v, err := dialect.ParseVoiceFormat(text)
		if err != nil || v.ID < 0 && v.Coding == "" {
			return
		}
		if _, c, err := override(v, parseVSM([]string{listed})); err == nil && c.encoder == nil {
			t.Errorf("%q of %q has no codec", text, listed)
		}
	})
}

func TestEveryCodingOfTheConfigurationHasItsCodec(t *testing.T) {
	var names []string
	for _, c := range codecs {
		names = append(names, c.short)
	}
	if !slices.Equal(names, dialect.Codings) {
		t.Errorf("codecs %v, want %v", names, dialect.Codings)
	}
}
