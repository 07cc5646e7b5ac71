package modem

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"hookswitch/hal/at"
)

// PINs remembers which PINs SIMs were given, past the end of the program: a SIM blocks
// itself at the third wrong one, however often the program has been started since the first.
// A PIN is noted before the SIM gets it, so that a kill or a power cut does not lose the
// note. The zero value remembers in memory. Lines may share one.
type PINs struct {
	Load func() ([]byte, error) // what was saved last; no bytes where nothing was
	Save func([]byte) error     // returns when it is safe from a power cut

	mu   sync.Mutex // guards what follows
	read bool
	list []triedPIN
}

// triedPIN is a PIN that a SIM was given and has not been known to take. Its hashes keep a
// PIN from being read by chance; four digits can't be kept from who tries all of them.
type triedPIN struct {
	Salt    string `json:"salt"`
	Line    string `json:"line"`           // hash of the line's name and the PIN
	SIM     string `json:"sim,omitempty"`  // hash of the ICCID and the PIN, where the ICCID could be read
	Card    string `json:"card,omitempty"` // hash of the ICCID alone
	Name    string `json:"name"`           // of the line
	Refused bool   `json:"refused"`        // else the answer is not known
}

// PIN attempts as the SIM or the memory has them.
const (
	pinTries = 3 // of a SIM that has not been given a wrong one
	pinStop  = 2 // left: not ours to use, but for a PIN that was corrected
)

// mostTried bounds the memory.
const mostTried = 64

// attempt is one PIN for one SIM.
type attempt struct {
	line, iccid, pin string // iccid "" is not known
}

func hashOf(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}

// sameCard reports whether t may be of the attempt's SIM.
func (t triedPIN) sameCard(a attempt) bool {
	if t.Card != "" && a.iccid != "" {
		return t.Card == hashOf(t.Salt, a.iccid)
	}
	return t.Name == a.line
}

// same reports whether it is the same PIN too.
func (t triedPIN) same(a attempt) bool {
	if t.SIM != "" && a.iccid != "" {
		return t.SIM == hashOf(t.Salt, a.iccid, a.pin)
	}
	return t.Line == hashOf(t.Salt, a.line, a.pin)
}

// begin reports whether a PIN may be tried, and notes that it is about to be: why is "" then.
// left is how many tries the SIM says it has, -1 where it does not say.
func (p *PINs) begin(a attempt, left int) (why string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.load(); err != nil {
		return "", err
	}
	others := 0 // other PINs that this SIM was given
	for _, t := range p.list {
		switch {
		case !t.sameCard(a):
		case !t.same(a):
			others++
		case t.Refused:
			return refusedPIN, nil
		case left != pinTries: // it may have been wrong
			return "the SIM was given this PIN before and its answer is not known; it is not asked again, as a third wrong " +
				"one blocks it: correct sim_pin, or " + forgetPINs, nil
		}
	}
	const stop = "give it the right PIN in a telephone, which makes them three again"
	switch {
	case left >= 0 && left < pinStop:
		return fmt.Sprintf("the SIM has %d tries for its PIN left, which are not used here: %s", left, stop), nil
	case left == pinStop && others == 0:
		return fmt.Sprintf("the SIM has only %d tries for its PIN left, which are not used here: %s", left, stop), nil
	case left < 0 && others >= pinStop:
		return fmt.Sprintf("the SIM was given %d wrong PINs and a third one blocks it: %s", others, forgetPINs), nil
	}
	return "", p.note(a)
}

// Sentences about PINs that were given before.
const (
	refusedPIN = "the SIM refuses the PIN that is configured, and is not asked again, as a third wrong one blocks it: correct sim_pin"
	forgetPINs = "give it the right PIN in a telephone and then delete sim-pins.json in the data directory"
)

// note adds an attempt whose answer is not known.
func (p *PINs) note(a attempt) error {
	t := triedPIN{Salt: rand.Text(), Name: a.line}
	t.Line = hashOf(t.Salt, a.line, a.pin)
	if a.iccid != "" {
		t.SIM, t.Card = hashOf(t.Salt, a.iccid, a.pin), hashOf(t.Salt, a.iccid)
	}
	list := slices.DeleteFunc(slices.Clone(p.list), func(t triedPIN) bool { return t.same(a) && t.sameCard(a) })
	list = append(list, t)
	return p.store(list[max(0, len(list)-mostTried):])
}

