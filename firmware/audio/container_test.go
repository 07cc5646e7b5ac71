package audio_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hookswitch/firmware/audio"
)

// made are files that other programs have made of two messages, one and two: 3.2 s and 4.6 s.
type made struct {
	one, two         audio.Clip
	oneMP3, twoMP3   []byte // with an encoder's tag
	bareMP3          []byte // of two, without
	mp3At44          []byte // of two, at another rate
	oneFLAC, twoFLAC []byte
	oneOpus, twoOpus []byte
	surround         []byte // Opus of six channels, of which the first is one
	ima, ms          []byte // of one
	gsm              []byte
}

var makeFiles = sync.OnceValue(func() (m made) {
	dir, err := os.MkdirTemp("", "hookswitch-audio")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	t := quiet{}
	speech, err := os.ReadFile("testdata/speech.wav")
	if err != nil {
		panic(err)
	}
	m.one, _ = audio.Decode(bytes.NewReader(speech), time.Minute)
	m.two = audio.Prompt(audio.PromptShort)
	_ = os.WriteFile(filepath.Join(dir, "one.wav"), wav(8000, 1, m.one), 0o600)
	_ = os.WriteFile(filepath.Join(dir, "two.wav"), wav(8000, 1, m.two), 0o600)
	make := func(command string) []byte { return sh(t, dir, command+" out; cat out") }
	m.oneMP3 = make("lame --quiet -V 5 --resample 16 -m m one.wav")
	m.twoMP3 = make("lame --quiet -V 5 --resample 16 -m m two.wav")
	m.bareMP3 = make("lame --quiet -t -b 32 -m m --resample 16 two.wav")
	m.mp3At44 = make("lame --quiet -V 5 --resample 44.1 two.wav")
	m.oneFLAC = make("flac --totally-silent -f -b 1024 one.wav -o")
	m.twoFLAC = make("flac --totally-silent -f -b 1024 two.wav -o")
	m.oneOpus = make("opusenc --quiet --bitrate 40 --max-delay 100 one.wav")
	m.twoOpus = make("opusenc --quiet --bitrate 40 --max-delay 100 two.wav")
	m.surround = make("sox one.wav -t wav - remix 1 1 1 0 1 1 | opusenc --quiet --bitrate 200 -")
	m.ima = make("sox one.wav -e ima-adpcm -t wav")
	m.ms = make("sox one.wav -e ms-adpcm -t wav")
	m.gsm = make("sox one.wav -t gsm")
	return m
})

// quiet panics where a test would fail.
type quiet struct{ testing.TB }

func (quiet) Helper()                   {}
func (quiet) Fatalf(s string, a ...any) { panic(s) }

