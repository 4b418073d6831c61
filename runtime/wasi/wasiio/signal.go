package wasiio

import "sync"

// Signal calls those that wait for a change: an implementation of [Pollable.Watch] for what changes on other goroutines. The zero Signal
// is ready to use. Watch does not know whether the change has happened already: look after it, not before.
//
//	func (s *stream) Watch(wake func()) (stop func()) {
//		stop = s.signal.Watch(wake)
//		if s.Ready() {
//			wake()
//		}
//		return stop
//	}
type Signal struct {
	mu       sync.Mutex
	watchers map[*watcher]struct{}
}

type watcher struct{ wake func() }

// Watch has wake called at each Notify, until stop is called.
func (s *Signal) Watch(wake func()) (stop func()) {
	w := &watcher{wake}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watchers == nil {
		s.watchers = map[*watcher]struct{}{}
	}
	s.watchers[w] = struct{}{}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watchers, w)
	}
}

// Notify calls all that wait. It may be called from any goroutine, and should not be while holding a lock that Ready takes.
func (s *Signal) Notify() {
	s.mu.Lock()
	var few [4]*watcher
	all := few[:0]
	for w := range s.watchers {
		all = append(all, w)
	}
	s.mu.Unlock()
	for _, w := range all {
		w.wake()
	}
}

// AlwaysReady is the [Pollable] part of what never has to be waited for.
type AlwaysReady struct{}

// Ready returns true.
func (AlwaysReady) Ready() bool { return true }

// Watch calls wake at once.
func (AlwaysReady) Watch(wake func()) (stop func()) {
	wake()
	return func() {}
}
