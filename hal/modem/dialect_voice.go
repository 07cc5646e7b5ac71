package modem

// voice is any modem that follows V.253.
var voice = Dialect{
	Name: "voice", About: "any V.253 voice modem",
	Voice: Voice{Setup: []string{"AT+VSD=128,0"}},
}

// voiceInit is what every voice modem is told. X4 tells dial tone and busy from each other
// (V.250 6.3.5), S0=0 is never to answer by itself, S7 is how long to wait for an answer,
// M0 keeps the loudspeaker quiet, &D2 hangs up when the port is closed, +VCID=1 tells who calls.
var voiceInit = []string{"ATX4", "ATS0=0", "ATS7=60", "ATM0", "AT&D2", "AT+VCID=1"}

// voiceSetup is set-up of voice mode (V.253): no hang-up and no end of the message of the
// modem's own accord, and an answer is when ringback has been gone for 4.5 s, longer than
// its longest pause, or has not come within 10 s.
var voiceSetup = []string{"AT+VIT=0", "AT+VNH=0", "AT+VRA=45", "AT+VRN=10"}

// answerLimit is S7.
const answerLimit = 60
