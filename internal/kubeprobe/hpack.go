package kubeprobe

// HPACK (RFC 7541), as far as it takes to tell a probe's header block from others: it is walked through, and three of its fields are compared with
// what they are in a probe. A client that writes these in another of HPACK's many ways is not known as a probe, which is no harm.

// Entries of the static table.
const (
	indexMethodPOST = 3
	indexPath       = 4 // and 5: with other values
	indexStatusOK   = 8
	indexAgent      = 58
	lastStatic      = 61
)

// Agent and HealthCheck in HPACK's Huffman code. Of Agent the code has whole bytes, so whatever follows it, these come first.
const (
	huffmanAgent       = "\xeb\x6c\x65\x5a\xbb\x0f\x19\x58"
	huffmanHealthCheck = "\x62\x6b\x2b\x22\xf3\x94\x74\x26\x75\xfb\x85\x7c\x65\x1d\x09\x9d\x8b\xd3\x94\x9d\x7f"
)

// isHealthCheck reports whether a header block, the first of its connection, is a probe's.
func isHealthCheck(block []byte) bool {
	var post, path, agent bool
	for len(block) > 0 {
		var index int
		var ok bool
		switch first := block[0]; {
		case first&0x80 != 0: // a field of a table
			if index, block, ok = cutInteger(block, 7); !ok || index == 0 || index > lastStatic {
				return false
			}
			post = post || index == indexMethodPOST
			continue
		case first&0xc0 == 0x40: // a literal, which the table is to have from now on
			index, block, ok = cutInteger(block, 6)
		case first&0xe0 == 0x20: // the table's size
			if _, block, ok = cutInteger(block, 5); !ok {
				return false
			}
			continue
		default: // a literal
			index, block, ok = cutInteger(block, 4)
		}
		if ok && index == 0 { // its name is one, too: of none that matters here
			_, _, block, ok = cutString(block)
		}
		if !ok || index > lastStatic {
			return false
		}
		var value []byte
		var huffman bool
		if value, huffman, block, ok = cutString(block); !ok {
			return false
		}
		switch index {
		case indexPath, indexPath + 1:
			if path || string(value) != either(huffman, huffmanHealthCheck, HealthCheck) {
				return false
			}
			path = true
		case indexAgent:
			want := either(huffman, huffmanAgent, Agent)
			if agent || len(value) < len(want) || string(value[:len(want)]) != want {
				return false
			}
			agent = true
		}
	}
	return post && path && agent
}

func either(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

// cutInteger cuts an integer off whose first bits are the last of the first byte (RFC 7541, 5.1). None that is larger than what is
// looked at matters.
func cutInteger(b []byte, bits int) (n int, rest []byte, ok bool) {
	mask := 1<<bits - 1
	n = int(b[0]) & mask
	b = b[1:]
	if n < mask {
		return n, b, true
	}
	for shift := 0; shift <= 14 && len(b) > 0; shift += 7 {
		c := b[0]
		b = b[1:]
		n += int(c&0x7f) << shift
		if c&0x80 == 0 {
			return n, b, true
		}
	}
	return 0, nil, false
}

// cutString cuts a string off (RFC 7541, 5.2).
func cutString(b []byte) (value []byte, huffman bool, rest []byte, ok bool) {
	if len(b) == 0 {
		return nil, false, nil, false
	}
	huffman = b[0]&0x80 != 0
	n, b, ok := cutInteger(b, 7)
	if !ok || n > len(b) {
		return nil, false, nil, false
	}
	return b[:n], huffman, b[n:], true
}

// appendLiteral appends a field as it is. Name and value are shorter than 127 bytes.
func appendLiteral(b []byte, name, value string) []byte {
	b = append(b, 0, byte(len(name)))
	b = append(b, name...)
	b = append(b, byte(len(value)))
	return append(b, value...)
}
