package dialect

import "time"

// usr is the USRobotics 5637 family. Of its formats the 8-bit linear one is in daily use
// elsewhere; the others are in its manual only. It takes little more sound than it plays.
var usr = Dialect{
	Name: "usr", About: "USRobotics 5637 family",
	Match: []string{"ROBOTICS", "=5601", "USR5637"},
	Voice: Voice{
		Setup:  []string{"AT+VSD=128,0"},
		Format: Format{ID: 128, Name: "8-BIT LINEAR", Bits: 8, Rates: []Rate{{8000, 8000}}},
		Ahead:  200 * time.Millisecond,
	},
}
