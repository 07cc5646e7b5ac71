package modem

var multitech = Dialect{
	Name: "multitech", About: "Multi-Tech MT56xx, MT9234",
	Match:  []string{"MultiTech", "Multi-Tech", "MT5634", "MT9234"},
	Init:   append([]string{"AT+VIT=0"}, voiceInit...),
	Hangup: []string{"ATH", "AT+VLS=0"},
}
