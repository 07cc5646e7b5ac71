package audio

// Sound is what a line says between dialling and hanging up.
type Sound string

// Sounds of call progress.
const (
	DialTone      Sound = "dial tone"
	Ringback      Sound = "ringback"
	Busy          Sound = "busy"
	Congestion    Sound = "congestion" // reorder, "fast busy": the network is, not the subscriber
	SIT           Sound = "special information tones"
	Voice         Sound = "voice"          // or any sound that is no tone: somebody, or something, has answered
	RingbackEnded Sound = "ringback ended" // without a voice: somebody has answered and is silent
)

// Pattern is one of a country's call-progress tones.
type Pattern struct {
	Sound   Sound
	Hz      []int // together; none is any between 300 and 700 Hz
	Cadence []int // ms on, ms off, and so on, for ever; none is continuous
}

// Plan is the tones of a country.
type Plan []Pattern

// PlanOf is the plan of a country by its code in ISO 3166 (lower case; "uk" too), and behind
// it what the tones of all countries have in common, which is all that a country has that is
// not listed here.
func PlanOf(country string) Plan {
	if other, ok := sameTones[country]; ok {
		country = other
	}
	return append(append(Plan{}, plans[country]...), everywhere...)
}

// everywhere is the ranges of ITU-T E.180, as the cadences in the middle of them.
var everywhere = Plan{
	{DialTone, nil, nil},
	{Ringback, nil, []int{1000, 4000}}, {Ringback, nil, []int{1500, 3500}},
	{Ringback, nil, []int{2000, 4000}}, {Ringback, nil, []int{400, 200, 400, 2000}},
	{Busy, nil, []int{500, 500}}, {Busy, nil, []int{350, 350}}, {Busy, nil, []int{700, 700}},
	{Congestion, nil, []int{250, 250}}, {Congestion, nil, []int{180, 180}},
}

var sameTones = map[string]string{"ca": "us", "gb": "uk"}

