package dialect

// voice is any modem that follows V.253.
var voice = Dialect{
	Name: "voice", About: "any V.253 voice modem",
	Voice: Voice{Setup: []string{"AT+VSD=128,0"}},
}
