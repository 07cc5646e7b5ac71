package main

import (
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"hookswitch/firmware/daemon"
	"hookswitch/firmware/mailbox"
)

func TestADeletedMessageIsListedAndRestored(t *testing.T) {
	data := t.TempDir()
	d, err := daemon.Open(daemon.Options{Data: data, Listen: "127.0.0.1:0", Out: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	env := []string{"HOOKSWITCH_SERVER=http://" + d.Addr().String()}
	before := listed[mailbox.Message](t, env, "messages")
	if out, _, _ := hookswitch(t, env, "messages", "--deleted"); out != "No message has been deleted.\n" {
		t.Errorf("nothing is deleted: %q", out)
	}
	store, err := mailbox.Open(filepath.Join(data, "mailbox"))
	if err != nil {
		t.Fatal(err)
	}
	id := before[0].ID
	if err := errors.Join(store.Delete("local", id), store.Close()); err != nil {
		t.Fatal(err)
	}
	out, _, status := hookswitch(t, env, "messages", "--deleted")
	if status != 0 || !strings.Contains(out, id) || !strings.Contains(out, "30 days") || !strings.Contains(out, before[0].Name) {
		t.Errorf("status %d: %s", status, out)
	}
	if _, complaints, status := hookswitch(t, env, "messages", "restore", strings.Repeat("a", 24)); status != 1 || !strings.Contains(complaints, "no such item") {
		t.Errorf("status %d: %s", status, complaints)
	}
	if out, complaints, status := hookswitch(t, env, "messages", "restore", id); status != 0 || !strings.Contains(out, before[0].Name+" is in the mailbox of local again") {
		t.Errorf("status %d: %s%s", status, out, complaints)
	}
	if after := listed[mailbox.Message](t, env, "messages"); len(after) != len(before) || after[0].ID != id && after[1].ID != id {
		t.Errorf("before %+v, after %+v", before, after)
	}
	if out, _, status := hookswitch(t, env, "messages", "list"); status != 0 || !strings.Contains(out, id) {
		t.Errorf("messages list: %d, %s", status, out)
	}
}
