package binary

// attribute is a set of attributes of a name. Binary.md, "attribute".
type attribute uint8

const (
	attrImplements attribute = 1 << iota
	attrVersionSuffix
	attrExternalID
)

// HasImplements reports whether the name says what interface it implements, be it nothing.
func (n *ExternName) HasImplements() bool { return n.attributes&attrImplements != 0 }

// HasVersionSuffix reports whether the rest of a version stands apart from the name, be it empty.
func (n *ExternName) HasVersionSuffix() bool { return n.attributes&attrVersionSuffix != 0 }
