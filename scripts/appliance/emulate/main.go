// Command emulate runs the image on an emulated Raspberry Pi 3 for a person to use: a
// simulated modem and line on its USB, the technician's console on a socket, its ports on
// this machine's. When the board restarts, so does the emulator.
package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"hookswitch/scripts/appliance/emulator"
)

func main() {
	log.SetFlags(0)
	var e session
	flag.StringVar(&e.image, "image", "", "image to start from")
	flag.StringVar(&e.dir, "dir", "", "directory of the card, its logs and sockets")
	flag.StringVar(&e.program, "hookswitch", "", "hookswitch program of this machine, for the simulated line")
	flag.BoolVar(&e.fresh, "fresh", false, "start with a new card; otherwise the last one goes on")
	flag.StringVar(&e.modem, "modem", "usb", "where the modem is: usb, uart (and the console on USB), or none")
	flag.IntVar(&e.port, "port", 18443, "port of this machine that leads to the board's 443; the next one leads to 8080")
	flag.IntVar(&e.relay.Pin, "relay", 26, "GPIO of the hook relay")
	flag.BoolVar(&e.relay.ActiveLow, "active-low", true, "the relay closes at low level")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := e.run(ctx); err != nil && ctx.Err() == nil {
		log.Fatal("emulate: ", err)
	}
}

type session struct {
	image, dir, program, modem string
	fresh                      bool
	port                       int
	relay                      emulator.Relay
}

func (e *session) run(ctx context.Context) error {
	if err := os.MkdirAll(e.dir, 0o755); err != nil {
		return err
	}
	card := filepath.Join(e.dir, "card.img")
	if _, err := os.Stat(card); err != nil || e.fresh {
		if err := e.newCard(card); err != nil {
			return err
		}
	}
	var line *emulator.Line
	if e.modem != "none" {
		var err error
		if line, err = emulator.StartLine(e.program, filepath.Join(e.dir, "line")); err != nil {
			return err
		}
		defer line.Close()
	}
	for try := false; ; {
		m, err := emulator.Start(emulator.Options{Card: card, Dir: e.dir, Try: try, Forward: map[int]int{443: e.port, 8080: e.port + 1}})
		if err != nil {
			return err
		}
		e.tell(m)
		if line != nil {
			port := map[string]func() (net.Conn, error){"usb": m.USB, "uart": m.UART}[e.modem]
			if port == nil {
				m.Kill()
				return fmt.Errorf("-modem: %q", e.modem)
			}
			conn, err := port()
			if err != nil {
				m.Kill()
				return err
			}
			if err := line.Connect(ctx, m, conn, e.relay); err != nil {
				log.Print(err)
			}
		}
		select {
		case <-ctx.Done():
			m.Kill() // as a person would: by the plug
			return nil
		case <-m.Exited():
		}
		try = m.Trying()
		log.Printf("the board restarts%s", map[bool]string{true: ", trying the other slot"}[try])
	}
}

// tell says how to use it.
func (e *session) tell(m *emulator.Machine) {
	console := map[bool]string{true: "usb.sock", false: "uart.sock"}[e.modem == "uart"]
	fmt.Printf(`slot %c is starting
  console   socat -,raw,echo=0,escape=0x1d UNIX-CONNECT:%s     (Ctrl-] leaves)
  SOAP      https://%s/EWS/Exchange.asmx  (http on port %d, if the board is set so)
  log       tail -f %s
  far end   %s
  stop      Ctrl-C: cuts the power
`, 'A'+m.Slot-2, filepath.Join(e.dir, console), m.Addr(443), e.port+1, filepath.Join(e.dir, "kernel.log"), filepath.Join(e.dir, "line", "far-end"))
}

// newCard copies the image and puts a configuration on it: one line, one user, whose
// password is new and shown here.
func (e *session) newCard(card string) error {
	if err := emulator.CopyCard(card, e.image); err != nil {
		return fmt.Errorf("%w (scripts/image makes it)", err)
	}
	password := rand.Text()
	hash := exec.Command(e.program, "passwd")
	hash.Stdin = strings.NewReader(password + "\n")
	out, err := hash.Output()
	if err != nil {
		return fmt.Errorf("hookswitch passwd: %w", err)
	}
	port := map[bool]string{true: "/dev/ttyAMA0", false: "/dev/ttyUSB0"}[e.modem == "uart"]
	config := emulator.Config(strings.TrimSpace(string(out)), port, e.relay)
	path := filepath.Join(e.dir, "hookswitch.toml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		return err
	}
	log.Printf("user anna, password %s", password)
	return emulator.WritePerm(card, map[string]string{"hookswitch.toml": path})
}
