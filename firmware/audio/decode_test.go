package audio_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hookswitch/firmware/audio"
)

// Each file is decoded by us and, to 16-bit or float WAV at its own rate, by a program that
// we did not write; both then go through the same resampler.
func TestDecodedSoundIsWhatOtherProgramsDecode(t *testing.T) {
	const (
		exact = 150.0 // dB; all samples are the same
		alike = 60.0
	)
	sox, ffmpeg := "sox -D in -e signed -b 16 ref.wav", "ffmpeg -v error -i in -c:a pcm_f32le ref.wav"
	for _, test := range []struct {
		name, make string
		reference  string
		snr        float64
	}{
		{"PCM of 8 bits", "sox -D speech.wav -b 8 -t wav in", sox, exact},
		{"PCM of 16 bits", "cp speech.wav in", sox, exact},
		{"PCM of 16 bits, stereo", "sox -D speech.wav -t wav in remix 1 1p,v0.3", ffmpeg, exact},
		{"PCM of 16 bits, six channels", "sox -D speech.wav -t wav in remix 1v0.5 1v0.4 1v-0.2 1v0.1 0 1", ffmpeg, exact},
		{"PCM of 24 bits, WAVE_FORMAT_EXTENSIBLE", "sox -D -R -v 0.7 speech.wav -b 24 -t wav in lowpass 3000", ffmpeg, exact},
		{"PCM of 32 bits", "sox -D -v 0.7 speech.wav -b 32 -t wav in", ffmpeg, exact},
		{"float of 32 bits", "sox -D -v 0.7 speech.wav -e float -b 32 -t wav in", ffmpeg, exact},
		{"float of 64 bits", "ffmpeg -v error -i speech.wav -c:a pcm_f64le -f wav in", ffmpeg, exact},
		{"written to a pipe, with a size that nobody filled in (sox)", "sox speech.wav -t wav - 2>/dev/null | cat >in", sox, exact},
		{"written to a pipe, with a size that nobody filled in (ffmpeg)", "ffmpeg -v error -i speech.wav -f wav - | cat >in", "cp speech.wav ref.wav", exact},
		{"with a LIST chunk of odd length", "ffmpeg -v error -i speech.wav -metadata title=abc -f wav in", "cp speech.wav ref.wav", exact},
		{"G.711 µ-law", "sox speech.wav -r 8000 -e u-law -t wav in", sox, exact},
		{"G.711 A-law", "sox speech.wav -r 8000 -e a-law -t wav in", sox, exact},
		{"G.711 µ-law, stereo, 11025 Hz", "sox speech.wav -r 11025 -c 2 -e u-law -t wav in", ffmpeg, exact},
		{"GSM 06.10 in WAV", "sox speech.wav -r 8000 -e gsm-full-rate -t wav in", sox, exact},
		{"GSM 06.10 in WAV, 22050 Hz", "sox speech.wav -e gsm-full-rate -t wav in", sox, exact},
		{"GSM 06.10 bare", "sox speech.wav -r 8000 -t gsm in", "sox -t gsm in -e signed -b 16 ref.wav", exact},
		{"IMA ADPCM", "sox speech.wav -e ima-adpcm -t wav in", sox, exact},
		{"IMA ADPCM, stereo", "sox speech.wav -e ima-adpcm -t wav in remix 1 1v0.3", sox, exact},
		{"IMA ADPCM of another program", "ffmpeg -v error -i speech.wav -c:a adpcm_ima_wav -f wav in", sox, exact},
		{"MS ADPCM", "sox speech.wav -e ms-adpcm -t wav in", sox, exact},
		{"MS ADPCM, stereo", "sox speech.wav -e ms-adpcm -t wav in remix 1 1v0.3", sox, exact},
		{"AU of 16 bits", "sox speech.wav -t au in", "sox -t au in -e signed -b 16 ref.wav", exact},
		{"AU of 24 bits, stereo", "sox -D -v 0.7 speech.wav -b 24 -t au in remix 1 1v0.3", ffmpeg, exact},
		{"AU, µ-law", "sox speech.wav -r 8000 -e u-law -t au in", "sox -t au in -e signed -b 16 ref.wav", exact},
		{"AU, A-law", "sox speech.wav -r 8000 -e a-law -t au in", "sox -t au in -e signed -b 16 ref.wav", exact},
		{"FLAC", "flac --totally-silent -8 speech.wav -o in", ffmpeg, exact},
		{"FLAC of 24 bits, stereo, 48 kHz", "sox -D -v 0.7 speech.wav -r 48000 -b 24 x.wav remix 1 1v0.3; flac --totally-silent x.wav -o in", ffmpeg, exact},
		{"MP3, 8000 Hz (MPEG 2.5)", "lame --quiet --resample 8 -b 16 -m m speech.wav in", ffmpeg, alike},
		{"MP3, 11025 Hz (MPEG 2.5)", "lame --quiet --resample 11.025 -b 16 -m m speech.wav in", ffmpeg, alike},
		{"MP3, 12000 Hz (MPEG 2.5)", "lame --quiet --resample 12 -V 6 -m m speech.wav in", ffmpeg, alike},
		{"MP3, 22050 Hz (MPEG 2)", "lame --quiet -b 32 speech.wav in", ffmpeg, alike},
		{"MP3, 24000 Hz, stereo, with ID3v2", "sox speech.wav x.wav remix 1 1v0.3; lame --quiet --resample 24 -m s -b 64 --add-id3v2 --tt x x.wav in", ffmpeg, alike},
		{"MP3, 44100 Hz, joint stereo", "sox speech.wav x.wav remix 1 1v0.3; lame --quiet --resample 44.1 -m j -b 64 x.wav in", ffmpeg, alike},
		{"MP3, 48000 Hz, variable rate", "lame --quiet --resample 48 -V 2 speech.wav in", ffmpeg, alike},
		{"MP3 with checksums", "lame --quiet --resample 44.1 -p -b 48 speech.wav in", ffmpeg, alike},
		{"MP3 without the encoder's tag", "lame --quiet -t -b 40 speech.wav in", ffmpeg, alike},
		{"MP3 in WAV", "lame --quiet -t -b 32 speech.wav x.mp3; ffmpeg -v error -i x.mp3 -c copy -f wav in", ffmpeg, alike},
		{"Opus for speech", "opusenc --quiet --bitrate 12 speech.wav in", "opusdec --quiet --rate 48000 --float in ref.wav", 40},
		{"Opus for music, stereo", "sox speech.wav x.wav remix 1 1v0.3; opusenc --quiet --bitrate 96 x.wav in", "opusdec --quiet --rate 48000 --float in ref.wav", alike},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := workDir(t)
			sh(t, dir, test.make)
			sh(t, dir, test.reference)
			got, want := decodeFile(t, filepath.Join(dir, "in")), decodeFile(t, filepath.Join(dir, "ref.wav"))
			// The other program may play the padding of the last block, too.
			if d := len(got) - len(want); d < -200 || d > 1 {
				t.Errorf("got %d samples, want %d", len(got), len(want))
			}
			if s := snr(want[:len(got)-100], got); s < test.snr {
				t.Errorf("got a signal %.1f dB above its difference from the reference, want %.0f", s, test.snr)
			}
			f, err := os.Open(filepath.Join(dir, "in"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			d, err := audio.Describe(f, "")
			if err != nil || d.Incomplete() != "" || (d.Duration-got.Duration()).Abs() > 100*time.Millisecond {
				t.Errorf("Describe says %v, %v, of %v", d, err, got.Duration())
			}
		})
	}
}

