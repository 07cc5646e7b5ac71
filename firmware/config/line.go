package config

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"hookswitch/hal/modem/dialect"
)

// Mobile reports whether the line's modem is one with a SIM card; "auto" is not.
func (l Line) Mobile() bool {
	d, _ := dialect.Lookup(l.Dialect)
	return d.GSM
}

// Lead-in of a message. A person takes the handset to the ear; on a mobile network that
// time has passed when the answer is told.
const (
	leadInAnalogue = time.Second
	leadInMobile   = 250 * time.Millisecond
)

// complete fills in the defaults that depend on the modem.
func (l *Line) complete() {
	if l.LeadIn == unset {
		l.LeadIn = leadInAnalogue
		if l.Mobile() {
			l.LeadIn = leadInMobile
		}
	}
}

// baudRates are those that the serial library and the modems know.
var baudRates = []int{1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600}

const lineTable = "[[line]]"

var lineName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$`)

func (k *checker) lines() {
	names, ports, pins := map[string]int{}, map[string]int{}, map[string]int{}
	for i := range k.c.Lines {
		l, at := &k.c.Lines[i], k.root.key("line").item(i)
		k.fromBoard(l, at)
		k.unique(names, strings.ToLower(l.Name), at, lineTable, "name", "the line")
		k.identity(l, at)
		for _, p := range []struct{ key, path string }{{"port", l.Port}, {"pcm", l.PCM}} {
			if p.path != "" {
				k.unique(ports, filepath.Clean(p.path), at, lineTable, p.key, "the port")
			}
		}
		k.pins(l, at, pins)
		k.behaviour(l, at)
		l.complete()
	}
}

// identity checks what the line and its modem are.
func (k *checker) identity(l *Line, at *place) {
	switch {
	case l.Name == "":
		k.missing(at, lineTable, "name", `a line needs a name, such as name = "fxo1"`)
	case !lineName.MatchString(l.Name):
		k.add(at.key("name"), lineTable, "name", "%s is no name; write letters, digits, - _ and . (32 at most)", quote(l.Name))
	}
	d, known := dialect.Lookup(l.Dialect)
	if !known {
		names := []string{dialect.Auto}
		for _, d := range dialect.All {
			names = append(names, d.Name)
		}
		k.oneOf(at.key("dialect"), lineTable, "dialect", l.Dialect, names...)
	}
	if l.Port == "" {
		k.missing(at, lineTable, "port", `name the modem's port, such as port = "/dev/serial/by-id/…"; `+"`hookswitch probe` lists them")
	}
	switch {
	case d.GSM && d.NoAudio == "" && l.PCM == "":
		k.missing(at, lineTable, "pcm", "a %s modem carries the sound on a second port, such as pcm = \"/dev/ttyUSB4\"", l.Dialect)
	case l.PCM == "" || !known:
	case !d.GSM:
		k.add(at.key("pcm"), lineTable, "pcm", "a %s modem carries the sound on its own port; remove it", l.Dialect)
	case d.NoAudio != "":
		k.add(at.key("pcm"), lineTable, "pcm", "%s", d.NoAudio)
	}
	for _, b := range []struct {
		key  string
		rate int
	}{{"baud", l.Baud}, {"pcm_baud", l.PCMBaud}} {
		if !slices.Contains(baudRates, b.rate) {
			k.add(at.key(b.key), lineTable, b.key, "%d is no rate of serial ports; 115200 is the usual one", b.rate)
		}
	}
}

var (
	simPIN     = regexp.MustCompile(`^[0-9]{4,8}$`)
	prefixText = regexp.MustCompile(`^\+?[0-9]{1,15}$`)
)

// behaviour checks how the line is used.
func (k *checker) behaviour(l *Line, at *place) {
	if _, err := dialect.ParseVoiceFormat(l.Voice); err != nil {
		k.add(at.key("voice_format"), lineTable, "voice_format", `%s is none; write a number of AT+VSM=?, one of %s, or both: "131 ulaw"`,
			quote(l.Voice), strings.Join(dialect.Codings, ", "))
	} else if l.Voice != "" && l.Mobile() {
		k.add(at.key("voice_format"), lineTable, "voice_format", "a %s modem has one format only; remove it", l.Dialect)
	}
	switch d, known := dialect.Lookup(l.Dialect); {
	case l.SIMPIN == "":
	case known && !d.GSM:
		k.add(at.key("sim_pin"), lineTable, "sim_pin", "a %s modem has no SIM; remove it", l.Dialect)
	case !simPIN.MatchString(l.SIMPIN):
		k.add(at.key("sim_pin"), lineTable, "sim_pin", "a SIM's PIN has 4 to 8 digits") // which is not told
	}
	for i, cmd := range l.Init {
		if why := checkInit(cmd); why != "" {
			k.add(at.key("init").item(i), lineTable, "init", why, quoteInit(cmd))
		}
	}
	for i, p := range l.Prefix {
		if !prefixText.MatchString(p) {
			k.add(at.key("prefix").item(i), lineTable, "prefix", `%s is not the beginning of a number; write digits, such as "0" or "+44"`, quote(p))
		}
	}
	for i, u := range l.Users {
		if known := k.userNames(); !slices.Contains(known, u) && !k.damaged {
			k.add(at.key("users").item(i), lineTable, "users", "there is no [[user]] %s%s", quote(u), hint(u, known))
		}
	}
	k.oneOf(at.key("progress"), lineTable, "progress", l.Progress, ProgressModem, ProgressListen)
	d, _ := dialect.Lookup(l.Dialect)
	switch {
	case l.Progress == ProgressListen && d.GSM:
		k.add(at.key("progress"), lineTable, "progress", `a mobile network says itself what becomes of a call; write "modem"`)
	case l.Pulse && d.GSM:
		k.add(at.key("pulse"), lineTable, "pulse", "a mobile network knows no pulses; leave it out")
	case l.Pulse && !l.Hook.Wired() && !at.key("hook").bad:
		k.add(at.key("pulse"), lineTable, "pulse", "pulses are dialled by the hook relay, which this line has not; wire one, or leave it out")
	case l.Pulse && l.Progress != ProgressListen:
		k.add(at.key("pulse"), lineTable, "pulse", `the modem does not know what the relay has dialled; write progress = "listen" too`)
	}
	if l.LeadIn != unset {
		k.within(at.key("lead_in"), lineTable, "lead_in", l.LeadIn, 0, 10*time.Second)
	}
}

func (k *checker) userNames() (names []string) {
	for _, u := range k.c.Users {
		names = append(names, u.Name)
	}
	return names
}
