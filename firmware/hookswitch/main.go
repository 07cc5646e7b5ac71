// Command hookswitch is the daemon of a Play on Phone board, and its command line.
//
// It exits with 0 when what was asked for is done; 1 when it is not: refused, failed, or, of
// a call, not heard; 2 when it was asked wrongly; 130 when a signal has ended it before it
// was done. The daemon exits with 0 only when it was told to stop.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"

	"hookswitch/firmware/sentence"
)

// Exit statuses.
const (
	failed      = 1
	misused     = 2
	interrupted = 130 // 128 + SIGINT, as shells have it
)

const about = `Play on Phone for anyone with a telephone line.

Exit status: 0 done, 1 not done, 2 asked wrongly, 130 interrupted.`

// commandLine is every subcommand; each has its file.
type commandLine struct {
	daemonFlags
	ShowVersion kong.VersionFlag `name:"version" help:"Print which program this is."`

	Serve    serveCommand    `cmd:"" help:"Run the daemon; without --config on the simulated board."`
	Play     playCommand     `cmd:"" help:"Play a message to a telephone and follow the call; Ctrl-C disconnects."`
	Hangup   hangupCommand   `cmd:"" help:"Disconnect a call."`
	Lines    linesCommand    `cmd:"" help:"List the lines."`
	Calls    callsCommand    `cmd:"" help:"List the calls, newest first."`
	Messages messagesCommand `cmd:"" help:"List the messages, and bring deleted ones back."`
	Check    checkCommand    `cmd:"" help:"Check a configuration: every mistake, with its line."`
	Config   configCommand   `cmd:"" help:"Print a commented example configuration."`
	Passwd   passwdCommand   `cmd:"" help:"Hash a password for the configuration."`
	Token    tokenCommand    `cmd:"" help:"Make a bearer token, and its hash for the configuration."`
	Probe    probeCommand    `cmd:"" help:"Ask the modem on a port, or on each, what it is and whether it will do."`
	Onhook   onhookCommand   `cmd:"" help:"Put every configured line on-hook, without the daemon."`
	Guard    guardCommand    `cmd:"" hidden:"" help:"Drive the hook relays for the daemon, which starts it."`
	Simulate simulateCommand `cmd:"" help:"Run only the simulated modems and their network, on pseudo terminals."`
	Update   updateCommand   `cmd:"" help:"Give the appliance new software, or say what became of the last update."`
	Version  versionCommand  `cmd:"" help:"Say which program this is."`

	Completion kongcompletion.Completion `cmd:"" help:"Print how to switch on completion in bash, zsh or fish."`
	Manual     manualCommand             `cmd:"" hidden:"" help:"Print the manual page."`
}

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) (status int) {
	var cl commandLine
	parser := kong.Must(&cl, kong.Name("hookswitch"), kong.Description(about), kong.Vars{"version": versionLine()})
	if len(args) > 0 && args[0] == "help" { // as other programs have it; kong knows the flag only
		args = append(slices.Clone(args[1:]), "--help")
	}
	kongcompletion.Register(parser) // answers a shell that asks, and exits
	command, err := parser.Parse(args)
	if err != nil {
		complain(fmt.Errorf("%w; see hookswitch --help", err))
		return misused
	}
	ctx, stop := signal.NotifyContext(context.Background(), stopSignals()...)
	defer stop() // until then further ones change nothing: a line is being put on-hook
	command.BindTo(ctx, (*context.Context)(nil))
	err = command.Run(&cl.daemonFlags)
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.Cause(ctx))):
		return interrupted
	}
	complain(err)
	return failed
}

// stopSignals are those that end a program. A terminal that is closed is one of them, since
// it must not leave a call behind, but not where it was told to be none (nohup).
func stopSignals() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// complain tells an error, a line for each of its parts: a configuration has one a mistake.
func complain(err error) {
	for line := range strings.SplitSeq(sentence.Of(err), "\n") {
		fmt.Fprintln(os.Stderr, "hookswitch:", strings.TrimSpace(line))
	}
}
