package modem

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
