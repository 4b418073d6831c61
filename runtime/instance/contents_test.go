package instance

import "testing"

func TestWhatAGroupsMemoriesBeginWith(t *testing.T) {
	const (
		envBase = 64
		inImage = true
		applied = false
	)
	var (
		env   = Part{Wasm: wasm(t, "env")}
		base  = func(part int) Target { return Target{Part: part, Export: "__memory_base"} }
		lives = func(memory, base int, export string) Part {
			return Part{Wasm: wasm(t, "lodger"), Imports: []Target{{Part: memory, Export: "memory"}, {Part: base, Export: export}}}
		}
	)
	for _, c := range []struct {
		name   string
		parts  []Part
		memory int // a part that exports it
		at     int
		want   string
		how    bool
	}{
		{"a part's own data", []Part{{Wasm: wasm(t, "shim")}, {Wasm: wasm(t, "main"), Imports: []Target{{Part: 0, Export: "0"}}}}, 1, 16, "mayfly",
			inImage},
		{"data at a place that an earlier part says", []Part{env, {Wasm: wasm(t, "extended"), Imports: []Target{base(0)}}}, 1, 72, "here", inImage},
		{"data in another's memory", []Part{env, {Wasm: wasm(t, "hungry")}, lives(1, 0, "__memory_base")}, 1, envBase + 36, "loDGer", inImage},
		{"at a place that is passed on and computed from", []Part{env, {Wasm: wasm(t, "hungry")}, lives(1, 0, "__memory_base"), lives(2, 2, "next"),
			lives(3, 3, "__memory_base"), lives(4, 4, "next")}, 5, envBase + 44, "loDGer", inImage},
		{"not what comes after a start function", []Part{env, {Wasm: wasm(t, "early")}, lives(1, 0, "__memory_base")}, 1, envBase + 36, "loDGer", applied},
		{"what comes before it", []Part{env, {Wasm: wasm(t, "early")}}, 1, 0, "early", inImage},
		{"a memory that is made after a start function", []Part{env, {Wasm: wasm(t, "early")}, {Wasm: wasm(t, "hungry")},
			lives(2, 0, "__memory_base")}, 2, envBase + 36, "loDGer", inImage},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := group(t, Limits{}, GroupSpec{Parts: c.parts})
			m, err := i.group.Memory(c.memory, "memory")
			if err != nil {
				t.Fatal(err)
			}
			if got := string(i.Bytes(m)[c.at : c.at+len(c.want)]); got != c.want {
				t.Errorf("it begins with %q", got)
			}
			content := i.group.stock.images.all[i.group.parts[c.memory].memory].content
			if got := len(content) > c.at && string(content[c.at:c.at+len(c.want)]) == c.want; got != c.how {
				t.Errorf("in the image: %v", got)
			}
		})
	}
}

func TestAModulesDataIsInItsImage(t *testing.T) {
	m := load(t, newTestRuntime(t, Limits{}), "hello")
	if len(m.stock.images.all[0].content) == 0 {
		t.Error("its image is empty")
	}
	if m := load(t, newTestRuntime(t, Limits{}), "no-memory"); m.stock != nil {
		t.Error("a module without a memory has images")
	}
}
