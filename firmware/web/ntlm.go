package web

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf16"
)

// NTLMv2 on the server's side ([MS-NLMP] 3.3.2), for users whose nt_hash is configured. The
// handshake belongs to a connection ([MS-NTHT]), so it is HTTP/1.1 only.

var (
	errNTLM       = errors.New("web: malformed NTLM message")
	ntlmSignature = []byte("NTLMSSP\x00")
)

// Flags of [MS-NLMP] 2.2.2.5: Unicode, request target, NTLM, always sign, extended session
// security, target info, 128 bit, 56 bit.
const (
	ntlmFlags     = 0x00000001 | 0x00000004 | 0x00000200 | 0x00008000 | 0x00080000 | 0x00800000 | 0x20000000 | 0x80000000
	ntlmUnicode   = 0x00000001
	maxNTLM       = 8 << 10 // bytes of a message
	ntlmMICOffset = 72
)

type connKey struct{}

// handshake is a connection's NTLM state.
type handshake struct {
	mu        sync.Mutex // guards what follows
	challenge [8]byte
	type1     []byte
	type2     []byte
	user      *User // once authenticated, for the rest of the connection
}

// withConn is the server's ConnContext hook.
func withConn(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, &handshake{})
}

// ntlm handles one step of the handshake.
func (a *Auth) ntlm(r *http.Request, token string) (User, error) {
	h, _ := r.Context().Value(connKey{}).(*handshake)
	if h == nil || r.ProtoMajor != 1 {
		return User{}, &refusal{status: http.StatusUnauthorized, text: "NTLM needs HTTP/1.1"}
	}
	msg, err := base64.StdEncoding.DecodeString(token)
	if err != nil || len(msg) > maxNTLM || len(msg) < 12 || !bytes.HasPrefix(msg, ntlmSignature) {
		return User{}, &refusal{status: http.StatusUnauthorized, text: errNTLM.Error()}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch binary.LittleEndian.Uint32(msg[8:]) {
	case 1:
		rand.Read(h.challenge[:])
		h.type1, h.type2 = msg, challengeMessage(h.challenge, a.Realm)
		return User{}, &refusal{status: http.StatusUnauthorized, challenge: base64.StdEncoding.EncodeToString(h.type2), text: "go on"}
	case 3:
		if h.type2 != nil {
			return a.ntlmFinish(r, h, msg)
		}
	}
	return User{}, &refusal{status: http.StatusUnauthorized, text: errNTLM.Error()}
}

// ntlmFinish checks a type 3 message against the challenge, which serves once.
func (a *Auth) ntlmFinish(r *http.Request, h *handshake, msg []byte) (User, error) {
	challenge, type1, type2 := h.challenge, h.type1, h.type2
	h.type1, h.type2 = nil, nil
	m, err := parseAuthenticate(msg)
	if err != nil {
		return User{}, &refusal{status: http.StatusUnauthorized, text: err.Error()}
	}
	addr := remote(r)
	if err := a.waits(addr, m.user); err != nil {
		return User{}, err
	}
	user := a.find(m.user)
	if user == nil || user.NTHash == "" {
		return User{}, a.failed(addr, m.user)
	}
	nt, err := hex.DecodeString(user.NTHash)
	if err != nil {
		return User{}, a.failed(addr, m.user)
	}
	base, ok := m.check(nt, challenge)
	if !ok || !m.checkMIC(base, type1, type2, msg) {
		return User{}, a.failed(addr, m.user)
	}
	found := User{user.Name, user.Admin}
	h.user = &found
	return found, nil
}

// authenticate is what a type 3 message says ([MS-NLMP] 2.2.1.3).
type authenticate struct {
	user, domain string
	response     []byte // NTLMv2_RESPONSE
	micAt        bool   // the client promises a MIC in its AV pairs
	sessionKey   []byte
	flags        uint32
}

func parseAuthenticate(msg []byte) (authenticate, error) {
	if len(msg) < 64 {
		return authenticate{}, errNTLM
	}
	flags := binary.LittleEndian.Uint32(msg[60:])
	fields := make([][]byte, 5)
	for i, at := range []int{20, 28, 36, 44, 52} { // NT response, domain, user, workstation, session key
		f, err := field(msg, at)
		if err != nil {
			return authenticate{}, err
		}
		fields[i] = f
	}
	m := authenticate{response: fields[0], sessionKey: fields[4], flags: flags}
	if flags&ntlmUnicode == 0 {
		return m, errNTLM
	}
	m.domain, m.user = fromUTF16(fields[1]), fromUTF16(fields[2])
	if len(m.response) < 16+28 { // a 24-byte one is NTLMv1, which anybody can forge
		return m, errNTLM
	}
	m.micAt = promisesMIC(m.response[16+28:])
	return m, nil
}

// field is a buffer that the message points to.
func field(msg []byte, at int) ([]byte, error) {
	n, off := int(binary.LittleEndian.Uint16(msg[at:])), uint64(binary.LittleEndian.Uint32(msg[at+4:]))
	if off+uint64(n) > uint64(len(msg)) {
		return nil, errNTLM
	}
	return msg[off : off+uint64(n)], nil
}

// check verifies the NTLMv2 response ([MS-NLMP] 3.3.2) and returns the session base key.
func (m authenticate) check(nt []byte, challenge [8]byte) (base []byte, ok bool) {
	owf := hmacMD5(nt, toUTF16(strings.ToUpper(m.user)+m.domain)) // NTOWFv2
	proof := hmacMD5(owf, challenge[:], m.response[16:])
	return hmacMD5(owf, proof), hmac.Equal(proof, m.response[:16])
}

// checkMIC verifies that nobody changed the negotiation on its way, where the client says
// that it has signed it ([MS-NLMP] 3.1.5.1.2).
func (m authenticate) checkMIC(base, type1, type2, msg []byte) bool {
	if !m.micAt {
		return true
	}
	if len(msg) < ntlmMICOffset+16 || m.flags&0x40000000 != 0 { // a key exchange that we did not offer
		return false
	}
	mic := bytes.Clone(msg[ntlmMICOffset : ntlmMICOffset+16])
	blank := bytes.Clone(msg)
	clear(blank[ntlmMICOffset : ntlmMICOffset+16])
	return hmac.Equal(mic, hmacMD5(base, type1, type2, blank))
}

// promisesMIC looks for MsvAvFlags with bit 2 in the client's AV pairs ([MS-NLMP] 2.2.2.1).
func promisesMIC(av []byte) bool {
	for len(av) >= 4 {
		id, n := binary.LittleEndian.Uint16(av), int(binary.LittleEndian.Uint16(av[2:]))
		av = av[4:]
		if id == 0 || n > len(av) {
			return false
		}
		if id == 6 && n == 4 {
			return binary.LittleEndian.Uint32(av)&2 != 0
		}
		av = av[n:]
	}
	return false
}

// challengeMessage is type 2 ([MS-NLMP] 2.2.1.2).
func challengeMessage(challenge [8]byte, realm string) []byte {
	name := toUTF16(strings.ToUpper(realm))
	var info []byte
	pair := func(id uint16, v []byte) {
		info = binary.LittleEndian.AppendUint16(info, id)
		info = binary.LittleEndian.AppendUint16(info, uint16(len(v)))
		info = append(info, v...)
	}
	pair(2, name) // MsvAvNbDomainName
	pair(1, name) // MsvAvNbComputerName
	// MsvAvTimestamp: 100 ns since 1601. A client that gets one sends a MIC.
	pair(7, binary.LittleEndian.AppendUint64(nil, uint64(time.Now().UnixNano()/100+116444736000000000)))
	pair(0, nil)
	const header = 56
	b := append([]byte(nil), ntlmSignature...)
	u16, u32 := binary.LittleEndian.AppendUint16, binary.LittleEndian.AppendUint32
	b = u32(b, 2)
	b = u32(u16(u16(b, uint16(len(name))), uint16(len(name))), header)
	b = u32(b, ntlmFlags)
	b = append(b, challenge[:]...)
	b = append(b, make([]byte, 8)...)
	b = u32(u16(u16(b, uint16(len(info))), uint16(len(info))), uint32(header+len(name)))
	b = append(b, 10, 0, 0, 0, 0, 0, 0, 15) // version, which nobody reads
	return append(append(b, name...), info...)
}

func hmacMD5(key []byte, parts ...[]byte) []byte {
	mac := hmac.New(md5.New, key)
	for _, p := range parts {
		mac.Write(p)
	}
	return mac.Sum(nil)
}

func toUTF16(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func fromUTF16(b []byte) string {
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(u))
}
