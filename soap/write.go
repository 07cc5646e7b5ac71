package soap

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Content types as values of a header, never changed.
var (
	typeSOAP11 = []string{"text/xml; charset=utf-8"}
	typeSOAP12 = []string{"application/soap+xml; charset=utf-8"}
)

// space is the envelope namespace of the answer: that of the request.
func (m *message) space() string {
	if m.soap12 {
		return nsSOAP12
	}
	return nsSOAP11
}

// send sends the document in m.w, compressed if the client asked for that.
func (m *message) send(w http.ResponseWriter, r *http.Request, status int) {
	header := w.Header()
	header["Content-Type"] = typeSOAP11
	if m.soap12 {
		header["Content-Type"] = typeSOAP12
	}
	if wantsGzip(r.Header["Accept-Encoding"]) {
		header.Set("Content-Encoding", "gzip")
		body := compressed(m.w.out)
		header.Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		_, _ = w.Write(body) // an error is the connection's, which net/http sees too
		return
	}
	if len(m.w.out) > 2<<10 { // net/http counts a shorter one itself
		header.Set("Content-Length", strconv.Itoa(len(m.w.out)))
	}
	if status != http.StatusOK {
		w.WriteHeader(status)
	}
	w.Write(m.w.out)
}

// zippers are the only gzip.Writers, each of which is most of a megabyte: a crowd of clients
// waits its turn, some microseconds, rather than fill a small board's memory.
var zippers = func() chan *gzip.Writer {
	c := make(chan *gzip.Writer, 2)
	c <- nil // made when first needed
	c <- nil
	return c
}()

// compressed is body in gzip. It is whole before any of it is sent: a client that does not
// read its answer must not keep a writer that others wait for.
func compressed(body []byte) []byte {
	var zipped bytes.Buffer
	z := <-zippers
	if z == nil {
		z, _ = gzip.NewWriterLevel(&zipped, gzip.BestSpeed) // the level is valid
	} else {
		z.Reset(&zipped)
	}
	_, _ = z.Write(body) // a Buffer takes everything
	_ = z.Close()
	zippers <- z
	return zipped.Bytes()
}

// wantsGzip reports whether an Accept-Encoding allows gzip (RFC 9110 §12.5.3).
func wantsGzip(header []string) bool {
	for _, line := range header {
		for part := range strings.SplitSeq(line, ",") {
			coding, q, _ := strings.Cut(part, ";")
			coding = strings.TrimSpace(coding)
			if !strings.EqualFold(coding, "gzip") && !strings.EqualFold(coding, "x-gzip") {
				continue
			}
			_, q, _ = strings.Cut(q, "=")
			weight, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
			return err != nil || weight > 0
		}
	}
	return false
}

// echoRequestID answers a client that asks to have its client-request-id back.
func echoRequestID(w http.ResponseWriter, r *http.Request) {
	id := r.Header["Client-Request-Id"]
	if len(id) == 0 || id[0] == "" || len(id[0]) > 64 || !strings.EqualFold(r.Header.Get("Return-Client-Request-Id"), "true") {
		return
	}
	w.Header().Set("client-request-id", id[0])
	w.Header().Set("request-id", newUUID())
}

// newUUID is a random UUID (RFC 9562 §5.4).
func newUUID() string {
	var u [16]byte
	rand.Read(u[:])
	u[6] = u[6]&0x0F | 0x40
	u[8] = u[8]&0x3F | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}
