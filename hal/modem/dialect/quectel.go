package dialect

// quectel is EC2x and EG2x. The sound is on the port that GPS otherwise uses, and must be
// asked for before the call. +QTONEDET reports keys.
var quectel = Dialect{
	Name: "quectel", About: "Quectel EC20, EC21, EC25, EG25", GSM: true, Maker: "Quectel",
	Match: []string{"QUECTEL", "EC20", "EC21", "EC25", "EG25", "EG21"},
	Init:  []string{"AT^DSCI=1", "AT+QTONEDET=1"},
	Cellular: Cellular{
		Sound:  []SoundTest{quectelSound},
		Before: []string{"AT+QPCMV=1,0"},
		Off:    []string{"AT+QPCMV=0"},
		Words: []Word{{ // index, direction, state, type, number, type of number
			Begins: "^DSCI:", Call: 1, Dir: 2, Stat: 3,
			Stats: map[int]int{
				0: StatActive, 1: StatHeld, 2: StatDialling, 3: StatActive, 4: StatIncoming, 5: StatWaiting, 6: StatReleased, 7: StatAlerting,
			},
		}},
	},
}

// quectelSound sets +QPCMV, as firmware without voice answers AT+QPCMV=? in full.
var quectelSound = SoundTest{
	Set: "AT+QPCMV=1,0", Undo: "AT+QPCMV=0",
	Why:  "the module does not bring its voice to the USB port: " + quectelGPS + ", or this variant has no voice",
	Busy: "AT+QGPSCFG=\"outport\"", BusyIf: "USBNMEA", BusyWhy: "the module's sound port is busy: " + quectelGPS,
}

const quectelGPS = "GPS has that port, which init = ['AT+QGPSCFG=\"outport\",\"none\"'] takes from it"
