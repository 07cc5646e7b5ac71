package update

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
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

// Handler installs an update over HTTP. It trusts whom it is called by: only an
// administrator may be let through to it.
//
//	PUT  with an archive as the body
//	POST with the form value url, an address that the board fetches the archive from
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
	archive, err := h.archive(r)
	if errors.Is(err, errMethod) {
		w.Header().Set("Allow", "PUT, POST")
		http.Error(w, "ERROR: "+err.Error(), http.StatusMethodNotAllowed)
		return
	}
	if err != nil {
		http.Error(w, "ERROR: "+err.Error(), http.StatusBadRequest)
		return
	}
	defer archive.Close()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	answer := http.NewResponseController(w)
	shown := int64(-1)
	m, err := h.Card.Install(r.Context(), archive, func(done, total int64) {
		if percent := 100 * done / total; percent/5 != shown/5 || shown < 0 {
			shown = percent
			fmt.Fprintf(w, "%d %%\n", percent)
			_ = answer.Flush()
		}
	})
	if err != nil {
		if shown < 0 {
			w.WriteHeader(http.StatusUnprocessableEntity)
		}
		fmt.Fprintf(w, "ERROR: %v\n", err)
		return
	}
	fmt.Fprintf(w, "OK: %s is written and will be tried now\n", m.Version)
	_ = answer.Flush()
	h.Restart(Try)
}

var errMethod = errors.New("update: PUT an archive or POST the url of one")

func (h *Handler) archive(r *http.Request) (*os.File, error) {
	switch r.Method {
	case http.MethodPut:
		return Spool(r.Body)
	case http.MethodPost:
		r.Body = http.MaxBytesReader(nil, r.Body, maxLine)
		return Fetch(r.Context(), r.FormValue("url"))
	}
	return nil, errMethod
}
