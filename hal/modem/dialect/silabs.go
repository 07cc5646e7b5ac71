package dialect

// silabs is the Silicon Labs ISOmodem (AN93). Its result codes 42 to 45 tell of the line:
// NO LINE, LINE IN USE, and polarity reversal, which is answer supervision.
var silabs = Dialect{
	Name: "silabs", About: "Silicon Labs Si24xx ISOmodem",
	Match: []string{"SI24", "SILICON LAB", "ISOMODEM", "=2404", "=2415", "=2434", "=2457", "=2493", "=2494"},
	Voice: Voice{Setup: []string{"AT+VSD=128,0"}},
}
