package modem

// What every GSM modem is told. +COLP=0: with 1 the OK of ATD waits for the answer. +CVHU=0: ATH hangs up.
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
