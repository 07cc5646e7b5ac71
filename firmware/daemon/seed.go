package daemon

import (
	"fmt"
	"io"
	"os"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/statefile"
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
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("daemon: messages: %w", err)
	}
	defer root.Close()
	for name, prompt := range map[string]string{"welcome.wav": audio.PromptMessage, "short.wav": audio.PromptShort} {
		err := statefile.ReplaceIn(root, name, 0o600, func(w io.Writer) error { return audio.WriteWAV(w, audio.Prompt(prompt)) })
		if err != nil {
			return fmt.Errorf("daemon: messages: %w", err)
		}
	}
	return nil
}
