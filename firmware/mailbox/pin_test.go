package mailbox

import "testing"

func TestPINsThatSomebodyWouldTryFirstAreNotGiven(t *testing.T) {
	for digits, want := range map[string]bool{
		"000000": true, "999999": true, "123456": true, "654321": true, "567890": true, "890123": true, "135791": true,
		"121212": true, "123123": true, "112112": true, "111112": true, "101101": true, "224422": true,
		"273914": false, "112358": false, "122333": false, "909091": false, "246813": false, "048260": true,
	} {
		if got := trivial(digits); got != want {
			t.Errorf("trivial(%s) = %v", digits, got)
		}
	}
	seen := map[string]bool{}
	for range 200 {
		digits, err := newPIN()
		if err != nil || len(digits) != pinDigits || trivial(digits) {
			t.Fatalf("newPIN = %q, %v", digits, err)
		}
		seen[digits] = true
	}
	if len(seen) < 190 {
		t.Errorf("%d different PINs of 200", len(seen))
	}
}
