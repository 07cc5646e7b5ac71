package main

import (
	"bufio"
	"context"
	"io"
	"time"

	"github.com/creack/pty"

	"hookswitch/hal/at"
	"hookswitch/hal/rpi"
)

const commands = 3000

// atRoundTrip times AT commands through the AT channel against a bare write and read on the
// same pseudo terminal, with the same modem at its other end.
func atRoundTrip() ([]Result, error) {
	master, slave, err := pty.Open()
	if err != nil {
		return nil, err
	}
	defer master.Close()
	defer slave.Close()
	port, err := rpi.OpenSerial(slave.Name(), 115200)
	if err != nil {
		return nil, err
	}
	go func() { // a modem that answers everything at once
		for r := bufio.NewReader(master); ; {
			if _, err := r.ReadString('\r'); err != nil {
				return
			}
			_, _ = io.WriteString(master, "\r\nOK\r\n")
		}
	}()
	var floor, value []float64
	buf := make([]byte, 64)
	for range commands {
		begin := time.Now()
		if _, err := port.Write([]byte("AT\r")); err != nil {
			return nil, err
		}
		for got := 0; got < 6; {
			n, err := port.Read(buf)
			if err != nil {
				return nil, err
			}
			got += n
		}
		floor = append(floor, us(time.Since(begin)))
	}
	chat := at.NewChat(port, at.Config{Shield: true})
	defer chat.Close()
	for range commands {
		begin := time.Now()
		if _, err := chat.Command(context.Background(), time.Second, at.Cmd{Text: "AT"}); err != nil {
			return nil, err
		}
		value = append(value, us(time.Since(begin)))
	}
	return []Result{atMost("AT round trip, median", "µs", percentile(value, 0.5), percentile(floor, 0.5), 1.3)}, nil
}