func TestNothingInAFileEndsTheSoundBeforeItsEnd(t *testing.T) {
	m := makeFiles()
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	one, two := m.one.Duration(), m.two.Duration()
	const cut = -1 // somewhere in its middle
	pcm1 := wav(8000, 1, m.one)
	fmtAnd := func(b []byte, chunks ...[]byte) []byte { // chunks between format and data
		return slices.Concat(b[:36], slices.Concat(chunks...), b[36:])
	}
	chunk := func(id string, b []byte) []byte {
		return slices.Concat([]byte(id), binary.LittleEndian.AppendUint32(nil, uint32(len(b))), b)
	}
	id3 := func(n int) []byte {
		return append([]byte{'I', 'D', '3', 3, 0, 0, byte(n >> 21 & 127), byte(n >> 14 & 127), byte(n >> 7 & 127), byte(n & 127)}, bytes.Repeat([]byte("jpeg\xff\xfb\x90\x64"), n/8+1)[:n]...)
	}
	for _, test := range []struct {
		name       string
		file       []byte
		want       time.Duration
		ends       audio.Clip // what is heard at the end
		incomplete string     // … of the description
	}{
		{"WAV whose data chunk says a tenth", le32(pcm1, atDataSize, uint32(len(m.one)/5)), one, m.one, ""},
		{"WAV whose data chunk says one byte", le32(pcm1, atDataSize, 1), one, m.one, ""},
		{"WAV cut short", pcm1[:len(pcm1)/2], one / 2, m.one[:len(m.one)/2], "incomplete: 2 of 3 s"},
		{"WAV whose sizes are 0xffffffff", le32(le32(pcm1, atDataSize, 0xffffffff), atRIFFSize, 0xffffffff), one, m.one, ""},
		{"WAV whose data chunk says 2 GB, as arecord writes into a pipe", le32(pcm1, atDataSize, 0x80000000), one, m.one, ""},
		{"WAV of 16 bits that says 8", le16(pcm1, atBits, 8), one, m.one, ""},
		{"WAV of 16 bits that says 32", le16(pcm1, atBits, 32), one, m.one, ""},
		{"WAV of 16 bits with blocks of one byte", le16(pcm1, atBits-2, 1), one, m.one, ""},
		{"FLAC behind a block of zeros", append(make([]byte, 512), m.twoFLAC...), two, m.two, ""},
		{"WAV with an odd chunk that is not padded", fmtAnd(pcm1, chunk("LIST", []byte("INFOx"))), one, m.one, ""},
		{"WAV with a chunk that says it is larger than the file", fmtAnd(pcm1, []byte("LIST\xff\xff\xff\x0fINFO")), one, m.one, ""},
		{"WAV with an ID3 tag before RIFF", append(id3(20000), pcm1...), one, m.one, ""},
		{"WAV with two ID3 tags before RIFF", slices.Concat(id3(300), id3(5000), pcm1), one, m.one, ""},
		{"WAV behind a header of its own", append(bytes.Repeat([]byte{0x11}, 128), pcm1...), one, m.one, ""},
		{"WAV with an id3 chunk behind the data", append(bytes.Clone(pcm1), chunk("id3 ", id3(500))...), one, m.one, ""},
		{"WAV with a LIST chunk behind the data that is cut short", append(bytes.Clone(pcm1), "LIST\x00\x10\x00\x00INFO"...), one, m.one, ""},
		{"WAV with an ID3v1 tag behind the data", slices.Concat(pcm1, []byte("TAG"), make([]byte, 125)), one, m.one, ""},
		{"WAV with two data chunks", slices.Concat(pcm1, chunk("LIST", []byte("INFO")), chunk("data", pcm(m.two))), one + two, m.two, ""},
		{"two WAV files in one", append(bytes.Clone(pcm1), wav(8000, 1, m.two)...), one + two, m.two, ""},
		{"two WAV files of different rates in one", append(wav(16000, 1, slices.Repeat([]int16{7}, 16000)), pcm1...), time.Second + one, m.one, ""},
		{"RF64", rf64(pcm1), one, m.one, ""},
		{"RIFX", rifx(m.one), one, m.one, ""},
		{"IMA ADPCM with a small fact", le32(m.ima, bytes.Index(m.ima, []byte("fact"))+8, 100), one, m.one, ""},
		{"IMA ADPCM with wrong samples in a block", le16(m.ima, 38, 7), one, m.one, ""},
		{"MS ADPCM with a small fact", le32(m.ms, bytes.Index(m.ms, []byte("fact"))+8, 100), one, m.one, ""},
		{"MS ADPCM with wrong samples in a block", le16(m.ms, 38, 7), one, m.one, ""},
		{"MS ADPCM cut short", m.ms[:len(m.ms)/2], one / 2, nil, "incomplete: 2 of 3 s"},
		{"AU of unknown size", auOf(m.one, 0xffffffff), one, m.one, ""},
		{"AU that says a tenth", auOf(m.one, uint32(len(m.one)/5)), one, m.one, ""},
		{"AU of size 0", auOf(m.one, 0), one, m.one, ""},
		{"AU cut short", auOf(m.one, uint32(2*len(m.one)))[:len(m.one)], one / 2, nil, "incomplete: 2 of 3 s"},
		{"two AU files in one", append(auOf(m.one, uint32(2*len(m.one))), auOf(m.two, uint32(2*len(m.two)))...), one + two, m.two, ""},
		{"GSM with a hole in it", hole(m.gsm, 33*40, 33*10), one, m.one, "damaged"},
		{"GSM with a frame and a half cut out of it", slices.Concat(m.gsm[:33*40], m.gsm[33*41+16:]), one - ms(40), m.one, "damaged"},
		{"GSM with something else in it", slices.Concat(m.gsm[:33*40+20], bytes.Repeat([]byte("x"), 3300), m.gsm[33*40+20:]), one + ms(1000), m.one, "damaged"},
		{"GSM with an ID3v1 tag behind it", slices.Concat(m.gsm, []byte("TAG"), make([]byte, 125)), one, m.one, ""},

		{"two MP3 files in one", append(bytes.Clone(m.oneMP3), m.twoMP3...), one + two, m.two, ""},
		{"two MP3 files of different rates in one", append(bytes.Clone(m.oneMP3), m.mp3At44...), one + two, m.two, ""},
		{"two MP3 files with all their tags", slices.Concat(id3(300), m.oneMP3, []byte("TAG"), make([]byte, 125), id3(30000), m.twoMP3), one + two, m.two, ""},
		{"MP3 behind a cover of 300 kB", append(id3(300000), m.twoMP3...), two, m.two, ""},
		{"MP3 behind a tag that says it is larger than the file", slices.Concat([]byte("ID3\x03\x00\x00\x7f\x7f\x7f\x7f"), m.twoMP3), two, m.two, ""},
		{"MP3 whose tag counts a tenth of its frames", le32(m.twoMP3, xing(m.twoMP3), 0x0a000000), two + ms(80), nil, ""},
		{"MP3 whose tag counts ten times its frames", be32(m.twoMP3, xing(m.twoMP3), 1100), two + ms(80), nil, "incomplete: 5 of "},
		{"MP3 cut short", m.twoMP3[:len(m.twoMP3)/2], cut, nil, "incomplete: "},
		{"MP3 with 140 kB of zeros in it", slices.Concat(m.bareMP3, make([]byte, 140000), m.bareMP3), 2*two + ms(160), m.two, "damaged"},
		{"MP3 with 200 kB of something else in it", slices.Concat(m.bareMP3, bytes.Repeat([]byte("noise\xff\xfb\x52\xc4"), 22000), m.bareMP3), 2*two + ms(160), m.two, "damaged"},
		{"MP3 with zeros in its middle", hole(m.bareMP3, len(m.bareMP3)/2, 2000), two - ms(420), m.two, "damaged"},
		{"MP3 in WAV whose data says a tenth", mp3InWAV(m.bareMP3, len(m.bareMP3)/10), two + ms(80), m.two, ""},

		{"two FLAC files in one", append(bytes.Clone(m.oneFLAC), m.twoFLAC...), one + two, m.two, ""},
		{"FLAC with a damaged frame", hole(m.twoFLAC, len(m.twoFLAC)/2, 40), two - ms(128), m.two, "damaged"},
		{"FLAC with ten thousand zeros in it", hole(m.twoFLAC, len(m.twoFLAC)/3, 10000), two - ms(1100), m.two, "incomplete: 4 of 5 s"},
		{"FLAC with zeros put into it", slices.Concat(m.twoFLAC[:len(m.twoFLAC)/2], make([]byte, 5000), m.twoFLAC[len(m.twoFLAC)/2:]), two - ms(128), m.two, "damaged"},
		{"FLAC that says no length", flacLength(m.twoFLAC, 0), two, m.two, ""},
		{"FLAC that says a tenth", flacLength(m.twoFLAC, len(m.two)/10), two, m.two, ""},
		{"FLAC that says twice its length", flacLength(m.twoFLAC, 2*len(m.two)), two, m.two, "incomplete: 5 of 9 s"},
		{"FLAC cut short", m.twoFLAC[:len(m.twoFLAC)/2], cut, nil, "incomplete: "},
		{"FLAC behind an ID3 tag", append(id3(5000), m.twoFLAC...), two, m.two, ""},
		{"FLAC before an ID3v1 tag", slices.Concat(m.twoFLAC, []byte("TAG"), make([]byte, 125)), two, m.two, ""},
		{"FLAC with a picture of 2 MB", flacPicture(m.twoFLAC, 2<<20), two, m.two, ""},

		{"chained Ogg", append(bytes.Clone(m.oneOpus), m.twoOpus...), one + two, m.two, ""},
		{"chained Ogg with one serial number", append(oggEach(m.oneOpus, serial(7)), oggEach(m.twoOpus, serial(7))...), one + two, m.two, ""},
		{"Opus that counts a third of its samples", oggEach(m.twoOpus, granule(func(g uint64) uint64 { return g / 3 })), two + ms(13), nil, ""},
		{"Opus that counts three times its samples", oggEach(m.twoOpus, granule(func(g uint64) uint64 { return 3 * g })), two + ms(20), nil, ""},
		{"Opus whose positions are all unknown", oggEach(m.twoOpus, granule(func(uint64) uint64 { return math.MaxUint64 })), two + ms(20), nil, ""},
		{"Opus cut out of a longer one", oggEach(m.twoOpus, granule(func(g uint64) uint64 { return g + 1000*48000 })), two, m.two, ""},
		{"Opus with a damaged page", hole(m.twoOpus, len(m.twoOpus)/2, 50), two - ms(100), m.two, "damaged"},
		{"Opus with zeros put into it", slices.Concat(m.twoOpus[:len(m.twoOpus)/2], make([]byte, 9000), m.twoOpus[len(m.twoOpus)/2:]), two - ms(100), m.two, "damaged"},
		{"Opus cut short", m.twoOpus[:len(m.twoOpus)/2], cut, nil, "damaged"},
		{"Opus without check sums", oggEach(m.twoOpus, nil), two, m.two, ""},
		{"Opus of six channels", m.surround, one, m.one, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := decode(t, test.file)
			if test.want == cut {
				test.want = min(max(got.Duration(), two/3), two*2/3)
			}
			if d := got.Duration() - test.want; d.Abs() > ms(120) {
				t.Errorf("%v of sound, want %v", got.Duration(), test.want)
			}
			if test.ends != nil && !endsLike(got, test.ends) {
				t.Error("the end is not heard")
			}
			about, err := audio.Describe(bytes.NewReader(test.file), "")
			if err != nil || (about.Duration-got.Duration()).Abs() > ms(100) {
				t.Errorf("described as %v, %v; want %v", about.Duration, err, got.Duration())
			}
			if said := about.Incomplete(); (said == "") != (test.incomplete == "") || !strings.HasPrefix(said, test.incomplete) {
				t.Errorf("described as %q, want %q", said, test.incomplete)
			}
		})
	}
}

