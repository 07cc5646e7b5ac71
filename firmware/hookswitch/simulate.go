package main

import (
	"context"
	"fmt"
	"path/filepath"

	"hookswitch/hal/sim"
)

type simulateCommand struct {
	Dir   string  `required:"" type:"path" placeholder:"DIR" help:"Directory for the links to the ports, the hook relay's file and the far end's recordings."`
	Speed float64 `default:"1" help:"How much faster than real time the lines run."`
}

// Run serves a voice modem at DIR/fxo1 with its relay at DIR/fxo1-hook and its loop current
// at DIR/fxo1-loop, and a GSM modem at DIR/gsm1 with its sound at DIR/gsm1-pcm.
func (c *simulateCommand) Run(ctx context.Context) error {
	x := sim.New(sim.Options{Dir: filepath.Join(c.Dir, "far-end"), Speed: c.Speed})
	defer func() { _ = x.Close() }()
	path := func(name string) string { return filepath.Join(c.Dir, name) }
	fxo, gsm := x.Voice("fxo1"), x.GSM("gsm1")
	if err := fxo.RelayFiles(path("fxo1-hook"), path("fxo1-loop")); err != nil {
		return err
	}
	for link, serve := range map[string]func(string) error{"fxo1": fxo.PTYLink, "gsm1": gsm.PTYLink, "gsm1-pcm": gsm.PCMLink} {
		if err := serve(path(link)); err != nil {
			return err
		}
		fmt.Println(path(link))
	}
	<-ctx.Done()
	return nil
}
