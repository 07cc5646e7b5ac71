package call

import (
	"encoding/json"
	"time"
)

// MarshalJSON writes every field, with null for a time that has not come: programs look for
// answered in a call that nobody has answered, too.
func (i Info) MarshalJSON() ([]byte, error) {
	type fields Info
	return json.Marshal(struct {
		fields
		Answered *time.Time `json:"answered"`
		Ended    *time.Time `json:"ended"`
	}{fields(i), orNull(i.Answered), orNull(i.Ended)})
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
