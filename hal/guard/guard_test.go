package guard_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"hookswitch/hal"
	"hookswitch/hal/guard"
	"hookswitch/hal/rpi"
)

const patience = 20 * time.Second // of a busy machine, not a measure

// TestMain lets the test binary be the guard's process.
func TestMain(m *testing.M) {
	if os.Getenv("HOOKSWITCH_TEST_IS_THE_GUARD") == "" {
		os.Exit(m.Run())
	}
	var relays []hal.Relay
	for _, path := range os.Args[1:] {
		relays = append(relays, lateRelay{path})
	}
	if err := guard.Serve(guard.SocketFD, relays); err != nil {
		os.Exit(1)
	}
}

// lateRelay is a value file that may not be there.
type lateRelay struct{ path string }

func (r lateRelay) Set(closed bool) error {
	relay, err := rpi.OpenRelay(rpi.Pin{Name: r.path})
	if err != nil {
		return err
	}
	return relay.Set(closed)
}

// pin is a value file that is at high level, as a killed program may leave it.
func pin(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pin")
	if err := os.WriteFile(path, []byte("1"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func level(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func newGuard(t *testing.T, pins ...string) *guard.Guard {
	t.Helper()
	t.Setenv("HOOKSWITCH_TEST_IS_THE_GUARD", "1")
	g := guard.Start(append([]string{"/proc/self/exe"}, pins...), slog.New(slog.DiscardHandler))
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

// pid is that of the guard that this program has started for a pin.
func pid(t *testing.T, path string) int {
	t.Helper()
	self := strconv.Itoa(os.Getpid())
	children, err := filepath.Glob("/proc/" + self + "/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range children {
		b, _ := os.ReadFile(file)
		for field := range strings.FieldsSeq(string(b)) {
			args, _ := os.ReadFile("/proc/" + field + "/cmdline")
			if strings.Contains(string(args), path) {
				n, _ := strconv.Atoi(field)
				return n
			}
		}
	}
	t.Fatal("there is no guard")
	return 0
}

// await polls until ok.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for begin := time.Now(); !ok(); time.Sleep(time.Millisecond) {
		if time.Since(begin) > patience {
			t.Fatal(what + ": never")
		}
	}
}

func TestEveryContactIsOpenBeforeStartReturns(t *testing.T) {
	a, b := pin(t), pin(t)
	newGuard(t, a, b)
	if level(t, a)+level(t, b) != "00" {
		t.Errorf("the pins are at %s and %s", level(t, a), level(t, b))
	}
}

func TestARelayIsDrivenWhenSetReturns(t *testing.T) {
	a, b := pin(t), pin(t)
	g := newGuard(t, a, b)
	for _, closed := range []bool{true, true, false, false, true} {
		if err := g.Relay(1).Set(closed); err != nil {
			t.Fatal(err)
		}
		if got, want := level(t, a)+level(t, b), map[bool]string{true: "01", false: "00"}[closed]; got != want {
			t.Errorf("after Set(%v): the pins are at %s, want %s", closed, got, want)
		}
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if level(t, b) != "0" {
		t.Error("closed after Close")
	}
	if err := g.Relay(1).Set(true); !errors.Is(err, hal.ErrNoGuard) {
		t.Errorf("Set after Close: %v", err)
	}
}

func TestTheLeaseOfAProgramThatHasStoodStillEnds(t *testing.T) {
	path := pin(t)
	g := newGuard(t, path)
	relay := g.Relay(0)
	lease := g.Lease(relay)
	if err := relay.Set(true); err != nil {
		t.Fatal(err)
	}
	for begin := time.Now(); time.Since(begin) < 2*guard.Lease; time.Sleep(10 * time.Millisecond) {
		if err := lease(true); err != nil {
			t.Skipf("this machine stands still itself: %v", err)
		}
	}
	if level(t, path) != "1" {
		t.Error("opened while its lease was extended")
	}
	renewed := time.Now()
	await(t, "open", func() bool { return level(t, path) == "0" })
	if took := time.Since(renewed); took < guard.Lease-50*time.Millisecond {
		t.Errorf("opened %v after the last renewal", took)
	}
	if err := relay.Set(true); !errors.Is(err, hal.ErrLeaseEnded) {
		t.Errorf("closed again before the end was told: %v", err)
	}
	if err := lease(true); !errors.Is(err, hal.ErrLeaseEnded) {
		t.Errorf("the end of the lease is not told: %v", err)
	}
	if err := lease(true); err != nil {
		t.Errorf("the end of the lease is told twice: %v", err)
	}
	if err := relay.Set(true); err != nil || level(t, path) != "1" {
		t.Errorf("it does not close again: %v", err)
	}
}

func TestALeaseIsNotHeldByAskingOnly(t *testing.T) {
	path := pin(t)
	g := newGuard(t, path)
	relay := g.Relay(0)
	lease := g.Lease(relay)
	if err := relay.Set(true); err != nil {
		t.Fatal(err)
	}
	await(t, "open", func() bool { _ = lease(false); return level(t, path) == "0" })
}

func TestAGuardThatIsKilledIsReplacedAndOpensItsContacts(t *testing.T) {
	path := pin(t)
	g := newGuard(t, path)
	relay := g.Relay(0)
	lease := g.Lease(relay)
	if err := relay.Set(true); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid(t, path), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	await(t, "open", func() bool { return level(t, path) == "0" })
	var err error
	await(t, "told", func() bool { err = lease(true); return err != nil })
	if !errors.Is(err, hal.ErrNoGuard) {
		t.Errorf("got %v, want ErrNoGuard", err)
	}
	await(t, "back", func() bool { return lease(true) == nil })
	if err := relay.Set(true); err != nil || level(t, path) != "1" {
		t.Errorf("the next guard: %v", err)
	}
}

func TestAGuardThatIsStoppedDoesNotHoldUpAHangUp(t *testing.T) {
	path := pin(t)
	g := newGuard(t, path)
	relay := g.Relay(0)
	if err := relay.Set(true); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid(t, path), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	err := relay.Set(false)
	if took := time.Since(begin); took > patience {
		t.Errorf("Set took %v", took)
	}
	if err == nil && level(t, path) != "0" {
		t.Error("Set has returned, and the contact is closed")
	}
	await(t, "open", func() bool { return level(t, path) == "0" })
}

func TestAGuardOutlivesEverySignalThatASupervisorSends(t *testing.T) {
	path := pin(t)
	g := newGuard(t, path)
	guarding := pid(t, path)
	for _, s := range []syscall.Signal{
		syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGABRT, syscall.SIGTERM, syscall.SIGPIPE,
		syscall.SIGALRM, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU,
	} {
		if err := syscall.Kill(guarding, s); err != nil {
			t.Fatal(err)
		}
		if err := g.Relay(0).Set(true); err != nil || level(t, path) != "1" {
			t.Fatalf("after %v: %v", s, err)
		}
		if err := g.Relay(0).Set(false); err != nil || pid(t, path) != guarding {
			t.Fatalf("after %v: %v", s, err)
		}
	}
	if pgid, err := syscall.Getpgid(guarding); err != nil || pgid != guarding {
		t.Errorf("it is in group %d: what stops ours stops it (%v)", pgid, err)
	}
}

func TestAPinThatIsMissingIsItsOwnLinesFault(t *testing.T) {
	path, missing := pin(t), filepath.Join(t.TempDir(), "pin")
	g := newGuard(t, missing, path)
	err := g.Relay(0).Set(false)
	if err == nil || !strings.Contains(err.Error(), missing) || errors.Is(err, hal.ErrNoGuard) {
		t.Errorf("of the missing pin: %v", err)
	}
	if err := g.Relay(0).Set(true); err == nil {
		t.Error("a missing pin was closed")
	}
	if err := g.Relay(1).Set(true); err != nil || level(t, path) != "1" {
		t.Errorf("of the other line: %v", err)
	}
	if err := os.WriteFile(missing, []byte("1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := g.Relay(0).Set(false); err != nil || level(t, missing) != "0" {
		t.Errorf("of a pin that has come: %v", err)
	}
}

func TestWithoutAGuardNothingIsClosedAndNobodyWaits(t *testing.T) {
	for _, command := range [][]string{{"/no/such/program"}, {"/bin/true"}} {
		g := guard.Start(command, slog.New(slog.DiscardHandler))
		if err := g.Relay(0).Set(true); !errors.Is(err, hal.ErrNoGuard) {
			t.Errorf("%v: Set: %v", command, err)
		}
		if err := g.Lease(g.Relay(0))(true); !errors.Is(err, hal.ErrNoGuard) {
			t.Errorf("%v: Lease: %v", command, err)
		}
		if err := g.Relay(0).Set(false); !errors.Is(err, hal.ErrNoGuard) {
			t.Errorf("%v: Set: %v", command, err)
		}
		for range 2 {
			if err := g.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