// MP3 at 16 and 32 kHz comes straight at 8000 Hz, without the resampler's filter: what is
// between 3400 and 4000 Hz differs.
func TestMP3AtTwiceTheRateIsTheSameSpeech(t *testing.T) {
	for _, rate := range []string{"16", "32"} {
		dir := workDir(t)
		sh(t, dir, "lame --quiet --resample "+rate+" -b 48 -m m speech.wav in.mp3; ffmpeg -v error -i in.mp3 ref.wav")
		sh(t, dir, "sox -D ref.wav low.wav sinc -t 400 -2800")
		got := decodeFile(t, filepath.Join(dir, "in.mp3"))
		var b bytes.Buffer
		if err := audio.WriteWAV(&b, got); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "got.wav"), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		sh(t, dir, "sox -D got.wav low8.wav sinc -t 400 -2800")
		low, want := decodeFile(t, filepath.Join(dir, "low8.wav")), decodeFile(t, filepath.Join(dir, "low.wav"))
		if s := snr(want, low); s < 70 {
			t.Errorf("%s kHz: got a signal %.1f dB above its difference from the reference, want 40", rate, s)
		}
	}
}

// le32 puts a number into a copy of b.
func le32(b []byte, at int, v uint32) []byte {
	b = bytes.Clone(b)
	binary.LittleEndian.PutUint32(b[at:], v)
	return b
}

func le16(b []byte, at int, v uint16) []byte {
	b = bytes.Clone(b)
	binary.LittleEndian.PutUint16(b[at:], v)
	return b
}

