package modem

var huawei = Dialect{
	Name: "huawei", About: "Huawei USB sticks with voice", GSM: true,
	Match:  []string{"Huawei"},
	Init:   gsmInit,
	Hangup: []string{"AT+CHUP", "ATH"},
	PCMOn:  []string{"AT^DDSETEX=2"},
}