// endsLike reports whether the last second of c is that of want, give or take 150 ms.
func endsLike(c, want audio.Clip) bool {
	const slack = 1200
	want = want[max(0, len(want)-audio.Rate):]
	best := 0.0
	for at := max(0, len(c)-len(want)-slack); at+len(want)-slack <= len(c); at++ {
		n := min(len(want), len(c)-at)
		var ab, aa, bb float64
		for i := 0; i < n; i += 3 {
			x, y := float64(c[at+i]), float64(want[i])
			ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
		}
		best = max(best, ab/math.Sqrt(aa*bb+1))
	}
	return best > 0.9
}

func hole(b []byte, at, n int) []byte {
	b = bytes.Clone(b)
	clear(b[at : at+n])
	return b
}

func be32(b []byte, at int, v uint32) []byte {
	b = bytes.Clone(b)
	binary.BigEndian.PutUint32(b[at:], v)
	return b
}

// xing is where the tag counts frames.
func xing(b []byte) int {
	return max(bytes.Index(b, []byte("Xing")), bytes.Index(b, []byte("Info"))) + 8
}

func rf64(b []byte) []byte {
	size := len(b) - atData
	ds64 := binary.LittleEndian.AppendUint64(nil, uint64(len(b)+28))
	ds64 = binary.LittleEndian.AppendUint64(ds64, uint64(size))
	ds64 = append(ds64, make([]byte, 12)...)
	b = le32(le32(b, atDataSize, 0xffffffff), atRIFFSize, 0xffffffff)
	return slices.Concat([]byte("RF64"), b[4:12], []byte("ds64\x1c\x00\x00\x00"), ds64, b[12:], []byte("LIST\x04\x00\x00\x00INFO"))
}

