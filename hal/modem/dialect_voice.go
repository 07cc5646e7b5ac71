package modem

// What every voice modem is told. S7 is how long they listen for an answer, in seconds; VRA (0.1 s) and VRN
// (s) how ringback that stops, or never comes, counts as one (V.253 §7). +VSD off: silence
// on the line is not the end of a message that we play.
var voiceInit = []string{"ATX4", "ATS7=60", "AT+VRA=50", "AT+VRN=10"}

var voice = Dialect{
	Name: "voice", About: "any V.253 voice modem",
	Init:   append([]string{}, voiceInit...),
	Hangup: []string{"ATH", "AT+VLS=0"},
}
