package xmlpull

// Child moves to the start of the current element's next child and reports true, or to the
// current element's end and reports false. Text that isn't white space is an error. The
// child must have been read to its end before the next call.
func (p *Parser) Child() (bool, error) {
	for {
		kind, err := p.Next()
		if err != nil {
			return false, err
		}
		switch kind {
		case Start:
			return true, nil
		case End:
			return false, nil
		case Text:
			if i := notSpace(p.Text); i < len(p.Text) {
				return false, p.Errorf("text isn't expected here")
			}
		case EOF:
			return false, nil
		}
	}
}

// Content reads the rest of the current element, which must have no children, and gives its
// text without the white space at both ends. The slice is good until the next Content.
func (p *Parser) Content() ([]byte, error) {
	p.content = p.content[:0]
	for {
		kind, err := p.Next()
		if err != nil {
			return nil, err
		}
		switch kind {
		case Text:
			p.content = append(p.content, p.Text...)
		case Start:
			return nil, p.Errorf("element %s isn't expected here", p.Name.Local)
		case End:
			return trim(p.content), nil
		}
	}
}

// Skip reads the rest of the current element and all that is in it.
func (p *Parser) Skip() error {
	for depth := p.depth; p.depth >= depth; {
		if _, err := p.Next(); err != nil {
			return err
		}
	}
	return nil
}

// Attr gives the value of the current element's attribute local, which is in no namespace.
func (p *Parser) Attr(local string) (value []byte, ok bool) {
	for i := range p.Attrs {
		if len(p.Attrs[i].Space) == 0 && string(p.Attrs[i].Local) == local {
			return p.Attrs[i].Value, true
		}
	}
	return nil, false
}

func trim(s []byte) []byte {
	s = s[notSpace(s):]
	for len(s) > 0 && isSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}