func rifx(c audio.Clip) []byte {
	be := binary.BigEndian
	b := be.AppendUint32([]byte("RIFX"), uint32(36+2*len(c)))
	b = be.AppendUint32(append(b, "WAVEfmt "...), 16)
	for _, v := range []uint16{1, 1} {
		b = be.AppendUint16(b, v)
	}
	b = be.AppendUint32(be.AppendUint32(b, 8000), 16000)
	b = be.AppendUint16(be.AppendUint16(b, 2), 16)
	b = be.AppendUint32(append(b, "data"...), uint32(2*len(c)))
	for _, s := range c {
		b = be.AppendUint16(b, uint16(s))
	}
	return b
}

func auOf(c audio.Clip, size uint32) []byte {
	be := binary.BigEndian
	b := []byte(".snd")
	for _, v := range []uint32{24, size, 3, 8000, 1} {
		b = be.AppendUint32(b, v)
	}
	for _, s := range c {
		b = be.AppendUint16(b, uint16(s))
	}
	return b
}

func mp3InWAV(b []byte, claimed int) []byte {
	w := wavOf(0x55, 1, 16000, 0, []byte{12, 0, 1, 0, 2, 0, 0, 0, 144, 0, 1, 0, 0, 0}, b)
	return le32(w, len(w)-len(b)-4, uint32(claimed))
}

