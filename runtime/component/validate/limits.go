package validate

import "fmt"

const (
	// maxTypeSize bounds how many parts a type has when walked as a tree, each use of another type counted. The type of a whole component
	// is one. The largest of the WASI worlds has about 5,000.
	maxTypeSize = 1_000_000
	// maxTypeDepth bounds how deep types are nested.
	maxTypeDepth = 100
	// maxValueSize bounds how many bytes a value takes in a memory. Binary.md: elem_size must be less than 2**28.
	maxValueSize = 1 << 28
	// maxFixedLength bounds the elements of a list of fixed length, and with them how many values it becomes outside of memories.
	maxFixedLength = 1 << 30
	// maxWork bounds the parts of types that are looked at, for one component. The largest component at hand takes 20,000.
	maxWork = 10_000_000
	// keepWork is how much more it takes to make a part of a type anew, or to remember something about it, than to look at it: that is
	// how memory is bounded too.
	keepWork = 16
	// scopeWork is what a component takes, or the type of one or of an instance, however little is in it.
	scopeWork = 256
	// maxResources bounds the resource types of a component, those of its instances included.
	maxResources = 1 << 14
	// maxInstances bounds how many instances a component and those in it make, as far as that can be seen here: what instantiating an
	// imported component makes depends on what is given for it.
	maxInstances = 10_000
)

// shape is how large a type is as a tree.
type shape struct {
	size  int
	depth int
}

// leaf is the shape of a type without parts.
var leaf = shape{size: 1, depth: 1}

// add makes another type a part of this one.
func (s *shape) add(part shape) error {
	s.size += part.size
	s.depth = max(s.depth, part.depth+1)
	switch {
	case s.size > maxTypeSize:
		return limited{fmt.Sprintf("a type has more than %d parts, counting each use of another type: too many", maxTypeSize)}
	case s.depth > maxTypeDepth:
		return limited{fmt.Sprintf("types are nested more than %d deep", maxTypeDepth)}
	}
	return nil
}

// work counts the parts of types that are looked at.
type work struct{ left int }

func (w *work) do(n int) error {
	if w.left -= n; w.left < 0 {
		return limited{"it takes too long to find out whether the types fit: they are too large"}
	}
	return nil
}
