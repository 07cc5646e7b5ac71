package mailbox

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

const (
	pinDigits   = 6
	pinFailures = 15 // in a row, then the PIN is void: Exchange's default
)

// pin is what is kept of a PIN.
type pin struct {
	Hash     string `json:"hash"`     // bcrypt
	Failures int    `json:"failures"` // wrong ones since the last right one
}

// ResetPIN makes a new random PIN for user and stores its hash once deliver has returned nil.
// The old one is void from then on; until then, and after an error, it holds.
func (s *Store) ResetPIN(user string, deliver func(digits string) error) error {
	if err := checkUser(user); err != nil {
		return err
	}
	digits, err := newPIN()
	if err != nil {
		return err
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(digits), bcrypt.DefaultCost)
	if err != nil {
		return fmt.Errorf("mailbox: PIN: %w", err)
	}
	if err := deliver(digits); err != nil {
		return err
	}
	s.change.Lock()
	defer s.change.Unlock()
	return s.write(user, pinFile, pin{Hash: string(hash)})
}

// CheckPIN reports whether digits is user's PIN. After too many wrong ones in a row none is,
// nor where a wrong one could not be counted: it could be tried for ever.
func (s *Store) CheckPIN(user, digits string) bool {
	s.change.Lock()
	defer s.change.Unlock()
	var p pin
	if err := s.readLocked(user, pinFile, &p); err != nil || p.Failures >= pinFailures {
		return false
	}
	right := bcrypt.CompareHashAndPassword([]byte(p.Hash), []byte(digits)) == nil
	if right && p.Failures == 0 {
		return true
	}
	p.Failures++
	if right {
		p.Failures = 0
	}
	return s.write(user, pinFile, p) == nil && right
}

// newPIN returns random digits that nobody would try first.
func newPIN() (string, error) {
	limit := big.NewInt(1)
	for range pinDigits {
		limit.Mul(limit, big.NewInt(10))
	}
	for {
		n, err := rand.Int(rand.Reader, limit)
		if err != nil {
			return "", fmt.Errorf("mailbox: PIN: %w", err)
		}
		if digits := fmt.Sprintf("%0*d", pinDigits, n); !trivial(digits) {
			return digits, nil
		}
	}
}

// trivial reports whether digits are a sequence (123456, 864208), a repetition (121212,
// 123123, 000000), or fewer than three different ones.
func trivial(digits string) bool {
	for step := range byte(10) {
		sequence := true
		for i := 1; i < len(digits); i++ {
			sequence = sequence && (digits[i]-digits[i-1]+20)%10 == step
		}
		if sequence {
			return true
		}
	}
	for period := 1; period <= len(digits)/2; period++ {
		if len(digits)%period == 0 && strings.Repeat(digits[:period], len(digits)/period) == digits {
			return true
		}
	}
	different := map[rune]bool{}
	for _, d := range digits {
		different[d] = true
	}
	return len(different) < 3
}
