package modem

// Quectel EC2x: PCM on the NMEA port, so GPS must be off; set up before the call.
var quectel = Dialect{
	Name: "quectel", About: "Quectel EC20, EC21, EC25, EG25", GSM: true,
	Match:    []string{"Quectel", "EC25", "EG25", "EC21", "EC20"},
	Init:     append([]string{"AT^DSCI=1", "AT+QTONEDET=1"}, gsmInit...),
	Hangup:   []string{"AT+CHUP", "ATH"},
	PCMSetup: []string{"AT+QPCMV=0", "AT+QPCMV=1,0"},
	PCMOff:   []string{"AT+QPCMV=0"},
}
