package abi

// CoreFunc is a core function.
type CoreFunc interface {
	// Call takes the parameters from the stack and leaves the results there, from its start. The stack has room for the larger of the two.
	Call(stack []uint64) error
}

// FuncInst is a function of a component, or of the host. Canonical ABI, "Tasks".
type FuncInst interface {
	// Invoke calls the function: it takes its arguments by c.Start and gives its result by c.Resolve, once each and in this order, before it
	// returns. c must not be used afterwards.
	//
	// An error ends the instance that called: the host's way to tell the guest of a failure is a result.
	Invoke(c Caller) error
}

// Caller is who calls a component function: the specification's on_start and on_resolve.
type Caller interface {
	// Instance is the component instance that calls; nil: the host.
	Instance() *ComponentInstance
	// Start gives the arguments. The slice, but not what its values hold, is used again when the call has ended.
	Start() ([]Value, error)
	// Resolve takes the result: the zero Value if the function has none.
	Resolve(result Value) error
}

// Task is a call into a component instance. Canonical ABI, Task.
type Task struct {
	LiftLowerContext
	numBorrows uint32 // borrow handles that the callee has to drop before it returns
	stack      [MaxFlatParams + 1]uint64
	next       *Task // of those that are not in use
}

func (i *ComponentInstance) newTask(opts Options, core Core) *Task {
	t := i.tasks
	if t == nil {
		t = new(Task)
	} else {
		i.tasks = t.next
	}
	t.init(opts, core, i)
	t.task = t
	return t
}

func (t *Task) free() {
	i := t.inst
	t.LiftLowerContext.reset()
	t.next, i.tasks = i.tasks, t
}

// return_ ends the call as far as borrow handles are concerned.
func (t *Task) return_() error {
	if t.numBorrows > 0 {
		return trap("borrow handles still remain at the end of the call: %d", t.numBorrows)
	}
	return nil
}

// subtaskState is how far a call out of a component instance is. The specification has two more, of calls that were cancelled.
type subtaskState uint8

const (
	starting subtaskState = iota
	started
	returned
)

// Subtask is a call out of a component instance, as its caller sees it. Canonical ABI, Subtask.
type Subtask struct {
	LiftLowerContext
	ft      *FuncType
	stack   []uint64 // the core function's parameters and results
	state   subtaskState
	lenders []uint32             // the handles that are lent to the callee, by index: an entry stays where it is while it is lent
	args    [MaxFlatParams]Value // what Start returns, if it fits
	next    *Subtask             // of those that are not in use
}

var _ Caller = (*Subtask)(nil)

func (i *ComponentInstance) newSubtask(ft *FuncType, opts Options, core Core, stack []uint64) *Subtask {
	s := i.subtasks
	if s == nil {
		s = new(Subtask)
	} else {
		i.subtasks = s.next
	}
	s.init(opts, core, i)
	s.subtask = s
	s.ft, s.stack, s.state = ft, stack, starting
	return s
}

func (s *Subtask) free() {
	i := s.inst
	s.LiftLowerContext.reset()
	clear(s.args[:min(len(s.ft.params.fields), len(s.args))])
	s.ft, s.stack, s.lenders = nil, nil, emptied(s.lenders)
	s.next, i.subtasks = i.subtasks, s
}

// Instance is the instance that calls.
func (s *Subtask) Instance() *ComponentInstance { return s.inst }

// Start lifts the arguments.
func (s *Subtask) Start() ([]Value, error) {
	if s.state != starting || s.inst == nil {
		return nil, hostError("the arguments of a call were taken twice, or after its end")
	}
	s.state = started
	n := len(s.ft.params.fields)
	args := s.args[:min(n, len(s.args))]
	if n > len(s.args) {
		args = make([]Value, n)
	}
	if err := s.liftParams(s.ft, s.stack, args); err != nil {
		return nil, err
	}
	return args, nil
}

// lowered is called when the arguments are in the callee's memory. They are not kept until it returns: it may hand as much on to another
// component, and that to the next.
func (s *Subtask) lowered() {
	clear(s.args[:min(len(s.ft.params.fields), len(s.args))])
	s.arena = nil
	s.giveRoom()
}

// Resolve lowers the result.
func (s *Subtask) Resolve(result Value) error {
	if s.state != started || s.inst == nil {
		return hostError("the result of a call was given twice, or before its arguments were taken")
	}
	s.state = returned
	return s.lowerResult(s.ft, s.stack, result)
}

func (s *Subtask) addLender(i uint32, h *ResourceHandle) {
	h.numLends++
	s.lenders = append(s.lenders, i)
}

// deliverResolve gives back what was lent for the call.
func (s *Subtask) deliverResolve() {
	for _, i := range s.lenders {
		s.inst.handles.array[i].numLends--
	}
}