func flacLength(b []byte, n int) []byte {
	return be32(b, 22, uint32(n))
}

// flacPicture puts a PICTURE block behind the stream information.
func flacPicture(b []byte, n int) []byte {
	head := []byte{6, byte(n >> 16), byte(n >> 8), byte(n)}
	return slices.Concat(b[:42], head, bytes.Repeat([]byte("\xff\xf8\x69\x18"), n/4), b[42:])
}

func serial(n uint32) func([]byte) {
	return func(page []byte) { binary.LittleEndian.PutUint32(page[14:], n) }
}

func granule(of func(uint64) uint64) func([]byte) {
	return func(page []byte) {
		if g := binary.LittleEndian.Uint64(page[6:]); g > 0 {
			binary.LittleEndian.PutUint64(page[6:], of(g))
		}
	}
}

// oggEach changes each page and its check sum; nil leaves out the sums.
func oggEach(b []byte, change func(page []byte)) []byte {
	b = bytes.Clone(b)
	for at := 0; at < len(b); {
		size := 27 + int(b[at+26])
		for _, n := range b[at+27 : at+size] {
			size += int(n)
		}
		page := b[at : at+size]
		clear(page[22:26])
		if change != nil {
			change(page)
			binary.LittleEndian.PutUint32(page[22:], oggSum(page))
		}
		at += size
	}
	return b
}

// oggSum is the check sum of a page, RFC 3533 §6.
func oggSum(b []byte) (sum uint32) {
	for _, c := range b {
		sum ^= uint32(c) << 24
		for range 8 {
			if carry := sum >> 31; carry != 0 {
				sum = sum<<1 ^ 0x04c11db7
			} else {
				sum <<= 1
			}
		}
	}
	return sum
}
