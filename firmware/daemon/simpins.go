package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"hookswitch/firmware/statefile"
	"hookswitch/hal/modem"
)

// simPINs keeps in the data directory which PINs the SIMs were given.
func simPINs(data string) *modem.PINs {
	path := filepath.Join(data, "sim-pins.json")
	return &modem.PINs{
		Load: func() ([]byte, error) {
			b, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrNotExist) {
				return nil, nil
			}
			if err == nil && !json.Valid(b) {
				err = fmt.Errorf("%s is damaged: delete it, and each PIN is tried again", path)
			}
			return b, err
		},
		Save: func(b []byte) error {
			if err := statefile.Replace(path, b, 0o600); err != nil {
				return fmt.Errorf("daemon: tried PINs: %w", err)
			}
			return nil
		},
	}
}
