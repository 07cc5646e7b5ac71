package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mbrOf is a partition table whose fourth entry is of that kind, place and size in MiB.
func mbrOf(kind byte, start, size int) []byte {
	b := make([]byte, 512)
	e := b[entry4:]
	e[4] = kind
	binary.LittleEndian.PutUint32(e[8:], uint32(start<<20/sectorSize))
	binary.LittleEndian.PutUint32(e[12:], uint32(size<<20/sectorSize))
	b[510], b[511] = 0x55, 0xaa
	return b
}

func TestTheLastPartitionGrowsWithTheCard(t *testing.T) {
	bad := mbrOf(0x83, 276, 236)
	bad[511] = 0
	tests := []struct {
		name   string
		sector []byte
		card   int64 // MiB
		want   int64 // MiB; 0: nothing is changed
	}{
		{"on a card of just its size", mbrOf(0x83, 276, 236), 512, 0},
		{"on a card a little larger", mbrOf(0x83, 276, 236), 520, 0},
		{"on a 16 GB card", mbrOf(0x83, 276, 236), 15000, 14724},
		{"not past what its file system is made for", mbrOf(0x83, 276, 236), 500_000, 65536},
		{"not on a card that is smaller", mbrOf(0x83, 276, 236), 300, 0},
		{"not if it is another's", mbrOf(0x0c, 276, 236), 15000, 0},
		{"not if there is no table", bad, 15000, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start, size, ok := grown(tt.sector, tt.card<<20)
			if ok != (tt.want != 0) || size != tt.want<<20 {
				t.Fatalf("got %d MiB, %v, want %d", size>>20, ok, tt.want)
			}
			if !ok {
				return
			}
			if start != 276<<20 {
				t.Errorf("it starts at %d", start)
			}
			if got := binary.LittleEndian.Uint32(tt.sector[entry4+12:]); int64(got)*sectorSize != size {
				t.Errorf("the table says %d sectors", got)
			}
		})
	}
}

func TestNetworkSettings(t *testing.T) {
	tests := []struct {
		name, text string
		want       string // address
		bad        string // part of the error
	}{
		{"nothing", "", "", ""},
		{"DHCP by name", `address = "dhcp"`, "dhcp", ""},
		{"a static address", "address = '192.168.1.5/24'\ngateway = '192.168.1.1'\ndns = ['192.168.1.1']", "192.168.1.5/24", ""},
		{"an address without its mask", "address = '192.168.1.5'", "", "CIDR"},
		{"a gateway elsewhere", "address = '192.168.1.5/24'\ngateway = '10.0.0.1'", "", "gateway"},
		{"a name for a name server", "address = '192.168.1.5/24'\ndns = ['router']", "", "router"},
		{"a typing error", "adress = '192.168.1.5/24'", "", "strict"},
		{"no TOML", "\x00", "", "toml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "network.toml")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := readSettings(path)
			if s.Address != tt.want || (err != nil) != (tt.bad != "") || err != nil && !strings.Contains(err.Error(), tt.bad) {
				t.Errorf("got %q, %v", s.Address, err)
			}
		})
	}
	if s, err := readSettings(filepath.Join(t.TempDir(), "none")); err != nil || s.Address != "" {
		t.Errorf("no file: %+v, %v", s, err)
	}
}

func TestHostname(t *testing.T) {
	mac, _ := net.ParseMAC("b8:27:eb:12:34:56")
	if _, err := os.Stat("/sys/firmware/devicetree/base/serial-number"); err == nil {
		t.Skip("this machine has a serial number of its own")
	}
	for _, tt := range []struct{ given, want string }{{"", "hookswitch-3456"}, {"cellar", "cellar"}} {
		if got := hostname(tt.given, mac); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.given, got, tt.want)
		}
	}
	if got := hostname("", nil); got != "hookswitch" {
		t.Errorf("without an address: %q", got)
	}
}

