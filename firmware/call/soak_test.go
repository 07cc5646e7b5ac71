package call_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/call"
	"hookswitch/hal/sim"
)

var (
	soakSeed   = flag.Uint64("soak.seed", 1, "the first seed of the soak test")
	soakRounds = flag.Int("soak.rounds", 3, "how many days of calls the soak test makes")
)

// callsADay is how many calls a soaked board makes in a round.
const callsADay = 60

// TestADayOfCallsAndFaults makes random calls on a board whose lines are struck by random
// faults, unplugged, taken by people and hung up on, all at random moments. Whatever happens:
// a call that is over stays over, and holds no line; and a minute after the last fault every
// line is on-hook and in service.
func TestADayOfCallsAndFaults(t *testing.T) {
	rounds := *soakRounds
	if testing.Short() {
		rounds = 1
	}
	for seed := *soakSeed; seed < *soakSeed+uint64(rounds); seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { soak(t, rand.New(rand.NewPCG(seed, 0))) })
		})
	}
}

func soak(t *testing.T, dice *rand.Rand) {
	names := []string{"fxo1", "fxo2", "gsm1", "gsm2"}
	b := newBoard(t, func(o *call.Options) {
		o.MaxCall, o.PerUser, o.Queue, o.QueueWait = 2*time.Minute, -1, 3, 20*time.Second
		o.Redial, o.RedialIn = 1, 5*time.Second
		o.Choose = call.Choice([]string{"first", "round-robin", "least-used"}[dice.IntN(3)])
		for i := range o.Lines {
			o.Lines[i].PressOne = dice.IntN(4) == 0
			if o.Lines[i].Hook.Relay != nil && dice.IntN(2) == 0 {
				o.Lines[i].Tones = audio.PlanOf("us")
			}
		}
	}, names...)
	over := map[string]call.Info{}
	restarted := map[string]bool{}
	var ids []string
	for range callsADay {
		l := b.lines[names[dice.IntN(len(names))]]
		switch dice.IntN(6) {
		case 0:
			l.Fault(faults[dice.IntN(len(faults))].fault)
		case 1:
			l.Fault(sim.Faults{})
		case 2:
			l.Vanish()
			time.Sleep(randomly(dice, 20*time.Second))
			if err := l.Return(); err != nil {
				t.Fatal(err)
			}
		case 3:
			l.Parallel(true)
			time.AfterFunc(randomly(dice, 10*time.Second), func() { l.Parallel(false) })
		case 4:
			l.Restart()
			restarted[l.Name()] = true
		}
		req := request(fmt.Sprintf("555010%d", dice.IntN(8)))
		req.Clip = speech(randomly(dice, 20*time.Second))
		info, err := b.Start(req)
		switch {
		case err == nil && !slices.Contains(ids, info.ID): // not a request that was taken for a retry
			ids = append(ids, info.ID)
		case err == nil:
		case !errors.Is(err, call.ErrNoLine) && !errors.Is(err, call.ErrFault):
			t.Fatal(err)
		}
		time.Sleep(randomly(dice, 30*time.Second))
		if dice.IntN(2) == 0 && len(ids) > 0 {
			id := ids[dice.IntN(len(ids))]
			checkAgree(t, b, id, b.Disconnect(t.Context(), id))
		}
		checkEnded(t, b, ids, over)
	}
	for _, l := range b.lines {
		l.Fault(sim.Faults{})
		l.Parallel(false)
	}
	time.Sleep(6 * time.Minute) // the longest call, again, and a while
	checkEnded(t, b, ids, over)
	if len(over) != len(ids) {
		t.Errorf("%d of %d calls are over", len(over), len(ids))
	}
	for _, info := range b.Lines() {
		if info.State != "idle" || info.Hook != "on-hook" || b.lines[info.Name].OffHook() {
			t.Errorf("at the end: %+v, off-hook for the exchange: %v", info, b.lines[info.Name].OffHook())
		}
	}
	for name, l := range b.lines {
		for _, c := range l.Contradictions() {
			if !restarted[name] { // a modem that has started anew does not say so
				t.Errorf("%s: %s", name, c)
			}
		}
	}
	if t.Failed() {
		for name, l := range b.lines {
			t.Logf("%s\n%s", name, tail(l.Log(), 6000))
		}
	}
}

// checkEnded notes the calls that are over and checks that those before are as they were.
func checkEnded(t *testing.T, b *board, ids []string, over map[string]call.Info) {
	t.Helper()
	if err := b.Stuck(); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		info, err := b.Call(id)
		if err != nil {
			t.Fatal(err)
		}
		if before, ok := over[id]; ok && before != info {
			t.Fatalf("a call that was over has changed: %+v, then %+v", before, info)
		}
		if info.State == call.Disconnected {
			over[id] = info
		}
	}
	for _, l := range b.Lines() {
		if c, ok := over[l.Call]; ok {
			t.Fatalf("line %+v is held by a call that is over: %+v", l, c)
		}
		if fxo := strings.HasPrefix(l.Name, "fxo"); fxo && l.Call == "" && b.lines[l.Name].OffHook() {
			t.Fatalf("line %+v has no call, and the exchange sees it off-hook", l)
		}
	}
}

func randomly(dice *rand.Rand, most time.Duration) time.Duration {
	return time.Duration(dice.Int64N(int64(most)))
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }
