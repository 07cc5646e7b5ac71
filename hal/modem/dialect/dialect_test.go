package dialect

import (
	"slices"
	"testing"
)

func TestDialectsAreFoundByWhatAModemSaysOfItself(t *testing.T) {
	tests := []struct {
		ident []string
		gsm   bool
		want  string
	}{
		{[]string{"56000", "CX93001-EIS_V0.2002-V92"}, false, "conexant"},
		{[]string{"56000"}, false, "conexant"},
		{[]string{"5601", "U.S. Robotics 56K FAX USB V1.2.23"}, false, "usr"},
		{[]string{"Rockwell RC56D/SP"}, false, "rockwell"},
		{[]string{"MultiTech MT5634SMI"}, false, "multitech"},
		{[]string{"Venus V.90 USB U052099a"}, false, "lucent"},
		{[]string{"2457", "Si2457 Rev D"}, false, "silabs"},
		{[]string{"12457"}, false, "voice"},
		{[]string{"AEIGPM560LKTF1  Voice V2 V92cap"}, false, "voice"},
		{nil, false, "voice"},
		{[]string{"SIMCOM INCORPORATED", "SIMCOM_SIM7600G-H"}, true, "sim7600"},
		{[]string{"SIMCOM_Ltd", "SIMCOM_SIM800L"}, true, "sim800"},
		{[]string{"SIMCOM INCORPORATED", "A7670E"}, true, "simcom"},
		{[]string{"Quectel", "EC25"}, true, "quectel"},
		{[]string{"huawei", "E173"}, true, "huawei"},
		{[]string{"ST-Ericsson", "M5730"}, true, "stericsson"},
		{[]string{"Telit", "LE910"}, true, "gsm"},
		{nil, true, "gsm"},
	}
	for _, tt := range tests {
		if got := Detect(tt.ident, tt.gsm); got.Name != tt.want || got.GSM != tt.gsm {
			t.Errorf("%q: got %s, want %s", tt.ident, got.Name, tt.want)
		}
	}
	var names []string
	for _, d := range All {
		if d.About == "" || slices.Contains(names, d.Name) || d.Name == Auto {
			t.Errorf("dialect %q: no description, or not the only one of its name", d.Name)
		}
		names = append(names, d.Name)
		if found, ok := Lookup(d.Name); !ok || found.Name != d.Name {
			t.Errorf("dialect %q is not found", d.Name)
		}
	}
}
