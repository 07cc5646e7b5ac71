package console

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"hookswitch/firmware/config"
	"hookswitch/firmware/mailbox"
	"hookswitch/firmware/statefile"
	"hookswitch/firmware/update"
)

var errNoAppliance = errors.New("this board is no appliance: use its own system for that")

const (
	beginBackup = "-----BEGIN HOOKSWITCH BACKUP-----"
	endBackup   = "-----END HOOKSWITCH BACKUP-----"
	// maxBackup bounds a backup and what is in it; a minute and a half at 115200 baud.
	maxBackup = 1 << 20
	// configName is the configuration's name in a backup.
	configName = "hookswitch.toml"
)

// backup packs the configuration, the network's settings, and each user's settings and
// greetings; not the messages, which may be many.
func (s *session) backup(_ context.Context, args []string) error {
	if len(args) > 1 {
		return errUsage("backup")
	}
	data, err := s.c.pack()
	if err != nil {
		return err
	}
	if len(args) == 1 {
		if err := writeNew(args[0], data); err != nil {
			return err
		}
		s.out.printf("%d bytes in %s. It holds password hashes: keep it safe.\n", len(data), args[0])
		return nil
	}
	s.out.printf("Keep what follows safe: it holds password hashes.\n%s\n", beginBackup)
	text := base64.StdEncoding.EncodeToString(data)
	for row := range slices.Chunk([]byte(text), 76) {
		s.out.printf("%s\n", row)
	}
	s.out.printf("%s\n", endBackup)
	return nil
}

// pack makes a backup.
func (c *Console) pack() ([]byte, error) {
	if c.cfg.Path == "" {
		return nil, errors.New("the simulated board has nothing to be kept")
	}
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	t := tar.NewWriter(z)
	total := 0
	add := func(name, file string) error {
		data, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if total += len(data); err == nil && total > maxBackup {
			err = fmt.Errorf("a backup of more than %d kB", maxBackup>>10)
		}
		if err != nil {
			return err
		}
		head := &tar.Header{Name: name, Mode: 0o600, Size: int64(len(data)), ModTime: time.Now()}
		if err := t.WriteHeader(head); err != nil {
			return err
		}
		_, err = t.Write(data)
		return err
	}
	err := add(configName, c.cfg.Path)
	if file, perr := c.dataPath(networkFile); err == nil && perr == nil {
		err = add(networkFile, file)
	}
	root := filepath.Join(c.cfg.Board().Config.Data, "mailbox")
	walk := filepath.WalkDir(root, func(file string, d fs.DirEntry, werr error) error {
		if werr != nil || err != nil {
			return nil
		}
		if d.IsDir() && (d.Name() == "messages" || d.Name() == "deleted") {
			return filepath.SkipDir
		}
		if name, rerr := filepath.Rel(root, file); rerr == nil && d.Type().IsRegular() && mailbox.IsSetting(d.Name()) {
			err = add(path.Join("mailbox", filepath.ToSlash(name)), file)
		}
		return nil
	})
	err = errors.Join(err, walk, t.Close(), z.Close())
	return buf.Bytes(), err
}

