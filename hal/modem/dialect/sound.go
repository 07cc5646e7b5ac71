package dialect

// SoundTest is a way to find out, while no call is up and nobody's telephone rings, whether
// a module's sound can be had on its port. A module that answers a bare OK has told nothing,
// and is believed.
type SoundTest struct {
	Ask string // a test or read command, "AT+CPCMREG=?"
	No  string // what its answer begins with where voice is switched off; "" is never

	// Set switches the sound on and Undo off again, for modules that answer a test command
	// in full and refuse every setting. What "AT+…?" reads back then must not be 0.
	Set, Undo string

	Why string // what a refusal means and what to do, for a person

	// Busy asks a module that has refused who has the port; an answer with BusyIf in it, in
	// capitals, makes BusyWhy the reason.
	Busy, BusyIf, BusyWhy string
}
