package main

import "strings"

// findLogin finds the login for a host in the text of a netrc file (GNU inetutils manual,
// "The .netrc file"): tokens machine, default, login, password, account, macdef. Where user
// is not "", only their password is looked for.
func findLogin(text, host, user string) (login, password string) {
	here := false
	tokens := fields(text)
	next := func() string {
		if len(tokens) == 0 {
			return ""
		}
		t := tokens[0]
		tokens = tokens[1:]
		return t
	}
	done := func() bool { return here && login != "" && password != "" && (user == "" || user == login) }
	for len(tokens) > 0 {
		switch next() {
		case "machine":
			if done() {
				return login, password
			}
			here, login, password = next() == host, "", ""
		case "default":
			if done() {
				return login, password
			}
			here, login, password = true, "", ""
		case "login":
			login = next()
		case "password":
			password = next()
		case "account":
			next()
		}
	}
	if done() {
		return login, password
	}
	return user, ""
}

// fields are the file's tokens, without the bodies of macros, which end at an empty line.
func fields(text string) (tokens []string) {
	macro := false
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 {
			macro = false
		}
		if macro {
			continue
		}
		for i, t := range f {
			if t == "macdef" {
				macro, f = true, f[:i]
				break
			}
		}
		tokens = append(tokens, f...)
	}
	return tokens
}
