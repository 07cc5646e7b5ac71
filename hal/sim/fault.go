package sim

import (
	"strings"
	"time"
)

// Faults are what is wrong with a line and its modem. The zero value is a line without
// faults. They can be combined, and changed while the line works.
type Faults struct {
	// What the host reads.
	Split   bool          // one byte at a time
	Header  Header        // what stands around results and information
	Echo    bool          // echo can't be turned off
	Delay   time.Duration // everything comes so much later
	URC     string        // an unsolicited line in the middle of each answer, "RING" say
	Garbage int           // so many random bytes before each answer
	Mute    bool          // nothing is answered, though it is done
	Lose    int           // the next so many final result codes are lost
	Twice   bool          // the result of an aborted dial comes again half a second later
	Rings   bool          // RING, ten times a second, whatever goes on

	// A line that contains Lost is not said, one that contains Garble comes with the last
	// character of its first word missing ("+CLC: 1,0,…", "BUS"): each, or the n-th only.
	Lost     string
	LostAt   int
	Garble   string
	GarbleAt int

	// What becomes of what the host writes.
	Deaf   bool // nothing is taken notice of
	Stall  bool // nothing is taken: the host's writes block
	Wedged bool // voice data is taken, codes that end it are not
	Unheed bool // characters during a pending dial don't abort it
	Holds  bool // a voice modem says OK to ATH, and keeps the line until AT+VLS=0
	Baud   int  // true pace of the AT port in both directions; 0 is none. A GSM modem's sound has a USB port

	// AudioStall is how many bytes the audio port takes in a call before it takes nothing more;
	// 0 is no fault, negative from the start.
	AudioStall int

	// Buffer is how many bytes of voice data a voice modem holds that has no flow control:
	// what comes too early is lost, which Lost counts; 0 is a modem with flow control.
	Buffer int

	// Refuse is answered with RefuseWith, "" being ERROR, to each command line that contains
	// it, or to the RefuseAt-th only.
	Refuse     string
	RefuseWith string
	RefuseAt   int

	// What the hook relay and the detectors do.
	Stuck    bool   // the relay's contact does not open any more once it conducts
	NoRelay  bool   // the relay can't be driven
	Flows    bool   // loop current is reported whatever our relay and modem do
	BadInput string // "loop", "ring" or "in use" can't be read
	BadReads int    // only so many times; 0 is always

	// What the network does.
	NoDialTone bool
	Hum        bool // of the mains, on an analogue line
	NoLoop     bool // no loop current: the wire is cut
	NoService  bool // a GSM modem finds no network
	NoSIM      bool
	CREG       int           // what +CREG tells of calls, where that is not 1: 6 is SMS only
	NoIMS      bool          // LTE has no voice
	MuteAt     string        // nothing is answered any more from the next command on that contains it
	NoCarrier  time.Duration // each call ends with NO CARRIER so long after its dialling
	Contexts   int           // data connections that a GSM modem lists with its calls, before them
}

// Header is what a modem puts around a line: V.250 §5.7 wants CR LF on both sides.
type Header int

const (
	CRLF     Header = iota // \r\nOK\r\n
	DoubleCR               // \r\r\nOK\r\r\n, as SIM7600 firmware
	NoHeader               // OK\r\n, as softmodems
	LFOnly                 // \nOK\r\n
)

// wrap puts the header around a line.
func (h Header) wrap(text string) string {
	switch h {
	case DoubleCR:
		return "\r\r\n" + text + "\r\r\n"
	case NoHeader:
		return text + "\r\n"
	case LFOnly:
		return "\n" + text + "\r\n"
	}
	return "\r\n" + text + "\r\n"
}

// Fault changes what is wrong with the line, from now on.
func (l *Line) Fault(f Faults) {
	l.mu.Lock()
	l.fault, l.refused, l.losses, l.garbled = f, 0, 0, 0
	l.contactLocked()
	l.mu.Unlock()
	l.at.changed()
	l.pcm.changed()
}

func (l *Line) faults() Faults {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fault
}

// badRead says that a detector can't be read this time.
func (l *Line) badRead(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fault.BadInput != name {
		return false
	}
	if l.fault.BadReads > 0 {
		if l.fault.BadReads--; l.fault.BadReads == 0 {
			l.fault.BadInput = ""
		}
	}
	return true
}

// falls silent where the command line is the one that it falls silent at.
func (l *Line) fallsSilent(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f := &l.fault; f.MuteAt != "" && containsFold(line, f.MuteAt) {
		f.Mute = true
	}
}

// refuses says how a command line is refused, "" if it is not.
func (l *Line) refuses(line string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := &l.fault
	if f.Refuse == "" || !containsFold(line, f.Refuse) {
		return ""
	}
	l.refused++
	if f.RefuseAt != 0 && f.RefuseAt != l.refused {
		return ""
	}
	if f.RefuseWith == "" {
		return "ERROR"
	}
	return f.RefuseWith
}

// damages is a line as the host gets it; ok is false for one that is lost.
func (l *Line) damages(line string) (_ string, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := &l.fault
	if strikes(line, f.Lost, f.LostAt, &l.losses) {
		return "", false
	}
	if strikes(line, f.Garble, f.GarbleAt, &l.garbled) {
		end := max(1, len(line))
		if i := strings.IndexAny(line, ": "); i > 0 {
			end = i
		}
		line = line[:end-1] + line[end:]
	}
	return line, true
}

// strikes says that a fault befalls a line; count counts those that it could have befallen.
func strikes(line, what string, at int, count *int) bool {
	if what == "" || !strings.Contains(line, what) {
		return false
	}
	*count++
	return at == 0 || at == *count
}

// loses says that the next result code is lost.
func (l *Line) loses() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fault.Lose <= 0 {
		return false
	}
	l.fault.Lose--
	return true
}
