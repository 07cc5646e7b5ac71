package daemon

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"hookswitch/firmware/audio"
)

// seedMessages puts two spoken messages into the mailbox of the simulated board, once: a
// user who deletes them does not get them back.
func seedMessages(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("daemon: messages: %w", err)
	}
	for name, prompt := range map[string]string{"welcome.wav": audio.PromptMessage, "short.wav": audio.PromptShort} {
		if err := writeClip(filepath.Join(dir, name), audio.Prompt(prompt)); err != nil {
			return fmt.Errorf("daemon: messages: %w", err)
		}
	}
	return nil
}

func writeClip(path string, clip audio.Clip) error {
	f, err := renameio.NewPendingFile(path, renameio.WithPermissions(fs.FileMode(0o600)))
	if err != nil {
		return err
	}
	defer f.Cleanup()
	if err := audio.WriteWAV(f, clip); err != nil {
		return err
	}
	return f.CloseAtomicallyReplace()
}
