package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"hookswitch/firmware/update"
)

type updateCommand struct {
	Source string `arg:"" optional:"" help:"Update archive: a file of this machine, or an http or https address that the board fetches it from." placeholder:"FILE|URL"`
	Key    string `help:"Make this public key the one whose updates the board takes; a file." type:"existingfile" placeholder:"FILE"`
	Status bool   `help:"Say which version runs and what became of the last update."`
}

// Run gives the board an update, shows its progress, and says what the board said.
func (c *updateCommand) Run(ctx context.Context, d *daemonFlags) error {
	switch {
	case c.Status:
		return d.updateText(ctx, http.MethodGet, "", nil, 0)
	case c.Key != "":
		key, err := os.ReadFile(c.Key)
		if err != nil {
			return err
		}
		if _, err := update.ParseKey(key); err != nil {
			return err
		}
		return d.updateText(ctx, http.MethodPost, "application/x-www-form-urlencoded",
			strings.NewReader(url.Values{"key": {string(key)}}.Encode()), 0)
	case strings.Contains(c.Source, "://"):
		return d.updateText(ctx, http.MethodPost, "application/x-www-form-urlencoded",
			strings.NewReader(url.Values{"url": {c.Source}}.Encode()), 0)
	case c.Source == "":
		return errors.New("give an update archive, --key or --status")
	}
	f, err := os.Open(c.Source)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return d.updateText(ctx, http.MethodPut, "application/octet-stream", f, info.Size())
}

// updateText sends a request to the board's update interface and prints the lines of its
// answer as they come. The last one says how it ended.
func (d *daemonFlags) updateText(ctx context.Context, method, kind string, body io.Reader, size int64) error {
	req, err := d.newRequest(ctx, method, "/api/update", body)
	if err != nil {
		return err
	}
	if size > 0 {
		req.ContentLength = size
	}
	req.Header.Set("Content-Type", kind)
	client, err := d.client()
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return d.unreachable(req, err)
	}
	defer resp.Body.Close()
	last := ""
	for lines := bufio.NewScanner(io.LimitReader(resp.Body, 1<<20)); lines.Scan(); {
		if last = lines.Text(); !strings.HasPrefix(last, "ERROR: ") {
			fmt.Println(last)
		}
	}
	if reason, failed := strings.CutPrefix(last, "ERROR: "); failed {
		return errors.New(reason)
	}
	if resp.StatusCode != http.StatusOK {
		return refused(resp, []byte(last))
	}
	return nil
}
