package signin

// HoldHashing takes every slot for computing hashes until release is called.
func (s *Service) HoldHashing() (release func()) {
	for range cap(s.hasher.slots) {
		s.hasher.slots <- struct{}{}
	}
	return func() {
		for range cap(s.hasher.slots) {
			<-s.hasher.slots
		}
	}
}

// Waiting returns how many wait for a slot.
func (s *Service) Waiting() int64 { return s.hasher.waiting.Load() }

// Queue returns how many may wait.
func (s *Service) Queue() int { return queue * cap(s.hasher.slots) }

// CheckHash reports whether a stored hash is one this product makes.
func CheckHash(phc string) error {
	_, _, _, err := decode(phc)
	return err
}
