package dialect

// rockwell is the RC56 and its like, Conexant's ancestors. At 11025 Hz they detect no
// tones; 8000 Hz is what this board uses.
var rockwell = Dialect{
	Name: "rockwell", About: "Rockwell RC56, RCV56 and compatible",
	Match: []string{"ROCKWELL", "RC56", "RCV56", "RC336", "RCV336"},
	Voice: Voice{
		Setup:  []string{"AT+VSD=128,0"},
		Select: []string{"AT+VSM=%d,8000,0,0", "AT+VSM=%d,8000"},
	},
}