// plans are as in ITU-T E.180 Supplement 2, "Various tones used in national networks". A
// special dial tone, for calls that are forwarded or messages that wait, is in them where it
// is none of what Progress takes for one by itself: a tone that goes on, with short pauses.
var plans = map[string]Plan{
	"ar": {{DialTone, []int{425}, nil}, {Ringback, []int{425}, []int{1000, 4500}}, {Busy, []int{425}, []int{300, 300}}, {Congestion, []int{425}, []int{200, 300}}},
	"at": {{DialTone, []int{420}, nil}, {DialTone, []int{380, 420}, nil}, {Ringback, []int{420}, []int{1000, 5000}}, {Busy, []int{420}, []int{400, 400}}, {Congestion, []int{420}, []int{200, 200}}},
	"au": {{DialTone, []int{425}, nil}, {DialTone, []int{413, 438}, []int{100, 40}}, {Ringback, []int{425}, []int{400, 200, 400, 2000}}, {Busy, []int{425}, []int{375, 375}}},
	"be": {{DialTone, []int{425}, nil}, {Ringback, []int{425}, []int{1000, 3000}}, {Busy, []int{425}, []int{500, 500}}, {Congestion, []int{425}, []int{167, 167}}},
	"bg": {{DialTone, []int{425}, nil}, {Ringback, []int{425}, []int{1000, 4000}}, {Busy, []int{425}, []int{500, 500}}, {Congestion, []int{425}, []int{250, 250}}},
	"br": {{DialTone, []int{425}, nil}, {Ringback, []int{425}, []int{1000, 4000}}, {Busy, []int{425}, []int{250, 250}}, {Congestion, []int{425}, []int{250, 250, 750, 250}}},
	"ch": {{DialTone, []int{425}, nil}, {DialTone, []int{340, 425}, nil}, {Ringback, []int{425}, []int{1000, 4000}}, {Busy, []int{425}, []int{500, 500}}, {Congestion, []int{425}, []int{200, 200}}},
	"cl": {{DialTone, []int{400}, nil}, {Ringback, []int{400}, []int{1000, 3000}}, {Busy, []int{400}, []int{500, 500}}, {Congestion, []int{400}, []int{200, 200}}},
	"cn": {{DialTone, []int{450}, nil}, {Ringback, []int{450}, []int{1000, 4000}}, {Busy, []int{450}, []int{350, 350}}, {Congestion, []int{450}, []int{700, 700}}},
	"cz": {{DialTone, []int{425}, []int{330, 330, 660, 660}}, {DialTone, []int{425}, nil}, {Ringback, []int{425}, []int{1000, 4000}}, {Busy, []int{425}, []int{330, 330}}, {Congestion, []int{425}, []int{165, 165}}},
	"de": {{DialTone, []int{425}, nil}, {Ringback, []int{425}, []int{1000, 4000}}, {Busy, []int{425}, []int{480, 480}}, {Congestion, []int{425}, []int{240, 240}}},
	"dk": {{DialTone, []int{425}, nil}, {Ringback, []int{425}, []int{1000, 4000}}, {Busy, []int{425}, []int{500, 500}}, {Congestion, []int{425}, []int{200, 200}}},
	"ee": {{DialTone, []int{425}, nil}, {Ringback, []int{425}, []int{1000, 4000}}, {Busy, []int{425}, []int{300, 300}}, {Congestion, []int{425}, []int{200, 200}}},
	"es": {{DialTone, []int{425}, nil}, {Ringback, []int{425}, []int{1500, 3000}}, {Busy, []int{425}, []int{200, 200}}, {Congestion, []int{425}, []int{200, 200, 200, 200, 200, 600}}},
	"fi": {{DialTone, []int{425}, nil}, {Ringback, []int{425}, []int{1000, 4000}}, {Busy, []int{425}, []int{300, 300}}, {Congestion, []int{425}, []int{200, 200}}},
	"fr": {{DialTone, []int{440}, nil}, {DialTone, []int{330, 440}, nil}, {Ringback, []int{440}, []int{1500, 3500}}, {Busy, []int{440}, []int{500, 500}}, {Congestion, []int{440}, []int{250, 250}}},
	"gr": {{DialTone, []int{425}, []int{200, 300, 700, 800}}, {DialTone, []int{425}, nil}, {Ringback, []int{425}, []int{1000, 4000}}, {Busy, []int{425}, []int{300, 300}}, {Congestion, []int{425}, []int{200, 200}}},
	"hu": {{DialTone, []int{425}, nil}, {DialTone, []int{350, 375, 400}, nil}, {Ringback, []int{425}, []int{1250, 3750}}, {Busy, []int{425}, []int{300, 300}}},
	"il": {{DialTone, []int{414}, nil}, {Ringback, []int{414}, []int{1000, 3000}}, {Busy, []int{414}, []int{500, 500}}, {Congestion, []int{414}, []int{250, 250}}},
	"in": {{DialTone, []int{400}, nil}, {Ringback, []int{400}, []int{400, 200, 400, 2000}}, {Busy, []int{400}, []int{750, 750}}, {Congestion, []int{400}, []int{250, 250}}},
	"it": {{DialTone, []int{425}, []int{200, 200, 600, 1000}}, {Ringback, []int{425}, []int{1000, 4000}}, {Busy, []int{425}, []int{500, 500}}, {Congestion, []int{425}, []int{200, 200}}},
	"jp": {{DialTone, []int{400}, nil}, {Ringback, []int{400}, []int{1000, 2000}}, {Busy, []int{400}, []int{500, 500}}},
	"lt": {{DialTone, []int{425}, nil}, {Ringback, []int{425}, []int{1000, 4000}}, {Busy, []int{425}, []int{350, 350}}, {Congestion, []int{425}, []int{200, 200}}},
	"mx": {{DialTone, []int{425}, nil}, {Ringback, []int{425}, []int{1000, 4000}}, {Busy, []int{425}, []int{250, 250}}},
	"my": {{DialTone, []int{425}, nil}, {Ringback, []int{425}, []int{400, 200, 400, 2000}}, {Busy, []int{425}, []int{500, 500}}},
	"nl": {{DialTone, []int{425}, nil}, {Ringback, []int{425}, []int{1000, 4000}}, {Busy, []int{425}, []int{500, 500}}, {Congestion, []int{425}, []int{250, 250}}},
	"no": {{DialTone, []int{425}, nil}, {Ringback, []int{425}, []int{1000, 4000}}, {Busy, []int{425}, []int{500, 500}}, {Congestion, []int{425}, []int{200, 200}}},
	"nz": {{DialTone, []int{400}, nil}, {Ringback, []int{400, 450}, []int{400, 200, 400, 2000}}, {Busy, []int{400}, []int{500, 500}}, {Congestion, []int{400}, []int{250, 250}}},
	"ph": {{DialTone, []int{425}, nil}, {DialTone, []int{350, 440}, nil}, {Ringback, []int{425, 480}, []int{1000, 4000}}, {Busy, []int{480, 620}, []int{500, 500}}, {Congestion, []int{480, 620}, []int{250, 250}}},
	"pl": {{DialTone, []int{425}, nil}, {Ringback, []int{425}, []int{1000, 4000}}, {Busy, []int{425}, []int{500, 500}}},
	"pt": {{DialTone, []int{425}, nil}, {Ringback, []int{425}, []int{1000, 5000}}, {Busy, []int{425}, []int{500, 500}}, {Congestion, []int{425}, []int{200, 200}}},
	"ru": {{DialTone, []int{425}, nil}, {Ringback, []int{425}, []int{1000, 4000}}, {Busy, []int{425}, []int{350, 350}}, {Congestion, []int{425}, []int{175, 175}}},
	"se": {{DialTone, []int{425}, nil}, {Ringback, []int{425}, []int{1000, 5000}}, {Busy, []int{425}, []int{250, 250}}, {Congestion, []int{425}, []int{250, 750}}},
	"sg": {{DialTone, []int{425}, nil}, {Ringback, []int{425}, []int{400, 200, 400, 2000}}, {Busy, []int{425}, []int{750, 750}}, {Congestion, []int{425}, []int{250, 250}}},
	"th": {{DialTone, []int{400}, nil}, {DialTone, []int{350, 400, 450}, nil}, {Ringback, []int{420}, []int{1000, 5000}}, {Busy, []int{400}, []int{500, 500}}, {Congestion, []int{400}, []int{300, 300}}},
	"tw": {{DialTone, []int{350, 440}, nil}, {Ringback, []int{440, 480}, []int{1000, 2000}}, {Busy, []int{480, 620}, []int{500, 500}}, {Congestion, []int{480, 620}, []int{250, 250}}},
	"uk": {{DialTone, []int{350, 440}, nil}, {Ringback, []int{400, 450}, []int{400, 200, 400, 2000}}, {Busy, []int{400}, []int{375, 375}}, {Congestion, []int{400}, []int{400, 350, 225, 525}}},
	"us": {{DialTone, []int{350, 440}, nil}, {DialTone, []int{350, 440}, []int{100, 100}}, {Ringback, []int{440, 480}, []int{2000, 4000}}, {Busy, []int{480, 620}, []int{500, 500}}, {Congestion, []int{480, 620}, []int{250, 250}}},
	"ve": {{DialTone, []int{425}, nil}, {Ringback, []int{425}, []int{1000, 4000}}, {Busy, []int{425}, []int{500, 500}}, {Congestion, []int{425}, []int{250, 250}}},
	"za": {{DialTone, []int{400}, nil}, {Ringback, []int{400}, []int{400, 200, 400, 2000}}, {Busy, []int{400}, []int{500, 500}}, {Congestion, []int{400}, []int{250, 250}}},
}
