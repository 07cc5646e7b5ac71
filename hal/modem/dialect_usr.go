package modem

import "time"

// USRobotics 5637 and its family: takes sound only as fast as it plays it.
var usr = Dialect{
	Name: "usr", About: "USRobotics 5637 family",
	Match:  []string{"USRobotics", "U.S. Robotics", "5601"},
	Init:   append([]string{"AT+VIT=0"}, voiceInit...),
	Hangup: []string{"ATH", "AT+VLS=0"},
	VSM:    "AT+VSM=128,8000", Codec: "unsigned 8", Ahead: 250 * time.Millisecond,
}