// refuse notes that the SIM has refused the PIN that it was given last.
func (p *PINs) refuse(a attempt) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := slices.Clone(p.list)
	for i := range list {
		if list[i].sameCard(a) && list[i].same(a) {
			list[i].Refused = true
		}
	}
	return p.store(list)
}

// take forgets what a SIM was given that has now taken its PIN: it has all its tries again.
func (p *PINs) take(a attempt) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.store(slices.DeleteFunc(slices.Clone(p.list), func(t triedPIN) bool { return t.sameCard(a) }))
}

// ready forgets an attempt whose answer is not known: the SIM no longer asks.
func (p *PINs) ready(line string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	open := func(t triedPIN) bool { return t.Name == line && !t.Refused }
	if err := p.load(); err != nil || !slices.ContainsFunc(p.list, open) {
		return nil // nobody is going to be given a PIN on the strength of a damaged file
	}
	return p.store(slices.DeleteFunc(slices.Clone(p.list), open))
}

func (p *PINs) load() error {
	if p.read || p.Load == nil {
		return nil
	}
	b, err := p.Load()
	if err == nil && len(b) > 0 {
		err = json.Unmarshal(b, &p.list)
	}
	if err != nil {
		return err
	}
	p.read = true
	return nil
}

func (p *PINs) store(list []triedPIN) error {
	if p.Save != nil {
		b, err := json.Marshal(list)
		if err == nil {
			err = p.Save(b)
		}
		if err != nil {
			return err
		}
	}
	p.list = list
	return nil
}

// Faults of a SIM, each with what to do.
const (
	noSIM     = "SIM missing: the modem finds no SIM: check that it is in its holder, the right way round"
	badSIM    = "SIM unreadable: the modem finds a bad SIM: clean its contacts, or try it in a telephone"
	waitSIM   = "the SIM is not ready yet"
	needsPIN  = `the SIM asks for its PIN (SIM PIN): set sim_pin for the line, or switch the PIN off in a telephone`
	needsPUK  = "the SIM is blocked and asks for its PUK (%s): unlock it in a telephone with the PUK of its provider"
	needsElse = "the SIM asks for %s: unlock it in a telephone, and switch its PIN off"
)

// simErrors are the errors of +CPIN? that are about the SIM: by number (TS 27.007 §9.2) or,
// from a module that gives words whatever +CMEE says, by those.
var simErrors = []struct {
	code         int
	words        string
	fault, state string // one of them
}{
	{10, "sim not inserted", noSIM, ""},
	{11, "sim pin required", "", "SIM PIN"},
	{12, "sim puk required", "", "SIM PUK"},
	{13, "sim failure", badSIM, ""},
	{14, "sim busy", waitSIM, ""},
	{15, "sim wrong", badSIM, ""},
}

// simBusy is the +CME ERROR of a SIM that can't be asked just now.
const simBusy = 14

// simStates are the answers of +CPIN? that ask for nothing.
var simStates = map[string]string{
	"NOT INSERTED": noSIM, "NOT READY": waitSIM, "SIM REMOVED": noSIM, "SIM ERROR": badSIM,
}

// sim reports why the SIM does not allow a call.
func (s *session) sim(ctx context.Context) error {
	info, err := s.ask(ctx, "AT+CPIN?", "+CPIN:")
	var refusal *at.Error
	switch {
	case errors.As(err, &refusal):
		words := strings.ToLower(refusal.Result)
		for _, e := range simErrors {
			switch {
			case cmeCode(refusal.Result) != e.code && !strings.Contains(words, e.words):
			case e.state != "":
				return s.simState(ctx, e.state)
			default:
				return faultf(ErrNoService, "%s", e.fault)
			}
		}
		return nil
	case err != nil:
		return s.unreachable(err)
	}
	for _, line := range info {
		if err := s.simState(ctx, strings.TrimSpace(strings.TrimPrefix(line, "+CPIN:"))); err != nil {
			return err
		}
	}
	return nil
}

// simState is the fault of a SIM that is in a state of +CPIN?, or has a fault.
func (s *session) simState(ctx context.Context, state string) error {
	fault, known := simStates[strings.ToUpper(state)]
	switch {
	case state == "READY" && s.cfg.SIMPIN != "":
		if err := s.cfg.PINs.ready(s.cfg.Name); err != nil {
			s.log.Error("SIM PIN was taken, which was not noted", "error", err)
		}
		return nil
	case state == "READY", strings.HasSuffix(state, "PIN2"), strings.HasSuffix(state, "PUK2"): // which calls don't need
		return nil
	case known:
		return faultf(ErrNoService, "%s", fault)
	case strings.HasSuffix(state, "PUK"):
		return faultf(ErrNoService, needsPUK, state)
	case state == "SIM PIN" && s.cfg.SIMPIN == "":
		return faultf(ErrNoService, needsPIN)
	case state == "SIM PIN":
		return s.unlock(ctx)
	}
	return faultf(ErrNoService, needsElse, state)
}

