package dialect

// simcom is SIMCom's modules with +CPCMREG, which takes effect after the answer only. With
// +CPCMBANDWIDTH=1,1 VoLTE calls have 8000 Hz too: at 16000 they would sound as noise.
var simcom = Dialect{
	Name: "simcom", About: "SIMCom modules with +CPCMREG", GSM: true, Maker: makerSIMCom,
	Match: []string{"SIMCOM"},
	Init:  []string{"AT+CLCC=1", "AT+DDET=1", "AT+CPCMFRM=0", "AT+CPCMBANDWIDTH=1,1"},
	Cellular: Cellular{
		Sound: []SoundTest{simcomSound},
		On:    []string{"AT+CPCMREG=1"},
		Off:   []string{"AT+CPCMREG=0"},
		Reset: "AT+CRESET",
		Words: []Word{ // they do not say of which call
			{Begins: "VOICE CALL:BEGIN", Is: StatActive},
			{Begins: "VOICE CALL:END", Is: StatReleased},
		},
	},
}

const makerSIMCom = "SIMCom"

// simcomSound asks for +CPCMREG, which a module refuses to set while no call is up.
var simcomSound = SoundTest{
	Ask: "AT+CPCMREG=?",
	Why: "the module does not know +CPCMREG, as A7670, A7672, A7680 and others that have no sound on USB, and a SIM7600 " +
		"for some seconds after it has started: use a SIM7600, a Quectel EC25 or a voice modem",
}

// sim7600 is the one that is found on most boards.
var sim7600 = func() Dialect {
	d := simcom
	d.Name, d.About = "sim7600", "SIMCom SIM7600, SIM7500"
	d.Match = []string{"SIM7600", "SIM7500"}
	return d
}()

// sim800 and its ancestors have no sound on a serial port.
var sim800 = Dialect{
	Name: "sim800", About: "SIMCom SIM800, SIM808, SIM900", GSM: true, Maker: makerSIMCom,
	Match: []string{"SIM800", "SIM808", "SIM868", "SIM900"},
	Init:  []string{"AT+CLCC=1", "AT+MORING=1", "AT+DDET=1"},
	Cellular: Cellular{
		NoAudio: "a SIM800 has no PCM on a serial port, so it can't play a message: use a SIM7600, a Quectel EC25 or a voice modem",
		Words: []Word{
			{Begins: "MO RING", Is: StatAlerting, Outgoing: true},
			{Begins: "MO CONNECTED", Is: StatActive, Outgoing: true},
		},
	},
}

// dataOnly is modules that never have voice, whatever they answer to its commands.
var dataOnly = Dialect{
	Name: "data", GSM: true,
	About: "modules for data only: SIM7070, SIM7080, SIM7670G, A7670E-LNXY, BG95, BG96, EC800G, E3372",
	Match: []string{"SIM7070", "SIM7080", "SIM7670", "LNXY", "BG95", "BG96", "EC800G", "EC600G", "BC25", "E3372"},
	Cellular: Cellular{
		NoAudio: "this module is for data only and has no voice: use a SIM7600, a Quectel EC25 or a voice modem",
	},
}
