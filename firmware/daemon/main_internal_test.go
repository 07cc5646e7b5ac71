package daemon

import (
	"fmt"
	"os"
	"os/signal"
	"reflect"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"unsafe"
)

// TestMain lets the test binary be a daemon that goes wrong when it is told to: a program
// that can be told so must not be installed.
func TestMain(m *testing.M) {
	config := os.Getenv("HOOKSWITCH_TEST_SERVES")
	if config == "" {
		os.Exit(m.Run())
	}
	d, err := Open(Options{Config: config, Guard: []string{os.Getenv("HOOKSWITCH_TEST_GUARD"), "guard"}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGTERM)
	switch <-told {
	case syscall.SIGUSR1: // the engine deadlocks
		mu := reflect.ValueOf(d.calls).Elem().FieldByName("mu")
		(*sync.Mutex)(unsafe.Pointer(mu.UnsafeAddr())).Lock()
		select {}
	case syscall.SIGUSR2: // every processor loops, and none can be taken away: GODEBUG=asyncpreemptoff=1
		for range 2 * runtime.GOMAXPROCS(0) {
			go func() {
				for i := 0; ; i++ {
				}
			}()
		}
		select {}
	}
	_ = d.Close()
}
