package console

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"hookswitch/firmware/call"
	"hookswitch/firmware/config"
	"hookswitch/firmware/health"
)

// faults is what a person must put right.
func (c *Console) faults() []string {
	list := health.List(health.File, c.cfg.Board().Config.Data)
	if c.cfg.Path != "" && config.OnTrial(c.cfg.Path) {
		list = append(list, "the configuration is on trial: config confirm keeps it, config rollback ends it")
	}
	return list
}

func (s *session) status(context.Context, []string) error {
	b := s.c.cfg.Board()
	row := func(what, format string, args ...any) { s.out.printf("%-12s%s\n", what, fmt.Sprintf(format, args...)) }
	row("board", "%s", b.Host)
	row("software", "%s", s.c.cfg.Version)
	row("time", "%s", now())
	row("running", "%s", time.Since(s.c.started).Round(time.Second))
	row("web", "%s", b.URL)
	if b.Fingerprint != "" {
		row("certificate", "SHA-256")
		for half := range slices.Chunk(strings.Split(b.Fingerprint, ":"), 16) {
			row("", "%s", strings.Join(half, ":"))
		}
	}
	row("address", "%s", strings.Join(addresses(), ", "))
	row("memory", "%s", memory())
	states := map[string]int{}
	for _, l := range b.Calls.Lines() {
		states[l.State]++
	}
	row("lines", "%d idle, %d ringing, %d in a call, %d with you, %d in fault",
		states["idle"], states["ringing"], states["in-call"], states["lent"], states["fault"])
	if s.c.cfg.Card != nil {
		if text := s.c.cfg.Card.Status(); text != "" {
			row("update", "%s", text)
		}
	}
	faults := s.c.faults()
	for _, l := range b.Calls.Lines() {
		if l.State == "fault" {
			faults = append(faults, "line "+l.Name+": "+l.Fault)
		}
	}
	for _, f := range faults {
		s.out.printf("! %s\n", f)
	}
	if len(faults) == 0 {
		s.out.printf("Nothing is wrong.\n")
	}
	return nil
}

// now is the time, and whether it can be believed: a board without a network starts in 1970.
func now() string {
	t := time.Now().UTC()
	text := t.Format("2006-01-02 15:04:05 UTC")
	if t.Year() < 2025 {
		text += ", which is not right: time set, or connect the board to a network"
	}
	return text
}

func memory() string {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return fmt.Sprintf("%d MB in use by the daemon", (m.Sys-m.HeapReleased)>>20)
}

func addresses() (list []string) {
	all, _ := net.InterfaceAddrs()
	for _, a := range all {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.IsGlobalUnicast() {
			list = append(list, ip.IP.String())
		}
	}
	if len(list) == 0 {
		list = []string{"none"}
	}
	return list
}

func (s *session) lines(context.Context, []string) error {
	rows := [][]string{{"NAME", "MODEM", "HOOK", "STATE", "CALL OR FAULT"}}
	for _, l := range s.c.cfg.Board().Calls.Lines() {
		what := l.Fault
		if l.Call != "" && l.State != "fault" {
			what = l.Call
		}
		rows = append(rows, []string{l.Name, l.Dialect, l.Hook, l.State, what})
	}
	s.table(rows)
	if len(rows) == 1 {
		s.out.printf("No line is configured: probe tells what is there.\n")
	}
	return nil
}

const (
	someCalls = 10
	manyCalls = 1000
)

func (s *session) calls(_ context.Context, args []string) error {
	n, err := count(args, someCalls, manyCalls)
	if err != nil {
		return errUsage("calls")
	}
	calls := s.c.cfg.Board().Calls.Calls()
	for _, c := range calls[:min(n, len(calls))] {
		s.out.printf("%s %s %s line %s, %s\n", c.Started.UTC().Format("2006-01-02 15:04:05"), c.User, c.Number, c.Line, ended(c))
		s.out.printf("  %s\n", c.ID)
	}
	if len(calls) == 0 {
		s.out.printf("No call yet.\n")
	}
	return nil
}

func ended(c call.Info) string {
	if c.Unconfirmed {
		return fmt.Sprintf("%s: %s", c.State, c.Reason)
	}
	if c.State != call.Disconnected {
		return string(c.State)
	}
	return fmt.Sprintf("%s (%s)", c.Reason, c.Cause)
}

// count is the number among a command's arguments.
func count(args []string, usual, most int) (int, error) {
	if len(args) == 0 {
		return usual, nil
	}
	n, err := strconv.Atoi(args[0])
	if err == nil && (n < 1 || len(args) > 1) {
		err = strconv.ErrRange
	}
	return min(n, most), err
}

func (s *session) messages(_ context.Context, args []string) error {
	if len(args) > 1 {
		return errUsage("messages")
	}
	user := ""
	if len(args) == 1 {
		user = args[0]
	}
	list, err := s.c.cfg.Board().Store.Messages(user)
	if err != nil {
		return err
	}
	rows := [][]string{{"ID", "MAILBOX", "LENGTH", "NAME"}}
	for _, m := range list {
		length := (time.Duration(m.DurationMS) * time.Millisecond).Round(time.Second).String()
		if m.Fault != "" {
			length = "fault: " + m.Fault
		} else if m.Incomplete != "" {
			length += ", " + m.Incomplete
		}
		rows = append(rows, []string{m.ID, m.Mailbox, length, m.Name})
	}
	s.table(rows)
	return nil
}

