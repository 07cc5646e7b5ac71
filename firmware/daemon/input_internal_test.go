package daemon

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/firmware/config"
)

func TestAnInputThatComesLateIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "loop")
		in := openInput(config.Pin{Pin: path, Active: config.High})
		if _, err := in.Read(); err == nil {
			t.Error("what is not there was read")
		}
		if err := os.WriteFile(path, []byte("1"), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(openAgain)
		if on, err := in.Read(); err != nil || !on {
			t.Errorf("%v, %v", on, err)
		}
	})
}
