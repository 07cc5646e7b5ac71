package modem

// Silicon Labs Si24xx (AN93): reports polarity reversal, which is answer supervision.
var silabs = Dialect{
	Name: "silabs", About: "Silicon Labs Si24xx",
	Match:  []string{"Si24", "Silicon Lab"},
	Init:   append([]string{}, voiceInit...),
	Hangup: []string{"ATH", "AT+VLS=0"},
}
