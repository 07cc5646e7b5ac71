package modem

// Conexant CX93001, CX930xx: most USB voice modems (StarTech, Zoom 3095, TFM-561U). -STE=3
// reports a line in use and a parallel telephone that is lifted.
var conexant = Dialect{
	Name: "conexant", About: "Conexant CX93001 and CX930xx USB modems",
	Match:  []string{"CX930", "CX818", "CX068", "56000", "RD02-D400"},
	Init:   append([]string{"AT-STE=3", "AT+VNH=0"}, voiceInit...),
	Hangup: []string{"ATH", "AT+VLS=0"},
	VSM:    "AT+VSM=1,8000,0,0", Codec: "unsigned 8",
}
