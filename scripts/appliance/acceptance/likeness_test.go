//go:build e2e

package acceptance

import "testing"

func TestLikenessKnowsTheMessage(t *testing.T) {
	message := speech(4)
	silence := make([]int16, 5000)
	other := make([]int16, len(message))
	for i := range other {
		other[i] = message[len(message)-1-i]
	}
	late := append(append([]int16(nil), silence...), message...)
	gap := append(append(append([]int16(nil), message[:16000]...), silence[:2400]...), message[16000:]...)
	for _, tt := range []struct {
		name  string
		heard []int16
		least float64
		most  float64
	}{{"itself, late", late, 1, 1}, {"with a gap", gap, 1, 1}, {"half of it", message[:16000], 0.5, 0.5}, {"backwards", other, 0, 0.3}, {"nothing", silence, 0, 0}} {
		if got, gaps := likeness(tt.heard, message); got < tt.least || got > tt.most {
			t.Errorf("%s: %.2f, gaps %v", tt.name, got, gaps)
		}
	}
}
