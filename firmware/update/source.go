package update

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// Spool keeps an archive that comes as a stream until it has been verified. On the
// appliance the temporary directory is in RAM: nothing reaches the card before that. The
// file has no name any more; closing it frees it.
func Spool(r io.Reader) (*os.File, error) {
	f, err := os.CreateTemp("", "hookswitch-update-")
	if err != nil {
		return nil, fmt.Errorf("update: %w", err)
	}
	_ = os.Remove(f.Name())
	n, err := io.Copy(f, io.LimitReader(r, maxInput+1))
	if err == nil && n > maxInput {
		err = ErrTooBig
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("update: %w", err)
	}
	return f, nil
}

// Fetch gets an archive from an http or https address.
func Fetch(ctx context.Context, url string) (*os.File, error) {
	if !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://") {
		return nil, fmt.Errorf("update: %.200q is no http or https address", url)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("update: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("update: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("update: %s: %s", url, response.Status)
	}
	return Spool(response.Body)
}

// Handler is the update interface over HTTP. It trusts whom it is called by: only an
// administrator may be let through to it.
//
//	GET  says which version runs and what became of the last update
//	PUT  installs the archive in the body
//	POST installs the archive that the board fetches from the address in the form value
//	     url, or makes the form value key the public key whose updates it takes
//
// The answer is text: a line of per cent now and then, and as the last line OK or ERROR.
type Handler struct {
	Card *Card
	// Restart is called after the answer has been sent. It is for the caller to let calls
	// end first.
	Restart func(Restart)
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		if last := h.Card.Status(); last != "" {
			fmt.Fprintln(w, last)
		}
		fmt.Fprintf(w, "OK: version %s\n", h.Card.Running.Version)
	case http.MethodPut:
		h.install(w, r, func() (*os.File, error) { return Spool(&patient{r.Body, http.NewResponseController(w)}) })
	case http.MethodPost:
		r.Body = http.MaxBytesReader(nil, r.Body, maxLine)
		if key := r.FormValue("key"); key != "" {
			h.setKey(w, key)
			return
		}
		url := r.FormValue("url")
		h.install(w, r, func() (*os.File, error) { return Fetch(r.Context(), url) })
	default:
		w.Header().Set("Allow", "GET, PUT, POST")
		refuse(w, http.StatusMethodNotAllowed, errors.New("update: GET, PUT or POST"))
	}
}

func refuse(w http.ResponseWriter, status int, err error) {
	w.WriteHeader(status)
	fmt.Fprintf(w, "ERROR: %v\n", err)
}

func (h *Handler) setKey(w http.ResponseWriter, text string) {
	key, err := ParseKey([]byte(text))
	if err == nil {
		err = h.Card.SetKey(key)
	}
	if err != nil {
		refuse(w, http.StatusUnprocessableEntity, err)
		return
	}
	fmt.Fprintln(w, "OK: from now on updates are to be signed with this key")
}

// install installs what get gets and tells how far it is.
func (h *Handler) install(w http.ResponseWriter, r *http.Request, get func() (*os.File, error)) {
	archive, err := get()
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	defer archive.Close()
	answer := http.NewResponseController(w)
	// The server's time limit for a request would end r's context in the middle of writing.
	_ = answer.SetReadDeadline(time.Time{})
	shown := int64(-1)
	m, err := h.Card.Install(r.Context(), archive, func(done, total int64) {
		if percent := 100 * done / total; percent/5 != shown/5 || shown < 0 {
			shown = percent
			fmt.Fprintf(w, "%d %%\n", percent)
			_ = answer.Flush()
		}
	})
	switch {
	case err == nil:
		fmt.Fprintf(w, "OK: %s is written and will be tried now\n", m.Version)
		_ = answer.Flush()
		h.Restart(Try)
	case shown < 0:
		refuse(w, http.StatusUnprocessableEntity, err)
	default:
		fmt.Fprintf(w, "ERROR: %v\n", err)
	}
}

// patient lets a body of any length through a server that limits how long a request may
// take, as long as it does not stop.
type patient struct {
	io.Reader
	*http.ResponseController
}

// bodyPause is how long a sender may be silent.
const bodyPause = 30 * time.Second

func (p *patient) Read(b []byte) (int, error) {
	_ = p.SetReadDeadline(time.Now().Add(bodyPause)) // a server of a test may not know it
	return p.Reader.Read(b)
}
