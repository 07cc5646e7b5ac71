package modem

// huawei is the USB sticks with voice. ^CURC=1 switches their call reports on; the sound is
// switched to its port once the call is up.
var huawei = Dialect{
	Name: "huawei", About: "Huawei USB sticks with voice", GSM: true,
	Match:    []string{"HUAWEI"},
	Init:     []string{"AT^CURC=1"},
	Cellular: Cellular{On: []string{"AT^DDSETEX=2"}},
}

// stericsson reports calls with *ECAV.
var stericsson = Dialect{
	Name: "stericsson", About: "ST-Ericsson and Ericsson modules", GSM: true,
	Match: []string{"ERICSSON"},
	Init:  []string{"AT*ECAM=1"},
}
