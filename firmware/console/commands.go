package console

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// command is something that a technician can ask for.
type command struct {
	name  string
	usage string // its arguments
	about string
	types bool // it reads the keyboard itself; any other is interrupted by ^C
	run   func(s *session, ctx context.Context, args []string) error
	words func(s *session) []string // what its arguments may be, for tab
}

// commands is every command, in the order of help.
var commands []command

func init() { // help refers to the table
	commands = []command{
		{name: "help", usage: "[COMMAND]", about: "what can be done", run: (*session).help, words: commandNames},
		{name: "status", about: "the board at a glance, and what is wrong with it", run: (*session).status},
		{name: "lines", about: "the telephone lines", run: (*session).lines},
		{name: "calls", usage: "[COUNT]", about: "the latest calls", run: (*session).calls},
		{name: "messages", usage: "[USER]", about: "the voice messages", run: (*session).messages, words: userNames},
		{name: "probe", usage: "[PORT]", about: "what is on a serial port, or on each, and will it do", run: (*session).probe, words: portNames},
		{name: "line", usage: "test [LINE]", about: "test a line, or all: loop current, dial tone, a tone out", run: (*session).testLines, words: lineNames("test")},
		{name: "dial", usage: "NUMBER [MESSAGE]", about: "play a message, or a test, to a telephone; ^C hangs up", run: (*session).dial},
		{name: "hangup", usage: "[CALL|LINE]", about: "end a call, or all", run: (*session).hangUp, words: lineNames("all")},
		{name: "at", usage: "[LINE]", about: "speak with a line's modem; ^] ends it", types: true, run: (*session).at, words: lineNames()},
		{name: "hook", usage: "[LINE] off|flash|on", about: "put a line off-hook, for five minutes; flash; on-hook", run: (*session).hook, words: lineNames("on", "off", "flash")},
		{name: "gpio", about: "the pins that are in use", run: (*session).gpio},
		{name: "log", usage: "[-f] [COUNT]", about: "the end of the log; -f follows it until ^C", run: (*session).log, words: fixed("-f")},
		{name: "config", usage: "show|edit|check|apply|confirm|rollback", about: "the configuration; apply tries the edited one, confirm keeps it", types: true, run: (*session).config, words: fixed("show", "edit", "check", "apply", "confirm", "rollback")},
		{name: "passwd", about: "hash a password, for config edit", types: true, run: (*session).passwd},
		{name: "net", usage: "[dhcp | static ADDRESS/BITS [GATEWAY [DNS…]]]", about: "the network", run: (*session).net, words: fixed("dhcp", "static")},
		{name: "time", usage: "[set YYYY-MM-DD HH:MM[:SS]]", about: "the clock, UTC", run: (*session).time, words: fixed("set")},
		{name: "update", usage: "[FILE|URL]", about: "install new software, or say what became of the last update", run: (*session).update},
		{name: "backup", usage: "[FILE]", about: "save configuration, greetings and settings, as text or to a file", run: (*session).backup},
		{name: "restore", usage: "[FILE]", about: "bring a backup back; without FILE paste it", types: true, run: (*session).restore},
		{name: "support", usage: "[FILE]", about: "everything but secrets, for whoever helps you", run: (*session).support},
		{name: "reboot", about: "start the board anew", run: (*session).reboot},
		{name: "factory-reset", about: "remove everything that is not software", types: true, run: (*session).factoryReset},
		{name: "logout", about: "end this session", run: func(*session, context.Context, []string) error { return errLogout }},
	}
}

func commandNames(*session) (names []string) {
	for _, c := range commands {
		names = append(names, c.name)
	}
	return names
}

func fixed(words ...string) func(*session) []string {
	return func(*session) []string { return words }
}

func lineNames(more ...string) func(*session) []string {
	return func(s *session) []string {
		names := slices.Clone(more)
		for _, l := range s.c.cfg.Board().Config.Lines {
			names = append(names, l.Name)
		}
		return names
	}
}

func userNames(s *session) (names []string) {
	for _, u := range s.c.cfg.Board().Config.Users {
		names = append(names, u.Name)
	}
	return names
}

// complete is what the last word of before may become.
func (s *session) complete(before string) (list []string) {
	words := strings.Fields(before)
	last := ""
	if len(words) > 0 && !strings.HasSuffix(before, " ") {
		last = words[len(words)-1]
		words = words[:len(words)-1]
	}
	var all []string
	if len(words) == 0 {
		all = commandNames(s)
	} else if i := slices.IndexFunc(commands, func(c command) bool { return c.name == words[0] }); i >= 0 && commands[i].words != nil {
		all = commands[i].words(s)
	}
	for _, w := range all {
		if strings.HasPrefix(w, last) {
			list = append(list, w)
		}
	}
	return list
}

func (s *session) help(_ context.Context, args []string) error {
	for _, c := range commands {
		usage := strings.TrimSpace(c.name + " " + c.usage)
		switch {
		case len(args) > 0 && args[0] == c.name:
			s.out.printf("%s\n  %s\n", usage, c.about)
			return nil
		case len(args) == 0 && len(usage) < 26:
			s.out.printf("%-26s%s\n", usage, c.about)
		case len(args) == 0:
			s.out.printf("%s\n%26s%s\n", usage, "", c.about)
		}
	}
	if len(args) > 0 {
		return fmt.Errorf("there is no command %.40q", args[0])
	}
	s.out.printf("Tab completes, arrows recall, ^C interrupts, ^D logs out.\n")
	return nil
}

// theLine puts the only line's name before the arguments of a command that was given without
// one.
func (s *session) theLine(args []string, want int) []string {
	lines := s.c.cfg.Board().Config.Lines
	if len(args) == want-1 && len(lines) == 1 {
		return append([]string{lines[0].Name}, args...)
	}
	return args
}

// errUsage is for a command that was given wrongly.
func errUsage(name string) error {
	i := slices.IndexFunc(commands, func(c command) bool { return c.name == name })
	return errors.New("write: " + strings.TrimSpace(name+" "+commands[i].usage))
}

// dataPath is a file beside the configuration: the appliance's data partition.
func (c *Console) dataPath(name string) (string, error) {
	if c.cfg.Path == "" {
		return "", errors.New("this is the simulated board: it has no configuration file")
	}
	return filepath.Join(filepath.Dir(c.cfg.Path), name), nil
}

// writeNew writes a file that must not be there yet.
func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}
