package config

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode/utf16"

	"golang.org/x/crypto/bcrypt"
	//lint:ignore SA1019 NTLM is MD4, and off by default
	"golang.org/x/crypto/md4"
)

// minPassword is the shortest password taken, in bytes; the longest is bcrypt's.
const (
	minPassword = 8
	maxPassword = 72
)

// HashPassword returns what goes into a user's password_hash. It takes a tenth of a second
// on a Pi, on purpose.
func HashPassword(password string) (string, error) {
	if strings.ContainsRune(password, 0) {
		return "", errors.New("config: a password has no NUL in it")
	}
	if len(password) < minPassword || len(password) > maxPassword {
		return "", fmt.Errorf("config: a password has %d to %d bytes, this one %d", minPassword, maxPassword, len(password))
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.DefaultCost)
	if err != nil {
		return "", fmt.Errorf("config: password: %w", err)
	}
	return string(hash), nil
}

// nobody is the hash that a password is compared with where there is none.
var nobody = sync.OnceValue(func() []byte {
	hash, err := bcrypt.GenerateFromPassword([]byte(rand.Text()), bcrypt.DefaultCost)
	if err != nil {
		panic(err)
	}
	return hash
})

// CheckPassword reports whether hash is that of password. With "" for hash, a user that there
// is not, the answer is no and takes as long.
func CheckPassword(hash, password string) bool {
	if hash == "" || len(password) > maxPassword || strings.ContainsRune(password, 0) { // bcrypt looks no further
		_ = bcrypt.CompareHashAndPassword(nobody(), []byte(password))
		return false
	}
	return bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) == nil
}

// NewToken returns a bearer token, 256 random bits, and what goes into a user's token_hash.
func NewToken() (token, hash string) {
	b := make([]byte, 32)
	rand.Read(b)
	token = base64.RawURLEncoding.EncodeToString(b)
	return token, tokenHash(token)
}

// CheckToken reports whether hash is that of token.
func CheckToken(hash, token string) bool {
	return subtle.ConstantTimeCompare([]byte(hash), []byte(tokenHash(token))) == 1
}

func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// NTHash returns what goes into a user's nt_hash: MD4 of the password in UTF-16LE (MS-NLMP
// 3.3.1, NTOWFv1). Whoever has it can log in with it.
func NTHash(password string) (string, error) {
	if password == "" {
		return "", errors.New("config: empty password")
	}
	h := md4.New()
	for _, u := range utf16.Encode([]rune(password)) {
		_ = binary.Write(h, binary.LittleEndian, u) // a hash takes everything
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
