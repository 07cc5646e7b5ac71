package modem

var rockwell = Dialect{
	Name: "rockwell", About: "Rockwell RC56 and compatible",
	Match:  []string{"Rockwell", "RC56", "RCV56", "RC336"},
	Init:   append([]string{}, voiceInit...),
	Hangup: []string{"ATH", "AT+VLS=0"},
}
