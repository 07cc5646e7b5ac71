package main

import "testing"

func TestALoginIsFoundAsNetrcSays(t *testing.T) {
	const text = `machine other.example login eve password wrong
machine board.local
	login anna
	account unused
	password correct-horse
macdef init
machine board.local login macro password wrong

machine board.local login root password another-horse
default login guest password guest
`
	tests := []struct{ name, text, host, user, login, password string }{
		{"the first login of the host", text, "board.local", "", "anna", "correct-horse"},
		{"a certain user's", text, "board.local", "root", "root", "another-horse"},
		{"a user that is not there, but for the default", text, "board.local", "guest", "guest", "guest"},
		{"a user that is not there", text, "board.local", "bert", "bert", ""},
		{"another host's", text, "other.example", "", "eve", "wrong"},
		{"the default", text, "third.example", "", "guest", "guest"},
		{"none in an empty file", "", "board.local", "", "", ""},
		{"none in a file that is cut off", "machine board.local login anna password", "board.local", "", "", ""},
		{"none of a host that is cut off", "machine", "board.local", "", "", ""},
		{"the last without a line end", "machine board.local login anna password x", "board.local", "", "anna", "x"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if login, password := findLogin(test.text, test.host, test.user); login != test.login || password != test.password {
				t.Errorf("got %q %q, want %q %q", login, password, test.login, test.password)
			}
		})
	}
}

func FuzzNetrc(f *testing.F) {
	f.Add("machine board login anna password x\nmacdef m\nx\n\ndefault login a password b\n", "board", "")
	f.Fuzz(func(t *testing.T, text, host, user string) {
		if login, _ := findLogin(text, host, user); user != "" && login != user {
			t.Errorf("asked for %q, got %q", user, login)
		}
	})
}
