package emulator

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// usbSerial is the adapter that the modem is on. always-plugged: else it is unplugged
// whenever nobody is connected to its socket, at a moment that Unplug has not chosen.
const usbSerial = "usb-serial,id=modem0,chardev=usb,always-plugged=on"

// Host channels of the SoC's USB controller (DesignWare OTG), at the ARM's addresses.
const (
	hcchar0    = 0x3f980500
	hcStride   = 0x20
	hcChannels = 8
	hcEnabled  = 1 << 31
)

// Unplug takes the USB serial adapter out. Nobody may be connected to it.
//
// QEMU 7.2 aborts when a device is gone for which its USB controller still has work
// (hw/usb/hcd-dwc2.c, dwc2_work_bh), and a read that waits for data is work. So the
// adapter's last moment is a burst of noise, as that of a real one often is, and the board
// is stopped at an instant at which one of its reads is complete and the next has not begun.
func (m *Machine) Unplug() error {
	conn, err := m.USB()
	if err != nil {
		return err
	}
	noise := make(chan struct{})
	go func() {
		defer close(noise)
		for junk := make([]byte, 4096); err == nil; {
			_, err = conn.Write(junk)
		}
	}()
	result := m.removeModem()
	_ = conn.Close()
	<-noise
	return result
}

func (m *Machine) removeModem() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for range 2000 {
		if _, err := m.qmp.run("stop", nil); err != nil {
			return err
		}
		busy, err := m.modemBusyLocked()
		if err == nil && !busy {
			_, err = m.qmp.run("device_del", map[string]any{"id": "modem0"})
		}
		if _, err2 := m.qmp.run("cont", nil); err2 != nil || err != nil {
			return errors.Join(err, err2)
		}
		if !busy {
			return nil
		}
		time.Sleep(500 * time.Microsecond)
	}
	return errors.New("emulator: unplug: the adapter is busy all the time")
}

var (
	usbAddress = regexp.MustCompile(`Device \d+\.(\d+),[^\n]*ID: modem0`)
	usbWord    = regexp.MustCompile(`: 0x([0-9a-f]{8})`)
)

// modemBusyLocked says whether the USB controller has work for the modem's adapter. The
// machine is stopped.
func (m *Machine) modemBusyLocked() (bool, error) {
	list, err := m.qmp.human("info usb")
	if err != nil {
		return false, err
	}
	found := usbAddress.FindStringSubmatch(list)
	if found == nil {
		return false, fmt.Errorf("emulator: no modem in %q", list)
	}
	address, _ := strconv.Atoi(found[1])
	for i := range hcChannels {
		out, err := m.qmp.human(fmt.Sprintf("xp /1wx 0x%x", hcchar0+hcStride*i))
		if err != nil {
			return false, err
		}
		word := usbWord.FindStringSubmatch(out)
		if word == nil {
			return false, fmt.Errorf("emulator: USB controller: %q", out)
		}
		hcchar, _ := strconv.ParseUint(word[1], 16, 32)
		if hcchar&hcEnabled != 0 && int(hcchar>>22&0x7f) == address {
			return true, nil
		}
	}
	return false, nil
}

// Plug puts it in again.
func (m *Machine) Plug() error {
	return m.do("device_add", map[string]any{"driver": "usb-serial", "id": "modem0", "chardev": "usb", "always-plugged": true})
}
