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

const (
	blocks   = 10
	commands = 500 // in a block
)

// atRoundTrip times AT commands through the AT channel against a bare write and read on a
// pseudo terminal of the same kind, with the same modem at its other end. The two take
// turns: a noisy machine is noisy for both.
func atRoundTrip() ([]Result, error) {
	bare, err := echoModem()
	if err != nil {
		return nil, err
	}
	defer bare.Close()
	port, err := echoModem()
	if err != nil {
		return nil, err
	}
	chat := at.NewChat(port, at.Config{})
	defer chat.Close()
	var floor, value []float64
	buf := make([]byte, 64)
	for range blocks {
		for range commands {
			begin := time.Now()
			if _, err := bare.Write([]byte("AT\r")); err != nil {
				return nil, err
			}
			for got := 0; got < len(okAnswer); {
				n, err := bare.Read(buf)
				if err != nil {
					return nil, err
				}
				got += n
			}
			floor = append(floor, us(time.Since(begin)))
		}
		for range commands {
			begin := time.Now()
			if _, err := chat.Command(context.Background(), "AT", ""); err != nil {
				return nil, err
			}
			value = append(value, us(time.Since(begin)))
		}
	}
	return []Result{atMost("AT round trip, median", "µs", percentile(value, 0.5), percentile(floor, 0.5), 1.3)}, nil
}

const okAnswer = "\r\nOK\r\n"

// echoModem is a port whose modem answers everything at once.
func echoModem() (*rpi.Serial, error) {
	master, slave, err := pty.Open()
	if err != nil {
		return nil, err
	}
	port, err := rpi.OpenSerial(slave.Name(), 115200)
	if err != nil {
		return nil, err
	}
	go func() { // until the process ends
		for r := bufio.NewReader(master); ; {
			if _, err := r.ReadString('\r'); err != nil {
				return
			}
			_, _ = io.WriteString(master, okAnswer)
		}
	}()
	return port, nil
}