// restore brings a backup back: mailboxes at once, the configuration on trial.
func (s *session) restore(ctx context.Context, args []string) error {
	if len(args) > 1 {
		return errUsage("restore")
	}
	if s.c.cfg.Path == "" {
		return errors.New("the simulated board keeps nothing")
	}
	var data []byte
	var err error
	if len(args) == 1 {
		data, err = os.ReadFile(args[0])
	} else {
		data, err = s.pasteBackup(ctx)
	}
	if err != nil {
		return err
	}
	files, err := unpack(data)
	if err != nil {
		return fmt.Errorf("that is no backup: %w; nothing has changed", err)
	}
	if files[configName] == nil {
		return errors.New("the backup has no configuration; nothing has changed")
	}
	root, err := os.OpenRoot(s.c.cfg.Board().Config.Data)
	if err != nil {
		return err
	}
	defer root.Close()
	for name, content := range files {
		if strings.HasPrefix(name, "mailbox/") {
			if err := root.MkdirAll(path.Dir(name), 0o770); err != nil {
				return err
			}
			err := statefile.ReplaceIn(root, name, 0o640, func(w io.Writer) error {
				_, err := w.Write(content)
				return err
			})
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	if file, err := s.c.dataPath(networkFile); err == nil && files[networkFile] != nil && s.c.cfg.Card != nil {
		if err := config.Replace(file, files[networkFile]); err != nil {
			return err
		}
	}
	s.out.printf("%d files restored.\n", len(files))
	return s.try(ctx, string(files[configName]))
}

func (s *session) pasteBackup(ctx context.Context) ([]byte, error) {
	text, err := s.pasteUpTo(ctx, endBackup, 2*maxBackup)
	if err != nil {
		return nil, err
	}
	if _, after, ok := strings.Cut(text, beginBackup); ok {
		text = after
	}
	return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
}

// unpack reads a backup: nothing of it may be larger, or elsewhere, than pack makes it.
func unpack(data []byte) (map[string][]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	files, total := map[string][]byte{}, 0
	t := tar.NewReader(io.LimitReader(z, 2*maxBackup))
	for {
		head, err := t.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		known := head.Name == configName || head.Name == networkFile || strings.HasPrefix(head.Name, "mailbox/")
		if total += int(head.Size); !known || !fs.ValidPath(head.Name) || head.Typeflag != tar.TypeReg || head.Size > maxBackup || total > maxBackup {
			return nil, fmt.Errorf("it holds %.80q, which no backup does", head.Name)
		}
		content, err := io.ReadAll(t)
		if err != nil {
			return nil, err
		}
		files[head.Name] = content
	}
}

// support writes all that somebody who helps wants to know, without secrets.
func (s *session) support(ctx context.Context, args []string) error {
	if len(args) > 1 {
		return errUsage("support")
	}
	if len(args) == 1 {
		var buf bytes.Buffer
		other := &session{c: s.c, out: &printer{w: &buf}, columns: s.columns, user: s.user}
		other.tell(ctx)
		if err := writeNew(args[0], bytes.ReplaceAll(buf.Bytes(), []byte("\r\n"), []byte("\n"))); err != nil {
			return err
		}
		s.out.printf("%d bytes in %s\n", buf.Len(), args[0])
		return nil
	}
	s.out.printf("-----BEGIN HOOKSWITCH SUPPORT-----\n")
	s.tell(ctx)
	s.out.printf("-----END HOOKSWITCH SUPPORT-----\n")
	return nil
}

func (s *session) tell(ctx context.Context) {
	part := func(name string, run func(context.Context, []string) error, args ...string) {
		s.out.printf("\n== %s\n", name)
		if err := run(ctx, args); err != nil {
			s.out.printf("%v\n", err)
		}
	}
	part("status", s.status)
	part("lines", s.lines)
	part("pins", s.gpio)
	part("network", s.net)
	part("calls", s.calls, "50")
	if s.c.cfg.Path != "" {
		part("configuration", s.config, "show")
	}
	part("log", s.log, "500")
}

// update installs new software from a file or an address, as the web page does.
func (s *session) update(ctx context.Context, args []string) error {
	card := s.c.cfg.Card
	switch {
	case len(args) > 1:
		return errUsage("update")
	case card == nil:
		return update.ErrNoCard
	case len(args) == 0:
		s.out.printf("running %s\n%s\n", card.Running.Version, card.Status())
		return nil
	}
	var archive *os.File
	var err error
	if strings.Contains(args[0], "://") {
		s.out.printf("fetching\n")
		archive, err = update.Fetch(ctx, args[0])
	} else {
		archive, err = os.Open(args[0])
	}
	if err != nil {
		return err
	}
	defer archive.Close()
	shown := -1
	m, err := card.Install(ctx, archive, func(done, total int64) {
		if percent := int(done * 100 / max(1, total)); percent/10 != shown/10 || shown < 0 {
			shown = percent
			s.out.printf("%d %%\n", percent)
		}
	})
	if err != nil {
		return err
	}
	s.out.printf("%s is installed. The board starts with it now, on trial; it is kept once it has proved\nitself, else this version is back.\n", m.Version)
	return s.c.cfg.Restart(update.Try)
}

func (s *session) reboot(context.Context, []string) error {
	if s.c.cfg.Card == nil {
		return errNoAppliance
	}
	return s.c.cfg.Restart(update.Again)
}

// resetFile tells the appliance's init to make the data partition as new.
const resetFile = "factory-reset"

func (s *session) factoryReset(ctx context.Context, args []string) error {
	if len(args) > 0 {
		return errUsage("factory-reset")
	}
	if s.c.cfg.Card == nil {
		return errNoAppliance
	}
	host := s.c.cfg.Board().Host
	s.out.printf("This removes the configuration, every message and greeting, the call log and the\ncertificate. The board then starts as it came, with a new password that it shows here.\n")
	said, err := s.readLine(ctx, line{prompt: "Type the board's name, " + host + ", to go on: "})
	if errors.Is(err, errInterrupted) || errors.Is(err, io.EOF) || errors.Is(err, errLong) || err == nil && strings.TrimSpace(said) != host {
		return errors.New("nothing was removed")
	}
	if err != nil {
		return err
	}
	file, err := s.c.dataPath(resetFile)
	if err == nil {
		err = config.Replace(file, nil)
	}
	if err != nil {
		return err
	}
	return s.c.cfg.Restart(update.Again)
}
