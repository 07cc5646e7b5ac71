package sim

// Personality is what a modem says it is, and what differs between makes. It is data: the
// modems themselves are voiceModem and gsmModem.
type Personality struct {
	GSM      bool
	Ident    map[string][]string // what ATI0…9 ("I0"), AT+GMM and the like answer
	Answered string              // how a voice call is reported as answered; "" is OK

	formats []format // voice modems
	vsmLine string   // a line of AT+VSM=?: id, name, bits
	path    audioPath
}

// audioPath is how a GSM modem's sound is switched to its port.
type audioPath int

const (
	noPath      audioPath = iota
	simcomPath            // AT+CPCMREG=1 once the call is up; VOICE CALL: BEGIN
	quectelPath           // AT+QPCMV=1,0 at any time; ^DSCI
	huaweiPath            // AT^DDSETEX=2; ^ORIG ^CONF ^CONN ^CEND
)

var (
	unsignedPCM = format{1, "UNSIGNED PCM", 8, linear}
	adpcm       = format{129, "IMA ADPCM", 4, imaADPCM}
)

// Voice modems.
var (
	// V253 is a generic V.253 modem with every format. Its ATI is one that vgetty knows.
	V253 = Personality{
		Ident: map[string][]string{
			"I0": {"AEIGPM560LKTF1  Voice V2 V92cap"}, "I3": {"hookswitch simulated V.253 modem"},
			"+GMI": {"hookswitch"}, "+GMM": {"simulated V.253 voice modem"}, "+GMR": {"1"},
			"+GCAP": {"+GCAP: +FCLASS,+VSM,+VTX,+VRX"},
		},
		formats: []format{
			{0, "SIGNED PCM", 8, signed}, unsignedPCM, {4, "G.711U", 8, muLaw}, {5, "G.711A", 8, aLaw},
			{128, "8-BIT LINEAR", 8, linear}, adpcm, {130, "UNSIGNED PCM", 8, linear},
			{131, "ULAW", 8, muLaw}, {132, "ALAW", 8, aLaw}, {133, "LINEAR", 16, linear},
		},
		vsmLine: `%d,"%s",%d,0,8000,0,0`,
	}

	// Conexant is a CX93001 in most USB voice modems.
	Conexant = Personality{
		Ident: map[string][]string{
			"I0": {"56000"}, "I1": {"255"}, "I2": {"OK"}, "I3": {"CX93001-EIS_V0.2002-V92"}, "+GMI": {"CONEXANT"},
			"+GMM": {"V90"}, "+GMR": {"CX93001-EIS_V0.2002-V92"}, "+GCAP": {"+GCAP: +FCLASS,+MS,+ES,+DS,+V"},
		},
		formats: []format{unsignedPCM, adpcm, {130, "UNSIGNED PCM", 8, linear}},
		vsmLine: `%d,"%s",%d,0,8000,0,0`,
	}

	// USRobotics is a 5637.
	USRobotics = Personality{
		Ident: map[string][]string{
			"I0": {"5601"}, "I3": {"U.S. Robotics 56K FAX USB V1.2.23"}, "I7": {"Product type: USR5637"},
			"+GMI": {"U.S. Robotics"}, "+GMM": {"USR5637"}, "+GMR": {"1.2.23"},
		},
		formats: []format{
			unsignedPCM, {128, "8-BIT LINEAR", 8, linear}, {129, "ADPCM", 4, imaADPCM}, {130, "UNSIGNED PCM", 8, linear},
			{131, "ULAW", 8, muLaw}, {132, "ALAW", 8, aLaw}, {133, "LINEAR", 16, linear},
		},
		vsmLine: `%d,"%s",%d,0,(7200,8000),(0),(0)`,
	}

	// Rockwell is an RC56; a voice call that is answered is VCON.
	Rockwell = Personality{
		Ident:    map[string][]string{"I0": {"56000"}, "I3": {"RCV56DPF L8571A Rev 30.05/34.05"}},
		Answered: "VCON",
		formats:  []format{unsignedPCM, adpcm, {130, "UNSIGNED PCM", 8, linear}},
		vsmLine:  `%d,"%s",%d,0,(7200,8000,11025),0,0`,
	}
)

// GSM and LTE modems.
var (
	SIM7600 = Personality{
		GSM: true, path: simcomPath,
		Ident: map[string][]string{
			"I0":    {"Manufacturer: SIMCOM INCORPORATED", "Model: SIMCOM_SIM7600G-H", "Revision: SIM7600M22_V2.0", "IMEI: 490154203237518", "+GCAP: +CGSM"},
			"+CGMI": {"SIMCOM INCORPORATED"}, "+GMI": {"SIMCOM INCORPORATED"},
			"+CGMM": {"SIMCOM_SIM7600G-H"}, "+GMM": {"SIMCOM_SIM7600G-H"},
			"+CGMR": {"+CGMR: LE20B04SIM7600M22"}, "+GMR": {"+GMR: LE20B04SIM7600M22"},
			"+CGSN": {"490154203237518"}, "+GSN": {"490154203237518"}, "+GCAP": {"+GCAP: +CGSM"},
		},
	}
	Quectel = Personality{
		GSM: true, path: quectelPath,
		Ident: map[string][]string{
			"I0":    {"Quectel", "EC25", "Revision: EC25EFAR06A06M4G"},
			"+CGMI": {"Quectel"}, "+GMI": {"Quectel"}, "+CGMM": {"EC25"}, "+GMM": {"EC25"},
			"+CGMR": {"EC25EFAR06A06M4G"}, "+GMR": {"EC25EFAR06A06M4G"}, "+CGSN": {"490154203237518"}, "+GSN": {"490154203237518"},
		},
	}
	Huawei = Personality{
		GSM: true, path: huaweiPath,
		Ident: map[string][]string{
			"I0":    {"Manufacturer: huawei", "Model: E173", "Revision: 11.126.85.00.209", "IMEI: 490154203237518", "+GCAP: +CGSM,+DS,+ES"},
			"+CGMI": {"huawei"}, "+GMI": {"huawei"}, "+CGMM": {"E173"}, "+GMM": {"E173"},
			"+CGMR": {"11.126.85.00.209"}, "+GMR": {"11.126.85.00.209"}, "+CGSN": {"490154203237518"}, "+GSN": {"490154203237518"},
		},
	}
	SIM800 = Personality{ // no sound on a serial port
		GSM: true,
		Ident: map[string][]string{
			"I0": {"SIM800 R14.18"}, "+CGMI": {"SIMCOM_Ltd"}, "+GMI": {"SIMCOM_Ltd"}, "+CGMM": {"SIMCOM_SIM800C"}, "+GMM": {"SIMCOM_SIM800C"},
			"+CGMR": {"Revision:1418B05SIM800C24"}, "+GMR": {"Revision:1418B05SIM800C24"}, "+CGSN": {"490154203237518"}, "+GSN": {"490154203237518"},
		},
	}
)
