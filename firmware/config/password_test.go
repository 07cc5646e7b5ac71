package config_test

import (
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"hookswitch/firmware/config"
)

func TestPasswords(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long, on purpose")
	}
	hash, err := config.HashPassword("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	again, err := config.HashPassword("correct horse")
	if err != nil || again == hash {
		t.Errorf("two hashes of one password are equal: %s, %v", hash, err)
	}
	if !config.CheckPassword(hash, "correct horse") {
		t.Error("the password is not its own")
	}
	cheap, err := bcrypt.GenerateFromPassword([]byte("correct horse"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	hash = string(cheap)
	for _, test := range []struct {
		name, hash, password string
		want                 bool
	}{
		{"the password", hash, "correct horse", true},
		{"another", hash, "correct horsf", false},
		{"its beginning", hash, "correct hors", false},
		{"nothing", hash, "", false},
		{"one too long for any", hash, strings.Repeat("x", 1000), false},
		{"it twice, with a NUL between", hash, "correct horse\x00correct horse", false},
		{"no user", "", "correct horse", false},
		{"no user, no password", "", "", false},
		{"a broken hash", hash[:20], "correct horse", false},
		{"the hash itself", hash, hash, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := config.CheckPassword(test.hash, test.password); got != test.want {
				t.Errorf("CheckPassword = %v", got)
			}
		})
	}
	if hash, err = config.HashPassword(strings.Repeat("x", 72)); err != nil || config.CheckPassword(hash, strings.Repeat("x", 73)) {
		t.Errorf("what stands after the longest password counts for nothing: %v", err)
	}
	for _, bad := range []string{"", "1234567", strings.Repeat("x", 73), "correct\x00horse"} {
		if _, err := config.HashPassword(bad); err == nil {
			t.Errorf("a password of %d bytes is taken", len(bad))
		}
	}
}

func TestTokens(t *testing.T) {
	token, hash := config.NewToken()
	other, _ := config.NewToken()
	if token == other || len(token) < 43 {
		t.Errorf("tokens %s, %s", token, other)
	}
	if !config.CheckToken(hash, token) {
		t.Error("a token is not its own")
	}
	if config.CheckToken(hash, other) || config.CheckToken(hash, "") || config.CheckToken("", token) || config.CheckToken("", "") {
		t.Error("another token is taken")
	}
	if _, err := config.Parse("f", []byte("[[user]]\nname = \"robot\"\ntoken_hash = [\""+hash+"\"]")); err != nil {
		t.Error(err)
	}
}

func TestNTHash(t *testing.T) {
	for password, want := range map[string]string{ // MS-NLMP 4.2.2.1.1 has the first
		"Password":        "a4f49c406510bdcab6824ee7c30fd852",
		"password":        "8846f7eaee8fb117ad06bdd830b7586c",
		"SecREt01":        "cd06ca7c7e10c99b1d33b7485a2ed808",
		"\U0001F4DE bell": "",
	} {
		got, err := config.NTHash(password)
		if err != nil || len(got) != 32 || want != "" && got != want {
			t.Errorf("NTHash(%s) = %s, %v, want %s", password, got, err, want)
		}
	}
	if _, err := config.NTHash(""); err == nil {
		t.Error("the empty password has an NT hash")
	}
}
