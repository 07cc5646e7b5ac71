package dialect

// lucent is Lucent's and Agere's chips. 131 is 8-bit µ-law there; 128, which is 8-bit linear
// on others, is 12-bit on some of them.
var lucent = Dialect{
	Name: "lucent", About: "Lucent and Agere Venus, LT Win Modem",
	Match: []string{"LUCENT", "AGERE", "VENUS", "LT V.9"},
	Voice: Voice{Setup: []string{"AT+VSD=128,0"}},
}

// multitech is MultiModems, whose voice part is Lucent's.
var multitech = Dialect{
	Name: "multitech", About: "Multi-Tech MT5634, MT9234",
	Match: []string{"MULTITECH", "MULTI-TECH", "MULTIMODEM", "MT5634", "MT9234"},
	Voice: Voice{Setup: []string{"AT+VSD=128,0"}},
}
