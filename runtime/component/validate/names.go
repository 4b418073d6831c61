package validate

import (
	"fmt"
	"strings"
)

// name is the name of an import or export, taken apart. Explainer.md, "externname".
type name struct {
	annotation annotation
	label      string // what follows the annotation; before the dot, the resource
	member     string // behind the dot
	iface      bool   // it is the name of an interface
	version    string // of an interface, behind the @
	versioned  bool
}

// annotation says what a function has to do with a resource type.
type annotation string

const (
	noAnnotation annotation = ""
	constructor  annotation = "[constructor]"
	method       annotation = "[method]"
	static       annotation = "[static]"
)

// parseName takes a name apart.
func parseName(s string) (n name, err error) {
	if strings.Contains(s, ":") {
		return parseInterface(s)
	}
	for _, a := range [...]annotation{constructor, method, static} {
		if rest, ok := strings.CutPrefix(s, string(a)); ok {
			n.annotation, s = a, rest
			break
		}
	}
	n.label = s
	if n.annotation == method || n.annotation == static {
		var ok bool
		if n.label, n.member, ok = strings.Cut(s, "."); !ok {
			return n, fmt.Errorf("%q has no dot after the name of the resource", s)
		}
		if !isLabel(n.member) {
			return n, fmt.Errorf("%q is not in kebab case", n.member)
		}
	}
	if !isLabel(n.label) {
		return n, fmt.Errorf("%q is not in kebab case", n.label)
	}
	return n, nil
}

// parseInterface takes the name of an interface apart: namespace:package/interface@version. Explainer.md, "interfacename".
func parseInterface(s string) (name, error) {
	n := name{iface: true}
	path, version, versioned := strings.Cut(s, "@")
	n.version, n.versioned = version, versioned
	namespace, rest, _ := strings.Cut(path, ":")
	pkg, iface, ok := strings.Cut(rest, "/")
	for _, words := range [...]string{namespace, pkg} {
		if !isLabel(words) || words != strings.ToLower(words) {
			return n, fmt.Errorf("%q is not in kebab case, or not in lower case", words)
		}
	}
	if !ok {
		return n, fmt.Errorf("there is no interface after the package %q", path)
	}
	if !isLabel(iface) {
		return n, fmt.Errorf("%q is not in kebab case", iface)
	}
	n.label = iface
	return n, nil
}

// isLabel reports whether a string is in kebab case: words in one case each, of which the first begins with a letter. Explainer.md, "label".
func isLabel(s string) bool {
	for i, word := range strings.Split(s, "-") {
		var lower, upper bool
		for _, c := range []byte(word) {
			switch {
			case 'a' <= c && c <= 'z':
				lower = true
			case 'A' <= c && c <= 'Z':
				upper = true
			case c < '0' || c > '9':
				return false
			}
		}
		if word == "" || lower && upper || i == 0 && '0' <= word[0] && word[0] <= '9' {
			return false
		}
	}
	return true
}

// unique is the form in which no two names of a scope may be the same. Explainer.md, "Name Uniqueness".
func (n name) unique(s string) string {
	path, version, versioned := strings.Cut(s, "@")
	path = strings.ToLower(path)
	switch {
	case versioned:
		return path + "@" + version
	case n.annotation == constructor:
		return path
	case n.annotation == noAnnotation:
		return path
	}
	label, member := strings.ToLower(n.label), strings.ToLower(n.member)
	if label == member {
		return label
	}
	return label + "." + member
}

// checkVersion checks the version of an interface, of which the end may stand apart. Explainer.md, "Canonical Interface Name".
func (n name) checkVersion(suffix string, apart bool) error {
	switch {
	case !n.versioned && apart:
		return fmt.Errorf("the rest of a version is given, but the name has no version")
	case !n.versioned:
		return nil
	case !apart:
		if !isSemver(n.version) && !isCanonical(n.version) {
			return fmt.Errorf("%q is not a semantic version", n.version)
		}
	case !isCanonical(n.version):
		return fmt.Errorf("%q, of which the rest is given apart, is not a canonical version", n.version)
	case !isSemver(n.version + suffix):
		return fmt.Errorf("%q with %q is not a semantic version", n.version, suffix)
	}
	return nil
}

// isSemver reports whether a string is a version of Semantic Versioning 2.0.
func isSemver(s string) bool {
	s, build, ok := strings.Cut(s, "+")
	if ok && !areIdentifiers(build, false) {
		return false
	}
	s, pre, ok := strings.Cut(s, "-")
	if ok && !areIdentifiers(pre, true) {
		return false
	}
	numbers := strings.Split(s, ".")
	for _, n := range numbers {
		if !isNumber(n) {
			return false
		}
	}
	return len(numbers) == 3
}

func areIdentifiers(s string, canonicalNumbers bool) bool {
	for _, part := range strings.Split(s, ".") {
		digits := true
		for _, c := range []byte(part) {
			isDigit := '0' <= c && c <= '9'
			digits = digits && isDigit
			if !isDigit && c != '-' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
				return false
			}
		}
		if part == "" || canonicalNumbers && digits && !isNumber(part) {
			return false
		}
	}
	return true
}

// isNumber reports whether a string is a decimal number of 64 bits without superfluous zeroes.
func isNumber(s string) bool {
	if s == "" || len(s) > 1 && s[0] == '0' || len(s) > 19 {
		return false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// isCanonical reports whether a version is that of a whole track: "1", "0.2" or "0.0.3". Explainer.md, "canonversion".
func isCanonical(s string) bool {
	numbers := strings.Split(s, ".")
	for i, n := range numbers {
		last := i == len(numbers)-1
		if !isNumber(n) || !last && n != "0" || last && n == "0" && i < 2 {
			return false
		}
	}
	return len(numbers) <= 3
}
