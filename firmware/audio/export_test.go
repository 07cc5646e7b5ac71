package audio

import "runtime"

// Wait returns when the message is decoded as far as it will be.
func (s *Message) Wait() { <-s.done }

// WaitFor returns when so many samples are there.
func (s *Message) WaitFor(n int) {
	for have, _ := s.size(); have < n; have, _ = s.size() {
		runtime.Gosched()
	}
}
