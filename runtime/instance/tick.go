package instance

import (
	"reflect"
	"unsafe"

	"github.com/tetratelabs/wazero/api"
)

const (
	// tickNanoseconds is how often a guest that computes yields, about.
	tickNanoseconds = 1_000_000
	// idleTicks is after how many ticks without a call under way the thread waits for one.
	idleTicks = 2
)

// words are what a ticker's thread has in common with everybody else.
type words struct {
	running int32   // calls of guests that are under way; negative: the thread is to end
	parked  uint32  // 1: the thread waits for a call
	started uint32  // 1: the thread needs Go no more
	tick    *uint32 // the global that guests look at
}

// tickWord returns where a global of a module instance of wazero is in memory, nil when that cannot be told. wazero has no name for it
// that we could use, so it is searched for: among all that compiled code can reach of the instance, it is what changes with the global.
// That it is the right one is proved by writing there.
func tickWord(m api.Module, global api.MutableGlobal) *uint32 {
	room := compiledState(m)
	var found *uint32
	const a, b, c = 0x6d617966, 0x6c79, 0x7469636b // nothing else has first the one value and then the other
	for i := range room {
		word := &room[i]
		if global.Set(a); *word != a {
			continue
		}
		if global.Set(b); *word == b && found == nil {
			found = word
		} else if *word == b {
			return nil
		}
	}
	if found == nil {
		return nil
	}
	if *found = c; global.Get() != c {
		return nil
	}
	*found = 0
	return found
}

// compiledState returns what compiled code reads and writes of an instance beside its memories, nil when wazero has changed.
func compiledState(m api.Module) []uint32 {
	v := reflect.ValueOf(m)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return nil
	}
	v = v.Elem().FieldByName("Engine")
	if v.Kind() != reflect.Interface || v.Elem().Kind() != reflect.Pointer || v.Elem().Elem().Kind() != reflect.Struct {
		return nil
	}
	v = v.Elem().Elem().FieldByName("opaque")
	if v.Kind() != reflect.Slice || v.Type().Elem().Kind() != reflect.Uint8 {
		return nil
	}
	const word = unsafe.Sizeof(uint32(0))
	if p := v.UnsafePointer(); uintptr(p)%word == 0 {
		return unsafe.Slice((*uint32)(p), v.Len()/int(word))
	}
	return nil
}
