package modem

// quectel is EC2x and EG2x. The sound is on the port that GPS otherwise uses, and must be
// asked for before the call. +QTONEDET reports keys.
var quectel = Dialect{
	Name: "quectel", About: "Quectel EC20, EC21, EC25, EG25", GSM: true,
	Match: []string{"QUECTEL", "EC20", "EC21", "EC25", "EG25", "EG21"},
	Init:  []string{"AT^DSCI=1", "AT+QTONEDET=1"},
	Cellular: Cellular{
		Before: []string{"AT+QPCMV=1,0"},
		Off:    []string{"AT+QPCMV=0"},
	},
}
