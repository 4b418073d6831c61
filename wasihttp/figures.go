package wasihttp

// Figures are what a [Server] counts.
type Figures struct {
	Requests  uint64 // that are over
	InFlight  uint64 // with those that wait
	Queued    uint64 // waiting for an instance
	Refused   uint64 // for want of instances or memory
	Failed    uint64 // answered in the guest's place, or cut short, for another reason
	Probes    uint64 // answered without an instance
	Instances uint64 // alive
	Limit     uint64 // of instances alive at once
}

// Figures returns how the server is doing.
func (s *Server) Figures() Figures {
	over := s.served.Load() // before those that have begun, so that there are never more
	f := Figures{
		Requests: uint64(over),
		InFlight: uint64(max(s.begun.Load()-over, 0)),
		Refused:  s.refused.Load(),
		Failed:   s.failures.Load(),
		Probes:   s.probes.Load(),
	}
	q := s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	f.Queued, f.Instances, f.Limit = uint64(len(q.waiting)+len(q.turn)), uint64(q.alive), uint64(q.limit)
	return f
}
