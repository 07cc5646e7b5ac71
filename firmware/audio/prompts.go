package audio

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Names of prompts.
const (
	PromptMessage      = "message"       // the test message of the simulated board, 11 s
	PromptShort        = "message-short" // another, 4 s
	PromptPressOne     = "press-one"     // there is a message: press 1 to hear it
	PromptEnd          = "end"           // end of message
	PromptMenu         = "menu"          // what can be done when a message has ended
	PromptKeys         = "keys"          // what Exchange's keys do while a message plays
	PromptDeleteAgain  = "delete-again"  // press the same key again to delete
	PromptDeleted      = "deleted"
	PromptSaved        = "saved"
	PromptFailed       = "failed"
	PromptGreetingMenu = "greeting-menu" // 1 play, 2 record, 3 keep, 7 delete, star
	PromptNoGreeting   = "no-greeting"
	PromptTone         = "tone" // speak after the tone, which comes with it
	PromptGoodbye      = "goodbye"
)

//go:embed prompts/*.wav
var promptFiles embed.FS

var (
	promptsMu sync.Mutex // guards spoken
	spoken    = map[string]Clip{}
)

// Prompt is what the board says under this name, which must be one of the above. The clip
// is shared: it must not be changed.
func Prompt(name string) Clip {
	promptsMu.Lock()
	defer promptsMu.Unlock()
	if c, ok := spoken[name]; ok {
		return c
	}
	b, err := promptFiles.ReadFile("prompts/" + name + ".wav")
	if err != nil {
		panic(fmt.Sprintf("audio: no prompt %q", name))
	}
	c, err := Decode(bytes.NewReader(b), time.Minute)
	if err != nil {
		panic(fmt.Sprintf("audio: prompt %q: %v", name, err))
	}
	c = Level(c)
	if name == PromptTone {
		c = slices.Concat(c, Beep())
	}
	spoken[name] = c
	return c
}

// keyNames are the prompts that name keys.
var keyNames = map[rune]string{'*': "star", '#': "pound"}

// actionNames are the prompts that tell what a key is for, by what keys are configured to do.
var actionNames = map[string]string{
	"back": "back", "pause": "pause", "on": "forward", "to-end": "to-end", "slower": "slower",
	"faster": "faster", "delete": "delete", "next": "next", "menu": "help-menu", "help": "help",
}

// KeyHelp says which key does what, for keys that are not Exchange's. The map is from keys
// ("33", "#") to back, pause, on, to-end, slower, faster, delete, next, menu or help; what
// else it holds is not spoken.
func KeyHelp(keys map[string]string) Clip {
	var c Clip
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		action, ok := actionNames[keys[key]]
		if !ok || strings.Trim(key, "0123456789*#") != "" {
			continue
		}
		c = append(c, Prompt(action)...)
		for _, digit := range key {
			c = append(c, Prompt(cmp.Or(keyNames[digit], string(digit)))...)
		}
		c = append(c, make(Clip, Rate/4)...)
	}
	return c
}
