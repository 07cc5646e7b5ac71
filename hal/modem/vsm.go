package modem

import (
	"fmt"
	"slices"
	"strings"

	"hookswitch/hal/modem/dialect"
)

// standardFormats are the ids of V.253 table 17, for modems that list ids alone.
var standardFormats = map[int]dialect.Format{
	0: {Name: "SIGNED PCM", Bits: 8},
	1: {Name: "UNSIGNED PCM", Bits: 8},
	4: {Name: "G.711U", Bits: 8},
	5: {Name: "G.711A", Bits: 8},
}

// maxFormats bounds what is taken from one list; the longest known has seven.
const maxFormats = 64

// parseVSM reads the answer to AT+VSM=?, in every shape that modems were seen to use:
//
//	1,"UNSIGNED PCM",8,0,8000,0,0                         Conexant
//	128,"8-BIT LINEAR",8,0,(7200,8000),(0),(0)            USRobotics
//	128,"SIGNED PCM",12,0,(7200-8000,11025),(127-129),…   Multi-Tech
//	131,"8-BIT ULAW",(8000)                               Lucent
//	1;CELP;1;0;(9600)                                     ZyXEL
//	+VSM=0-1,8000-8000                                    slmodemd
func parseVSM(info []string) (formats []dialect.Format) {
	for _, line := range info {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "+") { // +VSM: or +VSM= or + VSM:
			line = line[strings.IndexAny(line, ":=")+1:]
		}
		formats = append(formats, parseFormats(line)...)
	}
	return formats[:min(len(formats), maxFormats)]
}

func parseFormats(line string) (formats []dialect.Format) {
	fields := splitFields(line)
	if strings.HasPrefix(fields[0], "(") && strings.Contains(fields[0], `"`) { // (0,"…",8,…),(1,…)
		for _, f := range fields {
			formats = append(formats, parseFormats(strings.Trim(f, "()"))...)
		}
		return formats
	}
	ids := parseRates(fields[0])
	if len(fields) < 2 || len(ids) == 0 {
		return nil
	}
	name := strings.Trim(fields[1], `"`)
	if strings.Trim(name, "0123456789-,() ") == "" { // ids and rates alone
		for id := range len(standardFormats) + 2 {
			if f, ok := standardFormats[id]; ok && within(ids, id) {
				f.ID, f.Rates = id, sampleRates(fields[1:])
				formats = append(formats, f)
			}
		}
		return formats
	}
	return []dialect.Format{{ID: ids[0].Low, Name: name, Bits: sampleBits(name, fields[2:]), Rates: sampleRates(fields[2:])}}
}

// sampleBits is the field after the name, where that is no list of rates, else what the name says.
func sampleBits(name string, fields []string) int {
	if len(fields) > 0 {
		if n := number(fields[0]); n > 0 && n <= 32 {
			return n
		}
	}
	for _, bits := range []int{16, 8, 4} {
		if strings.Contains(name, fmt.Sprint(bits)) {
			return bits
		}
	}
	return 0
}

// sampleRates is the first field that can only be rates: where it stands varies.
func sampleRates(fields []string) []dialect.Rate {
	for _, f := range fields {
		if rates := parseRates(f); slices.ContainsFunc(rates, func(r dialect.Rate) bool { return r.High >= 4000 }) {
			return rates
		}
	}
	return nil
}

// parseRates reads 8000, 7200-8000 and (7200-8000,11025); what is no number is left out.
func parseRates(s string) (rates []dialect.Rate) {
	for part := range strings.SplitSeq(strings.Trim(s, "() "), ",") {
		low, high, isRange := strings.Cut(part, "-")
		if !isRange {
			high = low
		}
		if r := (dialect.Rate{Low: number(low), High: number(high)}); r.Low >= 0 && r.High >= r.Low && len(rates) < maxFormats {
			rates = append(rates, r)
		}
	}
	return rates
}

func within(ranges []dialect.Rate, n int) bool {
	return slices.ContainsFunc(ranges, func(r dialect.Rate) bool { return r.Low <= n && n <= r.High })
}
