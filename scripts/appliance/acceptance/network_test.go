//go:build e2e

package acceptance

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hookswitch/scripts/appliance/emulator"
)

func TestStaticAddressAndLargerCard(t *testing.T) {
	card, dir := newCard(t, "hello")
	writeNetwork(t, card, dir, "hostname = 'cellar'\naddress = '10.0.2.77/24'\ngateway = '10.0.2.2'\ndns = ['10.0.2.3']\n")
	if err := os.Truncate(card, 1<<30); err != nil {
		t.Fatal(err)
	}
	m := start(t, emulator.Options{Card: card, Dir: dir})
	waitLog(t, m, "data partition grows to 748 MiB", time.Minute)
	waitLog(t, m, "cellar is 10.0.2.77/24 on eth0", time.Minute)
	m.Kill()
	if err := emulator.CheckPerm(card); err != nil {
		t.Error(err)
	}
	m = start(t, emulator.Options{Card: card, Dir: dir})
	waitLog(t, m, "cellar is 10.0.2.77/24 on eth0", time.Minute)
	if strings.Contains(m.KernelLog(), "grows to") {
		t.Error("grows at every start")
	}
}

func writeNetwork(t *testing.T, card, dir, text string) {
	t.Helper()
	settings := filepath.Join(dir, "network.toml")
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := emulator.WritePerm(card, map[string]string{"network.toml": settings}); err != nil {
		t.Fatal(err)
	}
}

// TestWithoutANetworkTheConsoleStillWorks has no Ethernet adapter at all.
func TestWithoutANetworkTheConsoleStillWorks(t *testing.T) {
	card, dir := newCard(t, "v1")
	m := start(t, emulator.Options{Card: card, Dir: dir, Offline: true})
	waitLog(t, m, "msg=serving", time.Minute)
	waitLog(t, m, "the first password has been shown on /dev/ttyAMA0", 2*time.Minute)
	shown, err := os.ReadFile(filepath.Join(dir, "uart.log"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(shown), "first start of hookswitch") || !strings.Contains(string(shown), "\r\npassword ") {
		t.Errorf("shown was %q", shown)
	}
}

// TestAClockWithoutBatteryIsSetByNTP starts in 1970, as a Pi does, and meets a time server
// later. The certificate that was made before that must be valid all the same.
func TestAClockWithoutBatteryIsSetByNTP(t *testing.T) {
	ahead := 400 * 24 * time.Hour
	s := newSite(t, "v1", 1)
	writeNetwork(t, s.card, s.dir, fmt.Sprintf("ntp = ['10.0.2.2:%d']\n", timeServer(t, ahead)))
	m := s.boot(t, false)
	waitLog(t, m, "init: clock moves forwards by", time.Minute)
	conn, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(within(t, 10*time.Second), "tcp", m.Addr(443))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	now, leaf := time.Now().Add(ahead), conn.(*tls.Conn).ConnectionState().PeerCertificates[0]
	if now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		t.Errorf("the certificate is valid from %v to %v, now is %v", leaf.NotBefore, leaf.NotAfter, now)
	}
	call := playSoon(t, m, "5550100")
	waitState(t, m, call, "Connected", time.Minute)
	disconnect(t, m, call)
	m.Kill()
	// Without the time server: no earlier than the last known time.
	writeNetwork(t, s.card, s.dir, "ntp = []\n")
	m = s.boot(t, false)
	year := fmt.Sprintf("time=%d-", now.UTC().Year())
	waitLog(t, m, year, time.Minute)
}

// timeServer answers NTP (RFC 5905) with a time that is ahead of ours, on a port of this
// machine that the board reaches at 10.0.2.2.
func timeServer(t *testing.T, ahead time.Duration) (port int) {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for b := make([]byte, 256); ctx.Err() == nil; {
			n, from, err := conn.ReadFromUDP(b)
			if err == nil && n >= 48 {
				_, _ = conn.WriteToUDP(timeAnswer(b[:48], time.Now().Add(ahead)), from)
			}
		}
	}()
	t.Cleanup(func() { cancel(); _ = conn.Close(); <-done })
	return conn.LocalAddr().(*net.UDPAddr).Port
}

func timeAnswer(question []byte, now time.Time) []byte {
	const to1970 = 2208988800 // seconds from NTP's epoch, 1900
	stamp := uint64(now.Unix()+to1970)<<32 | uint64(now.Nanosecond())<<32/1e9
	b := make([]byte, 48)
	b[0] = 4<<3 | 4 // version 4, server
	b[1] = 1        // stratum: has a clock of its own
	b[3] = 0xec     // precision 2^-20 s
	copy(b[12:], "TEST")
	binary.BigEndian.PutUint64(b[16:], stamp)
	copy(b[24:], question[40:48])
	binary.BigEndian.PutUint64(b[32:], stamp)
	binary.BigEndian.PutUint64(b[40:], stamp)
	return b
}
