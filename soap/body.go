package soap

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"hookswitch/soap/internal/xmlpull"
)

const (
	// MaxBody is the most bytes that a request's body may have, as sent and when inflated.
	MaxBody = 64 << 10

	// readTime is how long a client may take to send a body, unless the server has a
	// ReadTimeout, which then holds. From experience: a request is a few hundred bytes, which
	// the slowest link sends in well under a second.
	readTime = 10 * time.Second
)

// message is one request and its answer. They are used again: a client polls GetCallInfo,
// and 200 may at once.
type message struct {
	in      []byte // the body as sent
	charset string // of its content type, "" if there is none
	w       writer // the answer

	xml       xmlpull.Parser
	operation []byte // local name of Body's first child
	soap12    bool   // the envelope is SOAP 1.2's
	child     bool   // xml stands at a child of the operation that is still to be read
	args      [2]string

	connection http.ResponseWriter // by which the request came
}

var messages = sync.Pool{New: func() any {
	return &message{in: make([]byte, 0, 2<<10), w: writer{out: make([]byte, 0, 2<<10)}}
}}

func (m *message) free() {
	if cap(m.in) > MaxBody/4 || cap(m.w.out) > MaxBody/4 {
		return // a rare large one; keep the pool small
	}
	m.connection = nil
	messages.Put(m)
}

// statusError is a request that is refused below SOAP, by an HTTP status.
type statusError struct {
	status int
	text   string
}

func (e *statusError) Error() string { return e.text }

var (
	errTooLarge  = &statusError{http.StatusRequestEntityTooLarge, "the request's body is larger than 64 KiB"}
	errSlow      = &statusError{http.StatusRequestTimeout, "the request's body didn't come in time"}
	errShort     = &statusError{http.StatusBadRequest, "the request's body is shorter than it says"}
	errNotGzip   = &statusError{http.StatusBadRequest, "the request's body isn't the gzip that it says"}
	errType      = &statusError{http.StatusUnsupportedMediaType, "the request's content type must be text/xml"}
	errEncoding  = &statusError{http.StatusUnsupportedMediaType, "the request's content encoding must be gzip or none"}
	errReadFault = &statusError{http.StatusBadRequest, "the request's body can't be read"}
)

// refuse answers a request with the status of an error from read.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	var e *statusError
	_ = errors.As(err, &e) // what read returns
	switch e.status {
	case http.StatusRequestEntityTooLarge:
		turnAway(w, r, e)
		return
	case http.StatusRequestTimeout:
		w.Header().Set("Connection", "close")
	case http.StatusUnsupportedMediaType:
		w.Header().Set("Accept", "text/xml, application/soap+xml")
		w.Header().Set("Accept-Encoding", "gzip")
	}
	http.Error(w, e.text, e.status)
}

// maxIgnored is how much of a body that is too large is read and thrown away.
const maxIgnored = 32 << 20

// turnAway refuses a body that is too large before it has come. Most clients send all of it
// before they look for an answer, and never see the answer if the connection closes first:
// so what they send is taken, within limits, and thrown away.
func turnAway(w http.ResponseWriter, r *http.Request, e *statusError) {
	control := http.NewResponseController(w)
	control.EnableFullDuplex() // HTTP/2 has it always
	control.SetReadDeadline(time.Now().Add(readTime))
	w.Header().Set("Connection", "close")
	http.Error(w, e.text, e.status)
	control.Flush()
	_, _ = io.CopyN(io.Discard, r.Body, maxIgnored)
}

// read reads the body into m.in. Its error is a *statusError.
func (m *message) read(w http.ResponseWriter, r *http.Request) error {
	m.in, m.args = m.in[:0], [2]string{}
	m.operation, m.soap12, m.child = nil, false, false
	form, ok := xmlType(r.Header["Content-Type"])
	if !ok {
		return errType
	}
	m.charset = charset(first(r.Header["Content-Type"]))
	var inflate bool
	switch enc := strings.Join(r.Header["Content-Encoding"], ","); {
	case enc == "" || strings.EqualFold(enc, "identity"):
	case strings.EqualFold(enc, "gzip") || strings.EqualFold(enc, "x-gzip"):
		inflate = true
	default:
		return errEncoding
	}
	if r.ContentLength > MaxBody {
		return errTooLarge
	}
	if server, ok := r.Context().Value(http.ServerContextKey).(*http.Server); !ok || server.ReadTimeout == 0 {
		http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTime)) // a recorder in a test has none: no harm
	}
	if err := m.readAll(r.Body, inflate); err != nil {
		return bodyError(err)
	}
	m.connection = w
	if form && !looksLikeXML(m.in) {
		return errType
	}
	return nil
}

// unhurried lifts the deadline for reading before the backend does what may take time:
// net/http watches the connection meanwhile, and would take a deadline that passes for a
// client that has gone.
func (m *message) unhurried() { http.NewResponseController(m.connection).SetReadDeadline(time.Time{}) }

// first is the first value of a header, which costs less than Header.Get.
func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// readAll reads in into m.in, whose growth follows what has really come.
func (m *message) readAll(in io.Reader, inflate bool) error {
	if inflate {
		zip, err := gzip.NewReader(io.LimitReader(in, MaxBody+1))
		if err != nil {
			if isTimeout(err) {
				return errSlow
			}
			return errNotGzip
		}
		in = zip
	}
	for {
		if len(m.in) > MaxBody {
			return errTooLarge
		}
		if len(m.in) == cap(m.in) {
			m.in = append(m.in, 0)[:len(m.in)]
		}
		n, err := in.Read(m.in[len(m.in):cap(m.in)])
		m.in = m.in[:len(m.in)+n]
		switch {
		case err == io.EOF && len(m.in) <= MaxBody:
			return nil
		case err == io.EOF:
			return errTooLarge
		case err != nil && inflate && !isTimeout(err):
			return errNotGzip
		case err != nil:
			return err
		}
	}
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// bodyError says which status an error of reading becomes.
func bodyError(err error) error {
	var status *statusError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &status):
		return status
	case errors.As(err, &tooLarge):
		return errTooLarge
	case isTimeout(err):
		return errSlow
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errShort
	}
	return errReadFault
}

// xmlType reports whether a content type may hold XML. form tells of the type that curl
// gives to --data, which is taken if the body then looks like XML.
func xmlType(header []string) (form, ok bool) {
	kind, _, _ := strings.Cut(first(header), ";")
	kind = strings.TrimSpace(kind)
	switch {
	case kind == "text/xml", kind == "", strings.EqualFold(kind, "text/xml"),
		strings.EqualFold(kind, "application/xml"), strings.EqualFold(kind, "application/soap+xml"):
		return false, true
	case strings.EqualFold(kind, "application/x-www-form-urlencoded"):
		return true, true
	}
	return false, false
}

// charset is the parameter of that name of a content type (RFC 9110 §8.3.2), "" without one.
// Many clients quote it, and some have it where no parameter can be.
func charset(contentType string) string {
	_, rest, _ := strings.Cut(contentType, ";")
	for rest != "" {
		var param string
		param, rest, _ = strings.Cut(rest, ";")
		name, value, _ := strings.Cut(param, "=")
		if strings.EqualFold(strings.TrimSpace(name), "charset") {
			return strings.Trim(value, " \t\"'")
		}
	}
	return ""
}

// looksLikeXML reports whether the first character is "<", in UTF-8 or UTF-16.
func looksLikeXML(body []byte) bool {
	body = bytes.TrimLeft(body, "\xef\xbb\xbf\xff\xfe\x00 \t\r\n")
	return len(body) > 0 && body[0] == '<'
}
