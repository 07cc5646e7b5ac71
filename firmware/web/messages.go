package web

import (
	"bufio"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"hookswitch/firmware/mailbox"
)

// messages lists the messages, newest first; with ?deleted=1 those in the trash. ?offset and
// ?limit show a part of them; how many there are is in X-Total-Count.
func (a *API) messages(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	offset, err1 := count(query.Get("offset"))
	limit, err2 := count(query.Get("limit"))
	deleted, err3 := strconv.ParseBool(query.Get("deleted"))
	if query.Get("deleted") == "" {
		err3 = nil
	}
	if errors.Join(err1, err2, err3) != nil {
		reply(w, http.StatusBadRequest, Problem{"offset and limit are numbers, and deleted is 1 or 0"})
		return
	}
	find := a.Store.Messages
	if deleted {
		find = a.Store.Deleted
	}
	list, err := find(UserOf(r).box())
	if err != nil {
		a.fail(w, r, err)
		return
	}
	w.Header().Set("X-Total-Count", strconv.Itoa(len(list)))
	list = list[min(offset, len(list)):]
	if query.Get("limit") != "" {
		list = list[:min(limit, len(list))]
	}
	replyList(w, list)
}

// count reads a number that is not negative; "" is 0.
func count(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 31)
	return int(n), err
}

// replyList is reply for a long list, of which it does not make the whole text at once.
func replyList[T any](w http.ResponseWriter, list []T) {
	header(w, http.StatusOK)
	out := bufio.NewWriterSize(w, 16<<10)
	sep := byte('[')
	for i := range list {
		text, err := json.Marshal(list[i])
		if err != nil {
			return
		}
		_ = out.WriteByte(sep)
		if _, err := out.Write(text); err != nil {
			return // nobody reads it any more
		}
		sep = ','
	}
	if len(list) == 0 {
		_ = out.WriteByte('[')
	}
	_, _ = out.WriteString("]\n")
	_ = out.Flush()
}

// restore brings a deleted message back.
func (a *API) restore(w http.ResponseWriter, r *http.Request) {
	user, id := UserOf(r), r.PathValue("id")
	m, err := a.Store.Restore(user.Name, id)
	if user.Admin && errors.Is(err, mailbox.ErrItem) {
		m, err = a.Store.Restore("", id)
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	reply(w, http.StatusOK, m)
}
