package web

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"time"
	"unicode/utf16"
)

// The messages of NTLM ([MS-NLMP] 2.2.1): a signature, a type, and fields that point to
// buffers behind them by length and offset, all little-endian.

var errNTLM = errors.New("the NTLM message is damaged or of a version that is not taken")

var ntlmSignature = []byte("NTLMSSP\x00")

// Message types.
const (
	ntlmNegotiate    = 1
	ntlmAuthenticate = 3
)

// Flags ([MS-NLMP] 2.2.2.5).
const (
	ntlmUnicode     = 0x00000001
	ntlmSign        = 0x00000010
	ntlmSeal        = 0x00000020
	ntlmVersion     = 0x02000000
	ntlmKeyExchange = 0x40000000
	// ntlmFlags are what we offer: Unicode, target name, NTLM, signed always, server as
	// target, extended session security, target info, 128 and 56 bits.
	ntlmFlags = ntlmUnicode | 0x00000004 | 0x00000200 | 0x00008000 | 0x00020000 | 0x00080000 | 0x00800000 | 0x20000000 | 0x80000000
)

// ntlmAsked are what we offer to who asks. HTTP signs and seals nothing, but .NET's HttpClient
// goes no further without signatures, and gets its signing key by exchange.
const ntlmAsked = ntlmSign | ntlmSeal | ntlmVersion | ntlmKeyExchange

// Kinds of AV_PAIR ([MS-NLMP] 2.2.2.1).
const (
	avEnd             = 0
	avComputer        = 1
	avDomain          = 2
	avFlags           = 6
	avTime            = 7
	avChannelBindings = 10

	avFlagMIC = 2
)

const (
	maxNTLM     = 4 << 10 // bytes of a message
	proofSize   = md5.Size
	sessionSize = 16 // of a session key
	blobSize    = 28 // of NTLMv2_CLIENT_CHALLENGE, before its AV pairs ([MS-NLMP] 2.2.2.7)
	micOffset   = 72 // of the MIC in a message that has one ([MS-NLMP] 2.2.1.3)
)

// decodeNTLM returns a token's message and its type, 0 if it is none.
func decodeNTLM(token string) (kind uint32, msg []byte) {
	if base64.StdEncoding.DecodedLen(len(token)) > maxNTLM {
		return 0, nil
	}
	msg, err := base64.StdEncoding.DecodeString(token)
	if err != nil || len(msg) < 12 || !bytes.HasPrefix(msg, ntlmSignature) {
		return 0, nil
	}
	return binary.LittleEndian.Uint32(msg[8:]), msg
}

// challengeMessage is our answer to the first message, negotiate ([MS-NLMP] 2.2.1.2).
func challengeMessage(challenge [8]byte, realm string, negotiate []byte) []byte {
	flags, version := uint32(ntlmFlags), make([]byte, 8)
	if len(negotiate) >= 16 {
		flags |= binary.LittleEndian.Uint32(negotiate[12:]) & ntlmAsked
	}
	if flags&ntlmVersion != 0 {
		version = []byte{6, 1, 0xb1, 0x1d, 0, 0, 0, 15} // as Windows 7; 15 is the protocol's own (2.2.2.10)
	}
	name := toUTF16(strings.ToUpper(realm))
	u16, u32 := binary.LittleEndian.AppendUint16, binary.LittleEndian.AppendUint32
	var info []byte
	pair := func(kind uint16, v []byte) {
		info = append(u16(u16(info, kind), uint16(len(v))), v...)
	}
	pair(avDomain, name)
	pair(avComputer, name)
	// In 100 ns since 1601. Who gets one signs the handshake.
	pair(avTime, binary.LittleEndian.AppendUint64(nil, uint64(time.Now().UnixNano()/100+116444736000000000)))
	pair(avEnd, nil)
	const header = 56
	field := func(b []byte, n, offset int) []byte {
		return u32(u16(u16(b, uint16(n)), uint16(n)), uint32(offset))
	}
	b := u32(bytes.Clone(ntlmSignature), 2)
	b = field(b, len(name), header)
	b = u32(b, flags)
	b = append(b, challenge[:]...)
	b = append(b, make([]byte, 8)...)
	b = field(b, len(info), header+len(name))
	b = append(b, version...)
	return append(append(b, name...), info...)
}

// authenticateMessage is what the client's last message says ([MS-NLMP] 2.2.1.3).
type authenticateMessage struct {
	user, domain string
	response     []byte // NTLMv2_RESPONSE: proof, blob, AV pairs
	session      []byte // the session key, encrypted; empty where none is exchanged
	pairs        map[uint16][]byte
	flags        uint32
}

// parseAuthenticate refuses NTLMv1, whose response is shorter, and what is not Unicode.
func parseAuthenticate(msg []byte) (m authenticateMessage, err error) {
	if len(msg) < 64 {
		return m, errNTLM
	}
	m.flags = binary.LittleEndian.Uint32(msg[60:])
	response, ok1 := ntlmField(msg, 20)
	domain, ok2 := ntlmField(msg, 28)
	user, ok3 := ntlmField(msg, 36)
	session, _ := ntlmField(msg, 52)
	if !ok1 || !ok2 || !ok3 || m.flags&ntlmUnicode == 0 || len(response) < proofSize+blobSize {
		return m, errNTLM
	}
	m.domain, m.user, m.response, m.session = fromUTF16(domain), fromUTF16(user), response, session
	m.pairs, err = avPairs(response[proofSize+blobSize:])
	return m, err
}

// ntlmField is the buffer that the field at an offset points to.
func ntlmField(msg []byte, at int) ([]byte, bool) {
	n, off := uint64(binary.LittleEndian.Uint16(msg[at:])), uint64(binary.LittleEndian.Uint32(msg[at+4:]))
	if off+n > uint64(len(msg)) {
		return nil, false
	}
	return msg[off : off+n], true
}

func avPairs(b []byte) (map[uint16][]byte, error) {
	pairs := map[uint16][]byte{}
	for len(b) >= 4 {
		kind, n := binary.LittleEndian.Uint16(b), int(binary.LittleEndian.Uint16(b[2:]))
		if kind == avEnd {
			return pairs, nil
		}
		if b = b[4:]; n > len(b) {
			break
		}
		pairs[kind], b = b[:n], b[n:]
	}
	return nil, errNTLM
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
