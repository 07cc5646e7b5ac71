package dialect

// conexant is most USB voice modems sold: CX93001 in StarTech and Zoom 3095, CX930xx,
// CX818xx. -STE=3 reports a line in use and an extension lifted, where
// the board has what it takes (AT command manual 100722B, -STE).
var conexant = Dialect{
	Name: "conexant", About: "Conexant CX93001, CX930xx, CX818xx",
	Match: []string{"CX93", "CX81", "CX06", "CONEXANT", "RD02-D400", "=56000"},
	Init:  []string{"AT-STE=3"},
	Voice: Voice{
		Setup:  []string{"AT+VSD=0,0"},
		Format: Format{ID: 1, Name: "UNSIGNED PCM", Bits: 8, Rates: []Rate{{8000, 8000}}},
		Select: []string{"AT+VSM=%d,8000,0,0", "AT+VSM=%d,8000"},
	},
}
