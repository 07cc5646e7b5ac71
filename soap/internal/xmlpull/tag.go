package xmlpull

import "bytes"

// Namespaces that every document has (Namespaces in XML 1.0 §3).
const (
	spaceXML   = "http://www.w3.org/XML/1998/namespace"
	spaceXMLNS = "http://www.w3.org/2000/xmlns/"
)

// startTag reads "<name attributes>" or "<name attributes/>".
func (p *Parser) startTag() (Kind, error) {
	p.token = p.pos + 1
	if p.depth == 0 && p.rooted {
		return EOF, p.errorAt(p.token, "a second root element")
	}
	if p.depth == MaxDepth {
		return EOF, p.errorAt(p.token, "elements are nested more than %d deep", MaxDepth)
	}
	name, end, ok := p.qualified(p.token)
	if !ok {
		return EOF, p.errorAt(p.token, "a tag isn't well-formed")
	}
	n, err := p.attributes(end)
	if err != nil {
		return EOF, err
	}
	e := element{raw: name.raw, bindings: len(p.bindings)}
	if err := p.declare(n); err != nil {
		return EOF, err
	}
	if e.name, err = p.resolve(name, p.token, true); err != nil {
		return EOF, err
	}
	if err := p.resolveAttributes(n); err != nil {
		return EOF, err
	}
	p.rooted = true
	p.open[p.depth] = e
	p.depth++
	p.Name = e.name
	return Start, nil
}

// attributes reads the attributes that follow a tag's name into p.raw, and the tag's end.
func (p *Parser) attributes(at int) (n int, err error) {
	for {
		gap := notSpace(p.doc[at:])
		at += gap
		if at == len(p.doc) {
			return 0, p.errorAt(at, "the document ends inside a tag")
		}
		switch p.doc[at] {
		case '>':
			p.pos = at + 1
			return n, nil
		case '/':
			if at+1 == len(p.doc) || p.doc[at+1] != '>' {
				return 0, p.errorAt(at, "a tag isn't well-formed")
			}
			p.pos, p.empty = at+2, true
			return n, nil
		}
		if gap == 0 {
			return 0, p.errorAt(at, "a tag isn't well-formed")
		}
		if n == MaxAttrs {
			return 0, p.errorAt(at, "an element has more than %d attributes", MaxAttrs)
		}
		if at, err = p.attribute(&p.raw[n], at); err != nil {
			return 0, err
		}
		for i := range n {
			if bytes.Equal(p.raw[i].raw, p.raw[n].raw) {
				return 0, p.errorAt(p.raw[n].at, "attribute %s is given twice", p.raw[n].raw)
			}
		}
		n++
	}
}

// attribute reads one attribute into a and returns where it ends.
func (p *Parser) attribute(a *attribute, at int) (int, error) {
	name, end, ok := p.qualified(at)
	a.qname, a.at = name, at
	end += notSpace(p.doc[end:])
	if !ok || end == len(p.doc) || p.doc[end] != '=' {
		return 0, p.errorAt(at, "an attribute isn't well-formed")
	}
	end++
	end += notSpace(p.doc[end:])
	if end == len(p.doc) || p.doc[end] != '"' && p.doc[end] != '\'' {
		return 0, p.errorAt(end, "the value of attribute %s isn't quoted", a.raw)
	}
	n := bytes.IndexByte(p.doc[end+1:], p.doc[end])
	if n < 0 {
		return 0, p.errorAt(end, "the value of attribute %s has no end", a.raw)
	}
	if n > MaxAttrValue {
		return 0, p.errorAt(at, "the value of attribute %s is longer than %d bytes", a.raw, MaxAttrValue)
	}
	value := p.doc[end+1 : end+1+n]
	if i := bytes.IndexByte(value, '<'); i >= 0 {
		return 0, p.errorAt(end+1+i, "\"<\" in the value of attribute %s", a.raw)
	}
	var err error
	a.value, err = p.unescape(value, end+1, true)
	return end + 2 + n, err
}

// declare brings the namespace declarations among the first n raw attributes into force.
func (p *Parser) declare(n int) error {
	for i := range p.raw[:n] {
		a := &p.raw[i]
		if !a.declares() {
			continue
		}
		var prefix []byte
		if a.prefix != nil {
			prefix = a.local
		}
		switch {
		case prefix != nil && len(a.value) == 0,
			string(prefix) == "xmlns",
			(string(prefix) == "xml") != (string(a.value) == spaceXML),
			string(a.value) == spaceXMLNS:
			return p.errorAt(a.at, "the namespace declaration %s isn't allowed", a.raw)
		}
		space := a.value
		if len(p.scratch) > 0 { // the value may stand there, which lasts only until the next token
			space = bytes.Clone(space)
		}
		p.bindings = append(p.bindings, binding{prefix, space})
	}
	return nil
}

// resolve finds the namespace of a name. One without a prefix has the default namespace if
// it is an element's.
func (p *Parser) resolve(n qname, at int, isElement bool) (Name, error) {
	if n.prefix == nil {
		if isElement {
			return Name{p.lookup(nil), n.local}, nil
		}
		return Name{nil, n.local}, nil
	}
	if string(n.prefix) == "xml" {
		return Name{[]byte(spaceXML), n.local}, nil
	}
	space := p.lookup(n.prefix)
	if space == nil {
		return Name{}, p.errorAt(at, "prefix %s isn't declared", n.prefix)
	}
	return Name{space, n.local}, nil
}

func (p *Parser) lookup(prefix []byte) []byte {
	for i := len(p.bindings) - 1; i >= 0; i-- {
		if bytes.Equal(p.bindings[i].prefix, prefix) {
			return p.bindings[i].space
		}
	}
	return nil
}

// resolveAttributes fills p.Attrs from the first n raw attributes.
func (p *Parser) resolveAttributes(n int) error {
	count := 0
	for i := range p.raw[:n] {
		a := &p.raw[i]
		if a.declares() {
			continue
		}
		name, err := p.resolve(a.qname, a.at, false)
		if err != nil {
			return err
		}
		for _, b := range p.attrs[:count] {
			if bytes.Equal(b.Local, name.Local) && bytes.Equal(b.Space, name.Space) {
				return p.errorAt(a.at, "attribute %s is given twice", a.raw)
			}
		}
		p.attrs[count] = Attr{name, a.value}
		count++
	}
	p.Attrs = p.attrs[:count]
	return nil
}
