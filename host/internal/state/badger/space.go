package badger

import (
	"errors"
	"fmt"

	"github.com/dinrail/dinrail/host"
	"github.com/dinrail/dinrail/host/internal/state"
)

// errSpace is the cause of refusals for want of space.
var errSpace = errors.New("the disk is nearly full")

// space watches how much of the disk is free, so that writing stops while
// there is still room to go on without harm: Badger maps its files, and a
// process that touches a page which the disk has no room for is ended by a
// signal.
type space struct {
	dir    string
	low    int64
	free   int64
	unseen int64 // bytes written since free was looked at
	known  bool
}

// lookEvery is how many bytes are written between two looks.
const lookEvery = 4 << 20

// Room returns how many bytes of the disk are free, and below how many pages and
// runs are refused.
func (e *Engine) Room() (free, low int64, err error) {
	if free, err = freeBytes(e.dir); err != nil {
		return 0, 0, fmt.Errorf("look for free space: %w", err)
	}
	return free, e.low, nil
}

func (s *space) wrote(n int) { s.unseen += int64(n) }

// enough refuses a step for which the disk has no room: one that brings
// records earlier than others, and never one that makes room.
func (s *space) enough(step *state.Step) error {
	if step.Sweep != nil {
		return nil
	}
	if !s.known || s.unseen >= lookEvery || s.free < s.low {
		free, err := freeBytes(s.dir)
		if err != nil {
			return fmt.Errorf("look for free space: %w", err)
		}
		s.free, s.unseen, s.known = free, 0, true
	}
	need := s.low / 4
	if step.Page != nil || step.Begin != nil {
		need = s.low
	}
	if s.free >= need {
		return nil
	}
	return &host.Error{
		Code:    host.CodeStorage,
		Message: fmt.Sprintf("the disk of the data folder is nearly full (%d MB free): free some space there; syncs go on by themselves then", s.free>>20),
		Path:    "host.data_dir", Err: errSpace,
	}
}