// Offsets in a file made by wav.
const (
	atRIFFSize = 4
	atFmtSize  = 16
	atTag      = 20
	atChannels = 22
	atRate     = 24
	atBits     = 34
	atDataSize = 40
	atData     = 44
)

func TestDecodeRefuses(t *testing.T) {
	t.Setenv("PATH", "") // without ffmpeg
	good := wav(8000, 1, sine(8000, 1000, time.Second))
	tiny := good[:atData+400]
	text := []byte(strings.Repeat("Dear Anna, here is your voice message.\n", 200))
	for _, test := range []struct {
		name string
		file []byte
		want error
		says string
	}{
		{"nothing", nil, audio.ErrBroken, "empty"},
		{"text named .wav", text, audio.ErrFormat, "text"},
		{"zeros", make([]byte, 5000), audio.ErrFormat, ""},
		{"a WAV signature alone", good[:12], audio.ErrBroken, "cut short"},
		{"half a signature", good[:10], audio.ErrBroken, "cut short"},
		{"a header cut in its format", good[:30], audio.ErrBroken, "cut short"},
		{"a header cut before the data", good[:38], audio.ErrBroken, "cut short"},
		{"a header without data", le32(good[:atData], atDataSize, 0), audio.ErrBroken, "no sound"},
		{"a header that promises data", good[:atData], audio.ErrBroken, ""},
		{"no samples", wav(8000, 1, nil), audio.ErrBroken, "no sound"},
		{"half a sample", wavOf(1, 1, 8000, 16, nil, []byte{1}), audio.ErrBroken, "no sound"},
		{"an endless format chunk", le32(good, atFmtSize, 0xffffffff), audio.ErrBroken, ""},
		{"a format chunk of no length", le32(good, atFmtSize, 0), audio.ErrBroken, ""},
		{"a short file that promises 4 GB", le32(tiny, atDataSize, 0xfffffff0), audio.ErrBroken, "claims"},
		{"a short file that promises 2 GB", le32(tiny, atDataSize, 0x7fffffff), audio.ErrBroken, "claims"},
		{"no channels", le16(good, atChannels, 0), audio.ErrBroken, "channels"},
		{"65535 channels", le16(good, atChannels, 0xffff), audio.ErrBroken, "channels"},
		{"no sample rate", le32(good, atRate, 0), audio.ErrBroken, "samples a second"},
		{"4 billion samples a second", le32(good, atRate, 0xffffffff), audio.ErrBroken, "samples a second"},
		{"samples of no bits, nor blocks", le16(le16(good, atBits, 0), atBits-2, 0), audio.ErrFormat, "bits"},
		{"samples of 65535 bits", le16(le16(good, atBits, 0xffff), atBits-2, 0), audio.ErrFormat, "bits"},
		{"RIFF that is no WAV", append([]byte("RIFF\x10\x00\x00\x00AVI "), make([]byte, 100)...), audio.ErrFormat, "not WAV"},
		{"an unknown coding", le16(good, atTag, 0x0130), audio.ErrFormat, "ffmpeg"},
		{"ADPCM in blocks of two bytes", le16(le16(good, atTag, 0x11), atBits, 4), audio.ErrBroken, "blocks"},
		{"AMR", append([]byte("#!AMR\n"), make([]byte, 500)...), audio.ErrFormat, "AMR; convert it first, with ffmpeg"},
		{"AMR, wide-band", append([]byte("#!AMR-WB\n"), make([]byte, 500)...), audio.ErrFormat, "AMR"},
		{"WMA", append([]byte("\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c"), make([]byte, 500)...), audio.ErrFormat, "WMA"},
		{"MPEG-4", append([]byte("\x00\x00\x00\x20ftypM4A "), make([]byte, 500)...), audio.ErrFormat, "MPEG-4"},
		{"Ogg Vorbis", append([]byte("OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00aaaa\x00\x00\x00\x00crcc\x01\x1e\x01vorbis"), make([]byte, 500)...), audio.ErrFormat, "not Opus"},
		{"a FLAC signature alone", []byte("fLaC"), audio.ErrBroken, ""},
		{"an ID3 tag alone", append([]byte("ID3\x04\x00\x00\x00\x00\x01\x00"), make([]byte, 128)...), audio.ErrBroken, "no frame"},
		{"AU that begins behind its end", []byte(".snd\x7f\xff\xff\xff\x00\x00\x00\x10\x00\x00\x00\x03\x00\x00\x1f\x40\x00\x00\x00\x01abcd"), audio.ErrBroken, ""},
		{"AU cut in its header", []byte(".snd\x00\x00\x00\x18\x00"), audio.ErrBroken, "cut short"},
		{"two minutes", wav(8000, 1, make([]int16, 120*8000)), audio.ErrLimit, "too long: 2 min of at most 1 min"},
	} {
		t.Run(test.name, func(t *testing.T) {
			clip, err := audio.Decode(bytes.NewReader(test.file), time.Minute)
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("Decode: got %d samples, %v; want %v … %s", len(clip), err, test.want, test.says)
			}
			if test.want == audio.ErrLimit {
				return
			}
			if d, err := audio.Describe(bytes.NewReader(test.file), ""); !errors.Is(err, test.want) {
				t.Errorf("Describe: got %v, %v; want %v", d, err, test.want)
			}
		})
	}
}

