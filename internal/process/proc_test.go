package process

import (
	"os"
	"syscall"
	"testing"
	"time"
)

func TestStat(t *testing.T) {
	var before syscall.Rusage
	used := func(r syscall.Rusage) time.Duration { return time.Duration(r.Utime.Nano() + r.Stime.Nano()) }
	for syscall.Getrusage(syscall.RUSAGE_SELF, &before) == nil && used(before) < 200*time.Millisecond {
	}
	group, cpu, err := Stat(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	var after syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	if group != syscall.Getpgrp() || cpu < used(before)-2*tick || cpu > used(after)+2*tick {
		t.Errorf("group %d, %v used; they are %d, %v to %v", group, cpu, syscall.Getpgrp(), used(before), used(after))
	}
	if _, _, err := Stat(-1); err == nil {
		t.Error("no process, no error")
	}
}
