// Benchmarks measures the daemon from outside, each figure against a floor taken in the
// same run on the same machine: a ratio holds where the machine is noisy, a time does not.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Result is one figure. Limit bounds ratio, or value where there is no floor; 0 is no limit.
type Result struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Floor float64 `json:"floor"`
	Ratio float64 `json:"ratio"`
	Limit float64 `json:"limit"`
	OK    bool    `json:"ok"`
}

// atMost is a figure that must not exceed limit times its floor.
func atMost(name, unit string, value, floor, limit float64) Result {
	r := Result{Name: name, Value: value, Unit: unit, Floor: floor, Ratio: value / floor, Limit: limit}
	r.OK = r.Ratio <= limit
	return r
}

// atLeast is a figure that must reach limit times its floor.
func atLeast(name, unit string, value, floor, limit float64) Result {
	r := Result{Name: name, Value: value, Unit: unit, Floor: floor, Ratio: value / floor, Limit: limit}
	r.OK = r.Ratio >= limit
	return r
}

// bound is a figure with a limit of its own and no floor; 0 only reports it.
func bound(name, unit string, value, limit float64) Result {
	return Result{Name: name, Value: value, Unit: unit, Limit: limit, OK: limit == 0 || value <= limit}
}

var benchmarks = []struct {
	name string
	run  func() ([]Result, error)
}{
	{"disconnect", disconnect},
	{"at", atOnTheWire},
	{"callinfo", callInfo},
	{"soap", services},
	{"hangup", hangup},
	{"load", underLoad},
	{"guard", deaths},
	{"keys", keyEffects},
	{"playback", playback},
	{"transcode", transcode},
	{"listen", listen},
	{"size", size},
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == loopArgument {
		fmt.Fprintln(os.Stderr, loopingDaemon(os.Args[2]))
		os.Exit(1)
	}
	asJSON := flag.Bool("json", false, "print an array of name, value, unit, floor, ratio, limit, ok")
	flag.Parse()
	results := []Result{} // never null
	failed := false
	for _, b := range benchmarks {
		wanted := func(name string) bool { return strings.Contains(b.name, name) }
		if flag.NArg() > 0 && !slices.ContainsFunc(flag.Args(), wanted) {
			continue
		}
		rs, err := b.run()
		if err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s: %v\n", b.name, err)
			failed = true
		}
		results = append(results, rs...)
		for _, r := range rs {
			failed = failed || !r.OK
			if !*asJSON {
				fmt.Println(r)
			}
		}
	}
	if *asJSON {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		_ = out.Encode(results)
	}
	if failed {
		os.Exit(1)
	}
}

func (r Result) String() string {
	verdict := "ok"
	if !r.OK {
		verdict = "MISSED"
	}
	s := fmt.Sprintf("%-44s %12.4g %-22s", r.Name, r.Value, r.Unit)
	if r.Floor != 0 {
		s += fmt.Sprintf(" floor %10.4g  ratio %6.2f", r.Floor, r.Ratio)
	}
	if r.Limit != 0 {
		s += fmt.Sprintf("  limit %6.4g  %s", r.Limit, verdict)
	} else if !r.OK {
		s += "  " + verdict
	}
	return s
}

// percentile of figures in any order; p from 0 to 1.
func percentile(xs []float64, p float64) float64 {
	sorted := slices.Sorted(slices.Values(xs))
	return sorted[min(len(sorted)-1, int(p*float64(len(sorted))))]
}
