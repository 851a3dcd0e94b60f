package statetest

import (
	"testing"
)

func unclear(t *testing.T, open func(t *testing.T) Harness) {}
func walk(t *testing.T, open func(t *testing.T) Harness)    {}
