package at_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"

	"hookswitch/hal/at"
)

// A modem that echoes, answers in lines, and rings in between.
func ExampleChat() {
	port, modem := net.Pipe()
	go func() {
		for r := bufio.NewReader(modem); ; {
			cmd, err := r.ReadString('\r')
			if err != nil {
				return
			}
			answer := map[string]string{
				"ATI3\r":     "CX93001-EIS_V0.2002-V92\r\n\r\nRING\r\n\r\nOK",
				"AT+VSM=9\r": "ERROR",
				"ATDT123\r":  "BUSY",
			}[cmd]
			_, _ = io.WriteString(modem, cmd+"\r\n"+answer+"\r\n")
		}
	}()
	chat := at.NewChat(port, at.Config{URC: func(line string) { fmt.Println("unasked:", line) }})
	defer chat.Close()
	ctx := context.Background()

	ident, err := chat.Command(ctx, "ATI3", "")
	fmt.Println(ident, err)
	_, err = chat.Command(ctx, "AT+VSM=9", "")
	fmt.Println(err)
	result, err := chat.Dial(ctx, "ATDT123")
	fmt.Println(result, err)
	// Output:
	// unasked: RING
	// [CX93001-EIS_V0.2002-V92] <nil>
	// at: AT+VSM=9: ERROR
	// BUSY <nil>
}
