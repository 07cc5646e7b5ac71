package modem

import "time"

// Voice modems. S7 is how long they listen for an answer, in seconds; VRA (0.1 s) and VRN
// (s) how ringback that stops, or never comes, counts as one (V.253 §7). +VSD off: silence
// on the line is not the end of a message that we play.
var voiceInit = []string{"ATX4", "ATS7=60", "AT+VRA=50", "AT+VRN=10"}

var voice = Dialect{
	Name: "voice", About: "any V.253 voice modem",
	Init:   append([]string{}, voiceInit...),
	Hangup: []string{"ATH", "AT+VLS=0"},
}

// Conexant CX93001, CX930xx: most USB voice modems (StarTech, Zoom 3095, TFM-561U). -STE=3
// reports a line in use and a parallel telephone that is lifted.
var conexant = Dialect{
	Name: "conexant", About: "Conexant CX93001 and CX930xx USB modems",
	Match:  []string{"CX930", "CX818", "CX068", "56000", "RD02-D400"},
	Init:   append([]string{"AT-STE=3", "AT+VNH=0"}, voiceInit...),
	Hangup: []string{"ATH", "AT+VLS=0"},
	VSM:    "AT+VSM=1,8000,0,0", Codec: "unsigned 8",
}

// USRobotics 5637 and its family: takes sound only as fast as it plays it.
var usr = Dialect{
	Name: "usr", About: "USRobotics 5637 family",
	Match:  []string{"USRobotics", "U.S. Robotics", "5601"},
	Init:   append([]string{"AT+VIT=0"}, voiceInit...),
	Hangup: []string{"ATH", "AT+VLS=0"},
	VSM:    "AT+VSM=128,8000", Codec: "unsigned 8", Ahead: 250 * time.Millisecond,
}

var rockwell = Dialect{
	Name: "rockwell", About: "Rockwell RC56 and compatible",
	Match:  []string{"Rockwell", "RC56", "RCV56", "RC336"},
	Init:   append([]string{}, voiceInit...),
	Hangup: []string{"ATH", "AT+VLS=0"},
}

var multitech = Dialect{
	Name: "multitech", About: "Multi-Tech MT56xx, MT9234",
	Match:  []string{"MultiTech", "Multi-Tech", "MT5634", "MT9234"},
	Init:   append([]string{"AT+VIT=0"}, voiceInit...),
	Hangup: []string{"ATH", "AT+VLS=0"},
}

var lucent = Dialect{
	Name: "lucent", About: "Lucent, Agere",
	Match:  []string{"Lucent", "Agere", "LT V.9"},
	Init:   append([]string{"AT+VIT=0"}, voiceInit...),
	Hangup: []string{"ATH", "AT+VLS=0"},
}

// Silicon Labs Si24xx (AN93): reports polarity reversal, which is answer supervision.
var silabs = Dialect{
	Name: "silabs", About: "Silicon Labs Si24xx",
	Match:  []string{"Si24", "Silicon Lab"},
	Init:   append([]string{}, voiceInit...),
	Hangup: []string{"ATH", "AT+VLS=0"},
}

// GSM modems. +COLP=0: with 1 the OK of ATD waits for the answer. +CVHU=0: ATH hangs up.
var gsmInit = []string{
	"AT+CMEE=1", "AT+CREG=1", "AT+CLIP=1", "AT+CRC=1", "AT+CSSN=1,1", "AT+COLP=0", "AT+CVHU=0",
}

var gsm = Dialect{
	Name: "gsm", About: "any GSM or LTE modem (TS 27.007) with a PCM port", GSM: true,
	Match:  []string{"GSM", "LTE", "UMTS", "Manufacturer"},
	Init:   gsmInit,
	Hangup: []string{"AT+CHUP", "ATH"},
	// Whatever its maker: Quectel's, SIMCom's and Huawei's way to the audio port, of which a
	// modem refuses those that are not its own.
	PCMSetup: []string{"AT+QPCMV=1,0"},
	PCMOn:    []string{"AT+CPCMREG=1", "AT^DDSETEX=2"},
	PCMOff:   []string{"AT+CPCMREG=0", "AT+QPCMV=0"},
	PCMGuess: true,
}

var sim800 = Dialect{
	Name: "sim800", About: "SIMCom SIM800, SIM900: no sound on a serial port", GSM: true,
	Match:   []string{"SIM800", "SIM900", "SIM808"},
	Init:    gsmInit,
	Hangup:  []string{"ATH", "AT+CHUP"},
	NoAudio: "a SIM800 has no PCM on a serial port, so no message can be played through it; use a SIM7600, EC25 or a voice modem",
}

// SIMCom SIM7600: +CPCMREG after the answer. +CPCMBANDWIDTH=1: 8 kHz, else VoLTE is 16 kHz
// and sounds as noise.
var sim7600 = Dialect{
	Name: "sim7600", About: "SIMCom SIM7600, A7600, SIM7500", GSM: true,
	Match:  []string{"SIM7600", "SIM7500", "A7600", "A7670"},
	Init:   append([]string{"AT+CLCC=1", "AT+DDET=1", "AT+CPCMFRM=0", "AT+CPCMBANDWIDTH=1,1"}, gsmInit...),
	Hangup: []string{"AT+CHUP", "ATH"},
	PCMOn:  []string{"AT+CPCMREG=1"},
	PCMOff: []string{"AT+CPCMREG=0"},
}

var simcom = func() Dialect {
	d := sim7600
	d.Name, d.About, d.Match = "simcom", "SIMCom modems with +CPCMREG", []string{"SIMCOM"}
	return d
}()

// Quectel EC2x: PCM on the NMEA port, so GPS must be off; set up before the call.
var quectel = Dialect{
	Name: "quectel", About: "Quectel EC20, EC21, EC25, EG25", GSM: true,
	Match:    []string{"Quectel", "EC25", "EG25", "EC21", "EC20"},
	Init:     append([]string{"AT^DSCI=1", "AT+QTONEDET=1"}, gsmInit...),
	Hangup:   []string{"AT+CHUP", "ATH"},
	PCMSetup: []string{"AT+QPCMV=0", "AT+QPCMV=1,0"},
	PCMOff:   []string{"AT+QPCMV=0"},
}

var huawei = Dialect{
	Name: "huawei", About: "Huawei USB sticks with voice", GSM: true,
	Match:  []string{"Huawei"},
	Init:   gsmInit,
	Hangup: []string{"AT+CHUP", "ATH"},
	PCMOn:  []string{"AT^DDSETEX=2"},
}
