package web

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/rc4"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"net/netip"
	"strings"
	"sync"
)

// NTLMv2 on the server's side ([MS-NLMP] 3.3.2), for users whose nt_hash is configured. It
// authenticates a connection, not a request ([MS-NTHT] 1.3), so it is for HTTP/1.1 only.

// handshake is a connection's NTLM state.
type handshake struct {
	mu        sync.Mutex // guards what follows
	challenge [8]byte
	negotiate []byte // the client's first message
	offer     []byte // our answer; nil when no challenge is open
	user      *User  // once authenticated, for the rest of the connection
}

// ntlmUser is the user that the request's connection was authenticated as.
func (a *Auth) ntlmUser(r *http.Request) (User, bool) {
	c := connOf(r)
	if !a.NTLM || c == nil || r.ProtoMajor != 1 {
		return User{}, false
	}
	c.ntlm.mu.Lock()
	defer c.ntlm.mu.Unlock()
	if c.ntlm.user == nil {
		return User{}, false
	}
	return *c.ntlm.user, true
}

// handshakes reports whether r is a step of a handshake. There are clients, such as
// ews-javascript-api's @ewsjs/xhr, that take the first step by a GET of the service, whose
// page needs no login, and go on with their POST.
func (a *Auth) handshakes(r *http.Request) bool {
	const scheme = "NTLM "
	said := r.Header.Get("Authorization")
	return a.NTLM && r.ProtoMajor == 1 && len(said) > len(scheme) && strings.EqualFold(said[:len(scheme)], scheme)
}

// ntlm handles one step of the handshake.
func (a *Auth) ntlm(r *http.Request, addr netip.Addr, token string) (User, error) {
	c := connOf(r)
	if c == nil || r.ProtoMajor != 1 {
		return User{}, unauthorized("NTLM takes HTTP/1.1")
	}
	kind, msg := decodeNTLM(token)
	h := &c.ntlm
	h.mu.Lock()
	defer h.mu.Unlock()
	h.user = nil
	switch {
	case kind == ntlmNegotiate:
		rand.Read(h.challenge[:])
		h.negotiate, h.offer = msg, challengeMessage(h.challenge, a.Realm, msg)
		return User{}, &refusal{status: http.StatusUnauthorized, text: "go on", challenge: base64.StdEncoding.EncodeToString(h.offer)}
	case kind == ntlmAuthenticate && h.offer != nil:
		user, err := a.ntlmFinish(r, addr, h, msg)
		h.negotiate, h.offer = nil, nil // a challenge serves once
		if err == nil {
			h.user = &user
		}
		return user, err
	}
	h.negotiate, h.offer = nil, nil
	return User{}, unauthorized(errNTLM.Error())
}

// ntlmFinish checks the client's last message against the open challenge.
func (a *Auth) ntlmFinish(r *http.Request, addr netip.Addr, h *handshake, msg []byte) (User, error) {
	m, err := parseAuthenticate(msg)
	if err != nil {
		return User{}, unauthorized(err.Error())
	}
	who := identify(addr, m.user)
	if err := a.logins.check(who); err != nil && !a.logins.knows(who) { // as a remembered password is
		return User{}, a.parting(who, err)
	}
	account := a.find(m.user)
	nt := make([]byte, 16) // nobody's: takes as long as a user's
	exists := account != nil && account.NTHash != ""
	if exists {
		if nt, err = hex.DecodeString(account.NTHash); err != nil {
			exists = false
		}
	}
	base, ok := m.check(nt, h.challenge)
	if !ok || !exists || !m.checkMIC(base, h.negotiate, h.offer, msg) || !m.bound(r.TLS != nil, a.Leaf) {
		return User{}, a.failed(who, account)
	}
	a.logins.forgive(who)
	return User{account.Name, account.Admin}, nil
}

// check verifies the NTLMv2 response ([MS-NLMP] 3.3.2) and returns the session base key.
func (m authenticateMessage) check(nt []byte, challenge [8]byte) (base []byte, ok bool) {
	owf := hmacMD5(nt, toUTF16(strings.ToUpper(m.user)+m.domain)) // NTOWFv2
	proof := hmacMD5(owf, challenge[:], m.response[proofSize:])
	return hmacMD5(owf, proof), hmac.Equal(proof, m.response[:proofSize])
}

// checkMIC verifies that nobody changed the negotiation on its way, where the client says
// that it has signed it ([MS-NLMP] 3.1.5.1.2).
func (m authenticateMessage) checkMIC(base, negotiate, offer, msg []byte) bool {
	if v := m.pairs[avFlags]; len(v) != 4 || binary.LittleEndian.Uint32(v)&avFlagMIC == 0 {
		return true
	}
	if len(msg) < micOffset+md5.Size {
		return false
	}
	blank := bytes.Clone(msg)
	clear(blank[micOffset : micOffset+md5.Size])
	return hmac.Equal(msg[micOffset:micOffset+md5.Size], hmacMD5(m.sessionKey(base), negotiate, offer, blank))
}

// sessionKey is the key that the client signs with: its own choice, encrypted with the
// session base key, or that one itself ([MS-NLMP] 3.2.5.1.2).
func (m authenticateMessage) sessionKey(base []byte) []byte {
	if m.flags&ntlmKeyExchange == 0 || len(m.session) != sessionSize {
		return base
	}
	c, err := rc4.NewCipher(base)
	if err != nil {
		return base // a key of 16 bytes is no error
	}
	key := make([]byte, sessionSize)
	c.XORKeyStream(key, m.session)
	return key
}

// bound verifies the channel that the client says it has, so that nobody in between can
// pass its answer on to us ([MS-NLMP] 2.2.2.1, MsvAvChannelBindings). Clients that say none
// are let in.
func (m authenticateMessage) bound(secure bool, leaf []byte) bool {
	said := m.pairs[avChannelBindings]
	if !secure || len(leaf) == 0 || len(bytes.Trim(said, "\x00")) == 0 {
		return true
	}
	want := channelBinding(leaf)
	return hmac.Equal(said, want[:])
}

// channelBinding is the MD5 of a gss_channel_bindings_struct (RFC 2744 3.11) that has only
// application data: tls-server-end-point (RFC 5929 4).
func channelBinding(leaf []byte) [md5.Size]byte {
	sum256 := sha256.Sum256(leaf)
	sum := sum256[:]
	if cert, err := x509.ParseCertificate(leaf); err == nil {
		switch cert.SignatureAlgorithm {
		case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
			s := sha512.Sum384(leaf)
			sum = s[:]
		case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
			s := sha512.Sum512(leaf)
			sum = s[:]
		}
	}
	data := append([]byte("tls-server-end-point:"), sum...)
	b := make([]byte, 16) // no addresses
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	return md5.Sum(append(b, data...))
}

func hmacMD5(key []byte, parts ...[]byte) []byte {
	mac := hmac.New(md5.New, key)
	for _, p := range parts {
		mac.Write(p)
	}
	return mac.Sum(nil)
}
