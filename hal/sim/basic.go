package sim

import (
	"fmt"
	"strconv"
	"strings"
)

// limits are the basic commands that take a number and do nothing here, and the largest
// number that they take.
var limits = map[string]int{
	"B": 30, "L": 3, "M": 3, "N": 1, "P": 0, "T": 0, "X": 4, "Y": 1, "W": 2,
	"&C": 2, "&D": 3, "&G": 2, "&J": 1, "&K": 6, "&L": 1, "&M": 6, "&P": 3, "&Q": 9, "&R": 1, "&S": 2, "&T": 8,
	"&X": 2, "&Y": 3, `\A`: 3, `\G`: 1, `\J`: 1, `\K`: 5, `\N`: 5, `\Q`: 3, `\T`: 90, `\V`: 4, "%C": 3, "%E": 3,
}

// basic executes what V.250 has for every modem; what it does not know is an error.
func (d *dce) basic(c command) result {
	n := c.n()
	if most, known := limits[c.name]; known && c.op == 0 {
		if n > most {
			return fail
		}
		if c.name == "X" {
			d.s[22] = byte(n) // the register where modems keep it
		}
		return ok
	}
	switch c.name {
	case "E", "Q", "V":
		return d.flag(c, n)
	case "Z":
		d.dev.hangUp()
		d.factory()
		d.restore()
		d.todo = nil // V.250 §6.1.1: the rest of the line is ignored
		return ok
	case "&F":
		d.factory()
		return ok
	case "&W":
		d.profile = profile{d.echo, d.quiet, d.verbose, d.s}
		return ok
	case "&V":
		return d.info("ACTIVE PROFILE:", fmt.Sprintf("E%d Q%d V%d X%d", one(d.echo), one(d.quiet), one(d.verbose), d.s[22]),
			fmt.Sprintf("S00:%d S02:%d S03:%d S04:%d S05:%d S06:%d S07:%d S08:%d S10:%d S11:%d S12:%d",
				d.s[0], d.s[2], d.s[3], d.s[4], d.s[5], d.s[6], d.s[7], d.s[8], d.s[10], d.s[11], d.s[12]))
	case "I", "+GMI", "+GMM", "+GMR", "+GSN", "+GCAP", "+CGMI", "+CGMM", "+CGMR", "+CGSN":
		return d.ident(c)
	case "+IPR", "+IFC", "+ICF", "+ILRR", "+DS", "+DR", "+ES", "+EB", "+MS", "+MR", "+GCI", "+ICLOK", "+IDSR":
		return ok
	}
	if r, is := strings.CutPrefix(c.name, "S"); is {
		return d.register(r, c)
	}
	return fail
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// flag is E, Q or V.
func (d *dce) flag(c command, n int) result {
	if n > 1 || c.op != 0 {
		return fail
	}
	switch c.name {
	case "E":
		d.echo = n == 1
	case "Q":
		d.quiet = n == 1
	case "V":
		d.verbose = n == 1
	}
	return ok
}

// ident answers what a personality has an answer for.
func (d *dce) ident(c command) result {
	key := c.name
	if key == "I" {
		key += strconv.Itoa(c.n())
	}
	lines, known := d.p.Ident[key]
	if !known {
		return fail
	}
	if c.op == 't' {
		return ok
	}
	return d.info(lines...)
}

// register is S7=60, S7?, or S7 alone, which says OK.
func (d *dce) register(r string, c command) result {
	n, err := strconv.Atoi(r)
	if err != nil || n > 255 {
		return fail
	}
	switch c.op {
	case '?':
		return d.infof("%03d", d.s[n])
	case '=':
		v := c.n()
		if v < 0 || v > 255 || n == 1 || n == 3 && v > 127 {
			return fail
		}
		d.s[n] = byte(v)
	}
	return ok
}
