package main

import (
	"context"
	"io"
	"time"

	"github.com/creack/pty"

	"hookswitch/hal/at"
	"hookswitch/hal/rpi"
)

const (
	atCommands = 300
	atCommand  = "AT+CLCC"
	atAnswer   = "\r\n+CLCC: 1,0,0,0,0,\"+15551234567\",145\r\n\r\nOK\r\n"
	// byteTime is a byte's at 115200 baud: ten bits, of which eight are data.
	byteTime = 10 * time.Second / 115200
	// usbFrame is the interval of full-speed USB.
	usbFrame = time.Millisecond
)

// atOnTheWire compares how long a command and its answer take through the AT channel with what
// their bits alone take at 115200 baud. The wire is a pseudo terminal whose modem keeps that
// pace; what it costs beyond the bits, and what a bare write and read cost, is in both.
func atOnTheWire() ([]Result, error) {
	bare, err := pacedModem()
	if err != nil {
		return nil, err
	}
	defer bare.Close()
	port, err := pacedModem()
	if err != nil {
		return nil, err
	}
	chat := at.NewChat(port, at.Config{})
	defer chat.Close()
	var floor, value []float64
	for range atCommands { // in turns: a noisy machine is noisy for both
		begin := time.Now()
		if err := bareCommand(bare); err != nil {
			return nil, err
		}
		floor = append(floor, us(time.Since(begin)))
		begin = time.Now()
		if _, err := chat.Command(context.Background(), atCommand, "+CLCC:"); err != nil {
			return nil, err
		}
		value = append(value, us(time.Since(begin)))
	}
	bits := us(time.Duration(len(atCommand)+1+len(atAnswer)) * byteTime)
	// What the pseudo terminal and its modem's sleeps add on this machine is no modem's.
	wire := max(bits, percentile(floor, 0.5))
	return []Result{atMost("AT command on the wire at 115200 baud, median", "µs", percentile(value, 0.5), wire, 1.15)}, nil
}

// bareCommand writes the command and reads its answer without the AT channel.
func bareCommand(port io.ReadWriter) error {
	if _, err := io.WriteString(port, atCommand+"\r"); err != nil {
		return err
	}
	_, err := io.ReadFull(port, make([]byte, len(atAnswer)))
	return err
}

// pacedModem is a port whose modem takes and gives bytes at the pace of 115200 baud.
func pacedModem() (*rpi.Serial, error) {
	master, slave, err := pty.Open()
	if err != nil {
		return nil, err
	}
	port, err := rpi.OpenSerial(slave.Name(), 115200)
	if err != nil {
		return nil, err
	}
	go func() { // until the process ends
		command := make([]byte, len(atCommand)+1)
		for {
			if _, err := io.ReadFull(master, command); err != nil {
				return
			}
			due := time.Now().Add(time.Duration(len(command)) * byteTime)
			for answer := atAnswer; answer != ""; {
				time.Sleep(time.Until(due) + usbFrame) // a USB adapter hands over what has come by then
				n := min(len(answer), int(time.Since(due)/byteTime))
				due = due.Add(time.Duration(n) * byteTime)
				if _, err := io.WriteString(master, answer[:n]); err != nil {
					return
				}
				answer = answer[n:]
			}
		}
	}()
	return port, nil
}