// TestSerialPortsHaveUdevsNames has the sysfs of an FTDI adapter and of a modem, as Linux
// 6.12 lays them out, and udev's names for them.
func TestSerialPortsHaveUdevsNames(t *testing.T) {
	sys := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(sys, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	link := func(name, target string) {
		if err := os.MkdirAll(filepath.Join(sys, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(sys, target), filepath.Join(sys, name)); err != nil {
			t.Fatal(err)
		}
	}
	const soc = "devices/platform/soc/3f980000.usb/usb1/"
	write(soc+"1-1/idVendor", "0403")
	write(soc+"1-1/idProduct", "6001")
	write(soc+"1-1/manufacturer", "FTDI")
	write(soc+"1-1/product", "FT232R  USB UART")
	write(soc+"1-1/serial", "A50285BI")
	write(soc+"1-1/1-1:1.0/bInterfaceNumber", "00")
	write(soc+"1-1/1-1:1.0/ttyUSB0/port_number", "0")
	link("class/ttyUSB0/device", soc+"1-1/1-1:1.0/ttyUSB0")
	const pci = "devices/platform/scb/fd500000.pcie/pci0000:00/0000:00:00.0/0000:01:00.0/usb1/"
	write(pci+"1-1/1-1.2/idVendor", "0572")
	write(pci+"1-1/1-1.2/idProduct", "1340")
	write(pci+"1-1/1-1.2/product", "USB Modem")
	write(pci+"1-1/1-1.2/1-1.2:1.0/bInterfaceNumber", "00")
	link("class/ttyACM0/device", pci+"1-1/1-1.2/1-1.2:1.0")
	link("class/ttyUSB7/device", "gone")
	got := serialPorts(filepath.Join(sys, "class"))
	want := map[string]string{
		"by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0":            "../../ttyUSB0",
		"by-path/platform-3f980000.usb-usb-0:1:1.0-port0":               "../../ttyUSB0",
		"by-id/usb-0572_USB_Modem-if00":                                 "../../ttyACM0",
		"by-path/platform-fd500000.pcie-pci-0000:01:00.0-usb-0:1.2:1.0": "../../ttyACM0",
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTheSpareConfigurationIsReadAsItWasWritten(t *testing.T) {
	disk := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(disk, make([]byte, 4<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readSpare(disk); !errors.Is(err, errNoSpare) {
		t.Errorf("on a new card: %v", err)
	}
	for _, text := range []string{"a long configuration\n", "short", ""} {
		if err := writeSpare(disk, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := readSpare(disk); err != nil || string(got) != text {
			t.Errorf("got %q, %v, want %q", got, err, text)
		}
	}
	if err := writeSpare(disk, make([]byte, spareSize)); err == nil {
		t.Error("one that is too large is written")
	}
	b, err := os.ReadFile(disk)
	if err != nil {
		t.Fatal(err)
	}
	if outside := append(b[:spareOffset:spareOffset], b[spareOffset+spareSize:]...); strings.Trim(string(outside), "\x00") != "" {
		t.Error("something is written elsewhere")
	}
}

func TestADamagedSpareConfigurationIsNone(t *testing.T) {
	good := packSpare([]byte("text"))
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 4
		if got, err := unpackSpare(bad); err == nil {
			t.Errorf("byte %d changed: got %q", i, got)
		}
		if got, err := unpackSpare(good[:i]); err == nil {
			t.Errorf("%d bytes: got %q", i, got)
		}
	}
}

func FuzzUnpackSpare(f *testing.F) {
	f.Add(packSpare([]byte("text")))
	f.Add([]byte(spareMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		text, err := unpackSpare(b)
		if err == nil && !bytes.HasPrefix(b, packSpare(text)) {
			t.Errorf("%q is not what gives %q", b, text)
		}
	})
}

func TestOnlyADeadGuardThatWasLeftToUsIsReaped(t *testing.T) {
	tests := []struct {
		name, stat string
		want       int
	}{
		{"a guard that has ended", "412 (hookswitch-grd) Z 1 412 412 0 -1 4228 0 0", 412},
		{"a guard at work", "412 (hookswitch-grd) S 1 412 412 0 -1 4228 0 0", 0},
		{"a guard whose daemon lives", "412 (hookswitch-grd) Z 300 412 412 0 -1 4228 0 0", 0},
		{"a daemon, for which somebody waits", "300 (hookswitch) Z 1 300 300 0 -1 4228 0 0", 0},
		{"a name with a parenthesis", "300 (a) Z 1 (hookswitch-grd) Z 1 300 300 0", 0},
		{"nothing", "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := deadGuard(tt.stat); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}