const (
	someLines = 20
)

func (s *session) log(ctx context.Context, args []string) error {
	follow := len(args) > 0 && args[0] == "-f"
	if follow {
		args = args[1:]
	}
	n, err := count(args, someLines, tailLines)
	if err != nil {
		return errUsage("log")
	}
	_, total, _ := s.c.cfg.Tail.since(0)
	for from := max(0, total-n); ; {
		lines, count, changed := s.c.cfg.Tail.since(from)
		for _, l := range lines {
			s.out.printf("%s\n", l)
		}
		from = count
		if !follow || s.out.failed() != nil {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *session) gpio(context.Context, []string) error {
	b := s.c.cfg.Board()
	rows := [][]string{{"LINE", "WHAT", "PIN", "ACTIVE", "NOW"}}
	for _, l := range b.Config.Lines {
		now := b.Calls.Levels(l.Name)
		for _, p := range []struct {
			what string
			pin  config.Pin
		}{{"hook relay", l.Hook.Pin}, {"line-select relay", l.Select}, {"loop current", l.Loop.Pin}, {"ring", l.Ring}, {"in use", l.InUse}, {"power", l.Power.Pin}} {
			state, known := now[p.what]
			switch {
			case p.pin.Wired():
				rows = append(rows, []string{l.Name, p.what, p.pin.Pin, p.pin.Active, state})
			case known: // of the simulated board
				rows = append(rows, []string{l.Name, p.what, "-", "-", state})
			}
		}
	}
	if len(rows) == 1 {
		s.out.printf("No pin is in use.\n")
		return nil
	}
	s.table(rows)
	return nil
}

func (s *session) net(_ context.Context, args []string) error {
	switch {
	case len(args) == 0:
		return s.showNet()
	case args[0] == "dhcp" && len(args) == 1:
		if err := s.c.setNet(""); err != nil {
			return err
		}
	case args[0] == "static" && len(args) > 1:
		text := fmt.Sprintf("address = %q\n", args[1])
		if _, _, err := net.ParseCIDR(args[1]); err != nil {
			return fmt.Errorf("%.40q is no address with its network, such as 192.168.1.5/24", args[1])
		}
		for i, a := range args[2:] {
			if net.ParseIP(a) == nil {
				return fmt.Errorf("%.40q is no address", a)
			}
			switch i {
			case 0:
				text += fmt.Sprintf("gateway = %q\n", a)
			case 1:
				text += fmt.Sprintf("dns = [%q", a)
			default:
				text += fmt.Sprintf(", %q", a)
			}
		}
		if len(args) > 3 {
			text += "]\n"
		}
		if err := s.c.setNet(text); err != nil {
			return err
		}
	default:
		return errUsage("net")
	}
	s.out.printf("Used from the next start: reboot.\n")
	return nil
}

func (s *session) showNet() error {
	interfaces, err := net.Interfaces()
	if err != nil {
		return err
	}
	rows := [][]string{{"INTERFACE", "STATE", "HARDWARE", "ADDRESSES"}}
	for _, i := range interfaces {
		var list []string
		addrs, _ := i.Addrs()
		for _, a := range addrs {
			list = append(list, a.String())
		}
		state := "down"
		if i.Flags&net.FlagRunning != 0 {
			state = "up"
		}
		rows = append(rows, []string{i.Name, state, i.HardwareAddr.String(), strings.Join(list, ", ")})
	}
	s.table(rows)
	s.out.printf("web %s\n", s.c.cfg.Board().URL)
	if path, err := s.c.dataPath(networkFile); err == nil {
		if text, err := os.ReadFile(path); err == nil {
			s.out.printf("%s:\n%s\n", path, strings.TrimSpace(string(text)))
		}
	}
	return nil
}

// networkFile is the appliance's, beside the configuration: its init reads it.
const networkFile = "network.toml"

// setNet replaces address, gateway and dns of the appliance's network settings.
func (c *Console) setNet(text string) error {
	if c.cfg.Card == nil {
		return errNoAppliance
	}
	path, err := c.dataPath(networkFile)
	if err != nil {
		return err
	}
	old, _ := os.ReadFile(path)
	for line := range strings.Lines(string(old)) {
		key, _, _ := strings.Cut(line, "=")
		if !slices.Contains([]string{"address", "gateway", "dns"}, strings.TrimSpace(key)) {
			text += strings.TrimRight(line, "\n") + "\n"
		}
	}
	return config.Replace(path, []byte(text))
}

func (s *session) time(_ context.Context, args []string) error {
	switch {
	case len(args) == 0:
		s.out.printf("%s\n", now())
		return nil
	case args[0] != "set" || len(args) != 3:
		return errUsage("time")
	case s.c.cfg.SetTime == nil:
		return errNoAppliance
	}
	text := args[1] + " " + args[2]
	for _, form := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04"} {
		if t, err := time.Parse(form, text); err == nil && t.Year() >= 2025 && t.Year() < 2100 {
			if err := s.c.cfg.SetTime(t); err != nil {
				return fmt.Errorf("the clock was not set: %w", err)
			}
			s.out.printf("%s\n", now())
			return nil
		}
	}
	return errUsage("time")
}

// SetTime sets the machine's clock.
func SetTime(t time.Time) error {
	tv := unix.NsecToTimeval(t.UnixNano())
	return unix.Settimeofday(&tv)
}