func TestDecodePlaysAsFarAsTheFileGoes(t *testing.T) {
	second := sine(8000, 1000, time.Second)
	good := wav(8000, 1, second)
	list := append([]byte("LIST\x05\x00\x00\x00INFOx\x00"), good[36:]...)
	for _, test := range []struct {
		name string
		file []byte
		want time.Duration
	}{
		{"cut in the middle", good[:len(good)/2], 499 * time.Millisecond},
		{"size of the data unknown, as programs write into a pipe", le32(le32(good, atDataSize, 0xffffffff), atRIFFSize, 0xffffffff), time.Second},
		{"sizes never filled in", le32(le32(good, atDataSize, 0), atRIFFSize, 0), time.Second},
		{"sizes of the empty file never changed", le32(le32(good, atDataSize, 0), atRIFFSize, 36), time.Second},
		{"only the RIFF size wrong", le32(good, atRIFFSize, 7), time.Second},
		{"an odd chunk before the data", append(bytes.Clone(good[:36]), list...), time.Second},
		{"a chunk behind the data", append(bytes.Clone(good), "LIST\x04\x00\x00\x00INFO"...), time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := decode(t, test.file)
			if (got.Duration() - test.want).Abs() > time.Millisecond {
				t.Errorf("got %v, want %v", got.Duration(), test.want)
			}
			if s := snr(second[:len(got)], got); s < 100 {
				t.Errorf("the sound differs: %.0f dB", s)
			}
		})
	}
}

func TestDecodeTellsByContentNotByName(t *testing.T) {
	dir := workDir(t)
	sh(t, dir, "lame --quiet -b 32 speech.wav named.wav; sox speech.wav -r 8000 -t gsm named.mp3")
	for _, name := range []string{"named.wav", "named.mp3"} {
		if d := decodeFile(t, filepath.Join(dir, name)).Duration(); d < 3*time.Second {
			t.Errorf("%s: got %v of sound", name, d)
		}
	}
}

func TestRoundingOf24BitSamples(t *testing.T) {
	for _, test := range []struct {
		in   int32
		want int16
	}{{0, 0}, {127, 0}, {128, 1}, {255, 1}, {256, 1}, {-127, 0}, {-128, -1}, {-256, -1}, {8388607, 32767}, {-8388608, -32768}} {
		data := bytes.Repeat([]byte{byte(test.in), byte(test.in >> 8), byte(test.in >> 16)}, 80)
		if c := decode(t, wavOf(1, 1, 8000, 24, nil, data)); c[40] != test.want {
			t.Errorf("%d becomes %d, want %d", test.in, c[40], test.want)
		}
	}
}

func TestFloatSamplesThatAreNoNumbers(t *testing.T) {
	var data []byte
	for range 200 {
		for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e30, 0.25} {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(f)))
		}
	}
	data = append(data, make([]byte, 4*44100)...)
	c := decode(t, wavOf(3, 1, 44100, 32, nil, data))
	if end := c[len(c)/2:]; dB(end) > -100 {
		t.Errorf("NaN spoils what comes after it: %v", end[:10])
	}
}

func TestWriteWAVIsReadBack(t *testing.T) {
	want := audio.Clip(sine(audio.Rate, 440, time.Second))
	var b bytes.Buffer
	if err := audio.WriteWAV(&b, want); err != nil {
		t.Fatal(err)
	}
	if got := decode(t, b.Bytes()); len(got) != len(want) || snr(want, got) < 150 {
		t.Errorf("got %d samples, %.0f dB, want the same %d", len(got), snr(want, got), len(want))
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x.wav"), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(sh(t, dir, "soxi -r x.wav; soxi -s x.wav; soxi -b x.wav"))); got != "8000\n8000\n16" {
		t.Errorf("sox reads %q", got)
	}
}
