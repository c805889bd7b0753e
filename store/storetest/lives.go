package storetest

import "testing"

func lives(t *testing.T, open Open) {}
