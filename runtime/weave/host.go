package weave

// HostModule is what the engine is to call the module with the function of the host that the module of [Host] passes on.
const HostModule = "mayfly:host"

// Host returns the module that woven modules import as [YieldModule]. An engine lets modules have globals, and functions of the host
// not: so it has the tick, and the function from [HostModule].
func Host() []byte {
	w := &writer{}
	w.raw(preamble)
	w.section(sectionType, func(w *writer) { w.raw([]byte{1, typeFunc, 0, 0}) })
	w.section(sectionImport, func(w *writer) {
		w.u32(1)
		w.name(HostModule)
		w.name(YieldName)
		w.raw([]byte{byte(Function), 0})
	})
	w.section(sectionGlobal, func(w *writer) { w.raw([]byte{1, typeI32, 1, opI32Const, 0, opEnd}) })
	w.section(sectionExport, func(w *writer) {
		w.u32(2)
		w.name(YieldName)
		w.raw([]byte{byte(Function), 0})
		w.name(TickName)
		w.raw([]byte{byte(Global), 0})
	})
	return w.b
}
