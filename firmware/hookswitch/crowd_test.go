package main

import (
	"io"
	"net"
	"syscall"
	"testing"
)

// Ten thousand connections on which nothing is said, or half a request, and then a hang-up.
func TestHangupGetsThroughACrowd(t *testing.T) {
	b := newBoard(t)
	cmd := program(t, b.env, "play", "--to", "5550102", b.item(t))
	out := newShouting("Connecting")
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out.wait(t)
	id := out.field(t, "Call ")

	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	for i := range min(10_000, int(limit.Cur)-1000) {
		c, err := net.Dial("tcp", b.Addr().String())
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		defer c.Close()
		if i%2 == 1 {
			_, _ = io.WriteString(c, "POST /EWS/UM2007Legacy.asmx HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n<")
		}
	}
	if said, complaints, status := hookswitch(t, b.env, "hangup", id); status != 0 {
		t.Errorf("hangup: status %d: %s%s", status, said, complaints)
	}
	_ = cmd.Wait()
}
