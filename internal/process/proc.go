package process

import (
	"bytes"
	"fmt"
	"os"
	"time"
)

// tick is the unit of processor times in /proc: USER_HZ, 100 on every architecture that Go runs on.
const tick = 10 * time.Millisecond

// Stat tells a process's group, and the processor time that it has used, to a hundredth of a second (proc(5); Linux only).
func Stat(pid int) (group int, used time.Duration, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	var skip string
	var user, system int64
	fields := string(text[1+bytes.LastIndexByte(text, ')'):]) // after the name, which may hold anything
	_, err = fmt.Sscan(fields, &skip, &skip, &group, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &user, &system)
	if err != nil {
		return 0, 0, fmt.Errorf("/proc/%d/stat: %w", pid, err)
	}
	return group, time.Duration(user+system) * tick, nil
}
