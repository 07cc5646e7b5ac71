package dialect

// huawei is the USB sticks with voice. ^CURC=1 switches their call reports on; the sound is
// switched to its port once the call is up.
var huawei = Dialect{
	Name: "huawei", About: "Huawei USB sticks with voice", GSM: true, Maker: "Huawei",
	Match: []string{"HUAWEI"},
	Init:  []string{"AT^CURC=1"},
	Cellular: Cellular{
		Sound: huaweiSound, On: []string{"AT^DDSETEX=2"},
		Words: []Word{ // index, then of ^CEND duration, end status, cause
			{Begins: "^ORIG:", Call: 1, Is: StatDialling, Outgoing: true},
			{Begins: "^CONF:", Call: 1, Is: StatAlerting, Outgoing: true},
			{Begins: "^CONN:", Call: 1, Is: StatActive},
			{Begins: "^CEND:", Call: 1, Is: StatReleased, Cause: 4},
		},
	},
}

// huaweiSound asks whether voice is switched on in the firmware (^CVOICE: 0 is on), and for
// ^DDSETEX, which can't be set while no call is up.
var huaweiSound = []SoundTest{
	{
		Ask: "AT^CVOICE?", No: "1",
		Why: "voice is switched off in the stick's firmware: try AT^CVOICE=0, or use a stick with voice",
	},
	{Ask: "AT^DDSETEX=?", Why: "the stick has no voice: use one with voice"},
}

// stericsson reports calls with *ECAV.
var stericsson = Dialect{
	Name: "stericsson", About: "ST-Ericsson and Ericsson modules", GSM: true, Maker: "Ericsson",
	Match: []string{"ERICSSON"},
	Init:  []string{"AT*ECAM=1"},
	Cellular: Cellular{
		Sound: anySound, Before: gsm.Before, On: gsm.On, Off: gsm.Off, Guess: true,
		Words: []Word{{ // index, state, type
			Begins: "*ECAV:", Call: 1, Stat: 2,
			Stats: map[int]int{0: StatReleased, 1: StatDialling, 2: StatDialling, 3: StatActive, 4: StatHeld, 5: StatWaiting, 6: StatAlerting},
		}},
	},
}
