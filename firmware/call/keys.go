package call

import (
	"maps"

	"hookswitch/firmware/audio"
	"hookswitch/firmware/keypad"
)

// help is the prompt of this name, where the keys are those that it tells; else what the keys do.
func help(keys keypad.Keys, prompt string) audio.Clip {
	if maps.Equal(keys, keypad.Exchange) {
		return audio.Prompt(prompt)
	}
	actions := map[string]string{}
	for key, action := range keys {
		actions[key] = string(action)
	}
	return audio.KeyHelp(actions)
}