// unlock gives the SIM its PIN, where it has not refused it before and has tries left.
func (s *session) unlock(ctx context.Context) error {
	a := attempt{line: s.cfg.Name, iccid: s.iccid(ctx), pin: s.cfg.SIMPIN}
	left := s.pinTries(ctx)
	why, err := s.cfg.PINs.begin(a, left)
	switch {
	case err != nil:
		return faultf(ErrNoService, "the SIM is not given its PIN, as it can't be remembered that it was: %v", err)
	case why != "":
		return faultf(ErrNoService, "%s", why)
	}
	_, err = s.ask(ctx, `AT+CPIN="`+a.pin+`"`, "")
	var refusal *at.Error
	switch {
	case errors.As(err, &refusal) && cmeCode(refusal.Result) == simBusy &&
		left >= 0 && s.pinTries(ctx) == left: // it was not looked at
		if err := s.cfg.PINs.take(a); err != nil {
			s.log.Error("SIM was busy when it was given its PIN, which was not noted", "error", err)
		}
		return faultf(ErrNoService, waitSIM)
	case refused(err):
		if err := s.cfg.PINs.refuse(a); err != nil {
			s.log.Error("SIM PIN was refused, which was not noted", "error", err)
		}
		return faultf(ErrNoService, refusedPIN)
	case err != nil:
		return s.unreachable(err)
	}
	if err := s.cfg.PINs.take(a); err != nil {
		s.log.Error("SIM PIN was taken, which was not noted", "error", err)
	}
	return faultf(ErrNoService, "the SIM has taken its PIN and is not ready yet")
}

// iccid is the SIM's number, which can be read before its PIN is given; "" where not.
func (s *session) iccid(ctx context.Context) string {
	for _, q := range [][2]string{
		{"AT+CCID", "+CCID:"}, {"AT+CICCID", "+ICCID:"}, {"AT+QCCID", "+QCCID:"}, {"AT^ICCID?", "^ICCID:"},
	} {
		info, _ := s.ask(ctx, q[0], q[1])
		for _, line := range info {
			if _, value, marked := strings.Cut(line, ":"); marked {
				line = value
			}
			id := strings.ToUpper(strings.Trim(line, `" `))
			if len(id) >= 18 && len(id) <= 22 && strings.HasPrefix(id, "89") && strings.Trim(id, "0123456789F") == "" {
				return strings.TrimRight(id, "F")
			}
		}
	}
	return ""
}

// triesQuestion asks how many tries for its PIN the SIM has left. at is the field of the
// answer that says so, first what the first field is.
type triesQuestion struct {
	cmd, prefix, first string
	at                 int
}

var triesQuestions = []triesQuestion{
	{"AT+CPINR", "+CPINR:", "SIM PIN", 1}, // +CPINR: SIM PIN,3,3 (TS 27.007)
	{"AT+SPIC", "+SPIC:", "", 0},          // +SPIC: 3,10,3,10 (SIMCom)
	{"AT+QPINC?", "+QPINC:", "SC", 1},     // +QPINC: "SC",3,10 (Quectel)
	{"AT^CPIN?", "^CPIN:", "", 3},         // ^CPIN: SIM PIN,3,10,3,10,3 (Huawei): code, its tries, PUK's, PIN's
}

// pinTries is how many tries for its PIN the SIM has left, -1 where no question is answered.
func (s *session) pinTries(ctx context.Context) int {
	for _, q := range triesQuestions {
		info, _ := s.ask(ctx, q.cmd, q.prefix)
		for _, line := range info {
			if n := q.parse(line); n >= 0 {
				return n
			}
		}
	}
	return -1
}

// parse is how many tries a line tells of, -1 where it does not.
func (q triesQuestion) parse(line string) int {
	fields := splitFields(strings.TrimPrefix(line, q.prefix))
	if len(fields) <= q.at || q.first != "" && strings.Trim(fields[0], `"`) != q.first {
		return -1
	}
	if n := number(fields[q.at]); n <= 10 {
		return n
	}
	return -1
}
