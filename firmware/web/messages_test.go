package web_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"hookswitch/firmware/mailbox"
)

// deleteAll deletes every message of a user by another process, as the telephone does.
func (a *api) deleteAll(t *testing.T, user string) (ids []string) {
	t.Helper()
	store, err := mailbox.Open(filepath.Join(a.data, "mailbox"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	list, err := store.Messages(user)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		if err := store.Delete(user, m.ID); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, m.ID)
	}
	return ids
}

func TestDeletedMessagesAreListedAndRestoredByTheirOwner(t *testing.T) {
	a := newAPI(t)
	id := a.deleteAll(t, "anna")[0]
	for user, want := range map[string]int{"anna": 1, "bert": 0, "root": 1} {
		var list []mailbox.Message
		a.ask(t, user, http.MethodGet, "/api/messages?deleted=1", "", &list)
		if len(list) != want {
			t.Errorf("%s sees %+v", user, list)
		}
		for _, m := range list {
			if m.ID != id || m.Name != "from-anna.wav" || m.Mailbox != "anna" || m.KeptDays != 30 || m.Deleted.IsZero() {
				t.Errorf("%+v", m)
			}
		}
	}
	restore := func(user, id string, v any) int {
		return a.ask(t, user, http.MethodPost, "/api/messages/"+id+"/restore", "", v).StatusCode
	}
	if got := restore("bert", id, nil); got != 404 {
		t.Errorf("bert restores anna's: %d", got)
	}
	if got := restore("anna", "nonsense", nil); got != 400 {
		t.Errorf("no id: %d", got)
	}
	var m mailbox.Message
	if got := restore("anna", id, &m); got != 200 || m.ID != id || m.Name != "from-anna.wav" || m.DurationMS != 1000 {
		t.Errorf("restored %+v, %d", m, got)
	}
	if got := restore("anna", id, nil); got != 404 {
		t.Errorf("restored twice: %d", got)
	}
	a.deleteAll(t, "anna")
	if got := restore("root", id, nil); got != 200 {
		t.Errorf("root restores anna's: %d", got)
	}
}

func TestAPartOfTheMessagesIsListed(t *testing.T) {
	a := newAPI(t)
	dir := filepath.Join(a.data, "mailbox", "anna", "messages")
	text, err := os.ReadFile(filepath.Join(dir, "from-anna.wav"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 9 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i, ".wav")), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var all []mailbox.Message
	a.ask(t, "anna", http.MethodGet, "/api/messages", "", &all)
	if len(all) != 10 {
		t.Fatalf("%d messages", len(all))
	}
	for query, want := range map[string][2]int{
		"limit=3": {0, 3}, "offset=8": {8, 10}, "offset=8&limit=9": {8, 10}, "offset=99": {10, 10}, "limit=0": {0, 0}, "deleted=0&limit=1": {0, 1},
	} {
		var part []mailbox.Message
		resp := a.ask(t, "anna", http.MethodGet, "/api/messages?"+query, "", &part)
		if len(part) != want[1]-want[0] || resp.Header.Get("X-Total-Count") != "10" || part == nil {
			t.Errorf("%s: %d of %s", query, len(part), resp.Header.Get("X-Total-Count"))
		}
		for i := range part {
			if part[i].ID != all[want[0]+i].ID {
				t.Errorf("%s: another message at %d", query, i)
			}
		}
	}
	for _, query := range []string{"limit=-1", "limit=x", "offset=1e9", "offset=99999999999999999999", "deleted=perhaps"} {
		if got := a.ask(t, "anna", http.MethodGet, "/api/messages?"+query, "", nil).StatusCode; got != 400 {
			t.Errorf("%s: %d", query, got)
		}
	}
}
