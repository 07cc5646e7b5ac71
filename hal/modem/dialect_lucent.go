package modem

var lucent = Dialect{
	Name: "lucent", About: "Lucent, Agere",
	Match:  []string{"Lucent", "Agere", "LT V.9"},
	Init:   append([]string{"AT+VIT=0"}, voiceInit...),
	Hangup: []string{"ATH", "AT+VLS=0"},
}
