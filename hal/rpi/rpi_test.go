package rpi_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"hookswitch/hal"
	"hookswitch/hal/rpi"
)

// openPTY returns our end and the serial port on the other.
func openPTY(t *testing.T) (*os.File, *os.File) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = master.Close(); _ = slave.Close() })
	return master, slave
}

func openSerial(t *testing.T, path string) *rpi.Serial {
	t.Helper()
	s, err := rpi.OpenSerial(path, 115200)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestSerialCarriesBytesBothWays(t *testing.T) {
	master, slave := openPTY(t)
	s := openSerial(t, slave.Name())
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	if _, err := s.Write(every); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 256)
	if _, err := io.ReadFull(master, got); err != nil || !bytes.Equal(got, every) {
		t.Errorf("to the modem: %v\n got %x", err, got)
	}
	if _, err := master.Write(every); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(s, got); err != nil || !bytes.Equal(got, every) {
		t.Errorf("from the modem: %v\n got %x", err, got)
	}
}

func TestCloseFreesAReaderOfASilentPort(t *testing.T) {
	_, slave := openPTY(t)
	s := openSerial(t, slave.Name())
	result := make(chan error)
	go func() {
		_, err := s.Read(make([]byte, 10))
		result <- err
	}()
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := <-result; err == nil {
		t.Error("Read of a closed port returned no error")
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestAVanishedPortEndsTheRead(t *testing.T) {
	master, slave := openPTY(t)
	s := openSerial(t, slave.Name())
	_ = slave.Close()
	_ = master.Close()
	if n, err := s.Read(make([]byte, 10)); err == nil {
		t.Errorf("read %d bytes from a port that is gone", n)
	}
	if _, err := s.Write([]byte("AT\r")); err == nil {
		t.Error("wrote to a port that is gone")
	}
}

func TestAPortThatStopsReadingDoesNotHoldTheWriter(t *testing.T) {
	_, slave := openPTY(t)
	s := openSerial(t, slave.Name())
	_, err := s.Write(make([]byte, 1<<20))
	if !errors.Is(err, rpi.ErrStuck) {
		t.Errorf("got %v, want ErrStuck", err)
	}
}

func TestCloseFreesAStuckWriter(t *testing.T) {
	_, slave := openPTY(t)
	s := openSerial(t, slave.Name())
	result := make(chan error)
	go func() {
		var err error
		for err == nil {
			_, err = s.Write(make([]byte, 320))
		}
		result <- err
	}()
	_ = s.Close()
	<-result
}

func TestAPortIsOpenedByOneProgramOnly(t *testing.T) {
	_, slave := openPTY(t)
	_ = openSerial(t, slave.Name())
	if s, err := rpi.OpenSerial(slave.Name(), 115200); err == nil {
		_ = s.Close()
		t.Error("opened twice")
	}
}

func TestOpenSerialRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, slave := openPTY(t)
	tests := []struct {
		name, path string
		baud       int
	}{
		{"a port that is not there", file + "x", 115200},
		{"a file that is no port", file, 115200},
		{"a baud rate that the kernel has not", slave.Name(), 250000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if s, err := rpi.OpenSerial(tt.path, tt.baud); err == nil {
				_ = s.Close()
				t.Error("opened")
			}
		})
	}
}

func TestAValueFileIsARelay(t *testing.T) {
	tests := []struct {
		name         string
		pin          rpi.Pin
		opened, shut string
	}{
		{"active high, normally open", rpi.Pin{}, "0", "1"},
		{"active low, normally open", rpi.Pin{ActiveLow: true}, "1", "0"},
		{"active high, normally closed", rpi.Pin{NormallyClosed: true}, "1", "0"},
		{"active low, normally closed", rpi.Pin{ActiveLow: true, NormallyClosed: true}, "0", "1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.pin.Name = filepath.Join(t.TempDir(), "value")
			if err := os.WriteFile(tt.pin.Name, []byte("?"), 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := rpi.OpenRelay(tt.pin)
			if err != nil {
				t.Fatal(err)
			}
			for closed, want := range map[bool]string{false: tt.opened, true: tt.shut} {
				if err := r.Set(closed); err != nil {
					t.Fatal(err)
				}
				if got, _ := os.ReadFile(tt.pin.Name); string(got) != want {
					t.Errorf("closed %v: level %q, want %q", closed, got, want)
				}
			}
		})
	}
}

func TestAValueFileIsAnInput(t *testing.T) {
	path := filepath.Join(t.TempDir(), "value")
	for _, tt := range []struct {
		content string
		low     bool
		want    bool
		bad     bool
	}{{"1\n", false, true, false}, {"0\n", false, false, false}, {"1", true, false, false}, {"0", true, true, false}, {"", false, false, true}, {"x", false, false, true}} {
		if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		in, err := rpi.OpenInput(rpi.Pin{Name: path, ActiveLow: tt.low})
		if err != nil {
			t.Fatal(err)
		}
		got, err := in.Read()
		if got != tt.want || (err != nil) != tt.bad {
			t.Errorf("%q, active low %v: got %v, %v", tt.content, tt.low, got, err)
		}
	}
}

func TestAMachineWithoutThePinSaysSo(t *testing.T) {
	if _, err := rpi.OpenRelay(rpi.Pin{Name: "GPIO9999"}); err == nil {
		t.Error("opened a relay on a pin that no board has")
	}
	if _, err := rpi.OpenInput(rpi.Pin{Name: filepath.Join(t.TempDir(), "none")}); err == nil {
		t.Error("opened an input on a file that is not there")
	}
}

func ExampleOpenSerial() {
	port, err := rpi.OpenSerial("/dev/serial/by-id/usb-Conexant_USB_Modem-if00", 115200)
	if err != nil {
		return
	}
	defer port.Close()
	_, _ = port.Write([]byte("ATI3\r"))
	_ = time.Second
}

// A pseudo terminal has no wires for modem control, as a UART of which only two are connected.
func TestAPortThatDoesNotShowCTSIsNotMadeToWaitForIt(t *testing.T) {
	_, slave := openPTY(t)
	s := openSerial(t, slave.Name())
	if err := s.SetRTSCTS(true); err == nil {
		t.Error("RTS/CTS is on")
	}
	if err := s.SetRTSCTS(false); err != nil {
		t.Error(err)
	}
	if _, err := s.Write([]byte("AT\r")); err != nil {
		t.Error(err)
	}
}

// A second daemon, started by mistake, must not open the relay of the first one's call.
func TestARelayThatAnotherProcessDrivesIsNotTouched(t *testing.T) {
	pin := rpi.Pin{Name: filepath.Join(t.TempDir(), "value")}
	if err := os.WriteFile(pin.Name, []byte("1"), 0o600); err != nil {
		t.Fatal(err)
	}
	other, err := os.Open(pin.Name) // a lock is of an open file: this stands for the other process
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(other.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	r, err := rpi.OpenRelay(pin)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Set(false); !errors.Is(err, hal.ErrBusy) {
		t.Errorf("Set = %v, want ErrBusy", err)
	}
	if got, _ := os.ReadFile(pin.Name); string(got) != "1" {
		t.Errorf("level %q, want that of the other process", got)
	}
	_ = other.Close() // it has ended
	for range 2 {
		if err := r.Set(false); err != nil {
			t.Error(err)
		}
	}
	if got, _ := os.ReadFile(pin.Name); string(got) != "0" {
		t.Errorf("level %q when the other process has ended, want 0", got)
	}
}
