package audio

// packetSamples is how long an Opus packet is, at 48 kHz: RFC 6716 §3.1.
func packetSamples(p []byte) int {
	if len(p) == 0 {
		return 0
	}
	const ms = opusRate / 1000
	size := 0
	switch config := p[0] >> 3; {
	case config < 12: // SILK
		size = [4]int{10 * ms, 20 * ms, 40 * ms, 60 * ms}[config&3]
	case config < 16: // hybrid
		size = [2]int{10 * ms, 20 * ms}[config&1]
	default: // CELT
		size = 5 * ms / 2 << (config & 3)
	}
	switch p[0] & 3 {
	case 0:
		return size
	case 3:
		if len(p) < 2 {
			return 0
		}
		return int(p[1]&63) * size
	}
	return 2 * size
}

// splitPacket takes the first of several streams' packets, which tells its own length (RFC
// 6716 appendix B), and gives it the usual form; nil where it is damaged.
func splitPacket(b []byte) (packet, rest []byte) {
	if len(b) < 2 {
		return nil, nil
	}
	code, at := b[0]&3, 1
	frames, lengths, padding := 1, 1, 0 // how many frames, and how many lengths of frames there are
	switch code {
	case 1:
		frames = 2
	case 2:
		frames, lengths = 2, 2
	case 3:
		const vbr, padded = 0x80, 0x40
		frames, at = int(b[1]&63), 2
		if b[1]&vbr != 0 {
			lengths = frames
		}
		for more := b[1]&padded != 0; more; at++ {
			if at >= len(b) {
				return nil, nil
			}
			if more = b[at] == 255; more {
				padding += 254
			} else {
				padding += int(b[at])
			}
		}
	}
	sum, last, from := 0, 0, at
	for range lengths {
		from = at
		n, used := frameLength(b[min(at, len(b)):])
		if used == 0 {
			return nil, nil
		}
		at, last = at+used, n
		sum += n
	}
	if lengths == 1 {
		sum = last * frames
	}
	end := at + sum + padding
	if end > len(b) {
		return nil, nil
	}
	packet = append(append(packet, b[:from]...), b[at:end]...) // without the last length
	return packet, b[end:]
}

// frameLength is §3.2.1.
func frameLength(b []byte) (n, used int) {
	switch {
	case len(b) >= 1 && b[0] < 252:
		return int(b[0]), 1
	case len(b) >= 2:
		return int(b[0]) + 4*int(b[1]), 2
	}
	return 0, 0
}
