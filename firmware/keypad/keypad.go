// Package keypad names what the telephone's keys do while a message plays, as the
// configuration and the engine that hears them both call it.
package keypad

// Action is what a key does while a message plays.
type Action string

// Actions, after Exchange's Outlook Voice Access.
const (
	Back   Action = "back"   // a few seconds back; at the start, from the start again
	Pause  Action = "pause"  // until the next key
	On     Action = "on"     // a few seconds forward
	ToEnd  Action = "to-end" //
	Slower Action = "slower" // the voice keeps its pitch
	Faster Action = "faster"
	Delete Action = "delete"
	Next   Action = "next" // the next message
	Menu   Action = "menu" // what can be done with this message
	Help   Action = "help" // which keys there are
)

// Actions is every action there is.
var Actions = []Action{Back, Pause, On, ToEnd, Slower, Faster, Delete, Next, Menu, Help}

// Keys maps what is pressed on the telephone to actions. A key of two digits is the second
// digit pressed within a second of the first, whose own action has been done by then.
type Keys map[string]Action

// Exchange is the keys of Exchange's Outlook Voice Access.
var Exchange = Keys{
	"1": Back, "2": Pause, "3": On, "33": ToEnd, "4": Slower, "6": Faster,
	"7": Delete, "#": Next, "0": Menu, "*": Help,
}
