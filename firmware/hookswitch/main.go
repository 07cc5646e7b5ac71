// Command hookswitch is the daemon of a Play on Phone board and its command line.
//
// It exits with 0 when what was asked for is done, 1 when it is not, 2 when it was asked
// wrongly. The daemon exits with 0 only when it was told to stop.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// commandLine is every subcommand; each has its file.
type commandLine struct {
	Server      string `help:"The daemon's address." default:"http://127.0.0.1:8080" env:"HOOKSWITCH_SERVER" placeholder:"URL"`
	User        string `help:"Log in as this user." env:"HOOKSWITCH_USER" placeholder:"NAME"`
	Password    string `help:"The user's password; better given in the environment." env:"HOOKSWITCH_PASSWORD"`
	Token       string `help:"Log in with a bearer token." env:"HOOKSWITCH_TOKEN"`
	Fingerprint string `help:"SHA-256 fingerprint of the daemon's self-signed certificate." env:"HOOKSWITCH_FINGERPRINT"`

	Serve    serveCommand    `cmd:"" help:"Run the daemon; without --config on the simulated board."`
	Play     playCommand     `cmd:"" help:"Play a message to a telephone and follow the call; Ctrl-C disconnects."`
	Hangup   hangupCommand   `cmd:"" help:"Disconnect a call."`
	Lines    linesCommand    `cmd:"" help:"List the lines."`
	Calls    callsCommand    `cmd:"" help:"List the calls."`
	Messages messagesCommand `cmd:"" help:"List the messages."`
	Check    checkCommand    `cmd:"" help:"Check a configuration: every mistake, with its line."`
	Config   configCommand   `cmd:"" help:"Print a commented example configuration."`
	Passwd   passwdCommand   `cmd:"" help:"Hash a password for the configuration."`
	Newtoken tokenCommand    `cmd:"" name:"token" help:"Make a bearer token and its hash for the configuration."`
	Onhook   onhookCommand   `cmd:"" help:"Put every configured line on-hook, without the daemon."`
	Simulate simulateCommand `cmd:"" help:"Run only the simulated telephone exchange, on pseudo terminals."`
	Update   updateCommand   `cmd:"" help:"Give the appliance new software, or say what became of the last update."`
	Version  versionCommand  `cmd:"" help:"Say which program this is."`
}

func main() {
	var cl commandLine
	parser := kong.Must(&cl, kong.Name("hookswitch"), kong.Description("Play on Phone for anyone with a telephone line."), kong.UsageOnError())
	kctx, err := parser.Parse(os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "hookswitch: %v; see hookswitch --help\n", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	kctx.BindTo(ctx, (*context.Context)(nil))
	if err := kctx.Run(&cl); err != nil {
		for _, line := range sentences(err) {
			fmt.Fprintln(os.Stderr, "hookswitch:", line)
		}
		os.Exit(1)
	}
}

// sentences are an error's parts, one a line: a configuration has one for each mistake.
func sentences(err error) []string {
	var many interface{ Unwrap() []error }
	if !errors.As(err, &many) {
		return []string{err.Error()}
	}
	var lines []string
	for _, e := range many.Unwrap() {
		lines = append(lines, e.Error())
	}
	return lines
}
