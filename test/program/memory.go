package program

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
)

var highWater = regexp.MustCompile(`(?m)^VmHWM:\s*(\d+) kB$`)

// PeakMemory is the most memory that the process has ever had resident, in bytes. It never shrinks, so that what was held
// for a moment counts as well. It needs /proc.
func (p *Process) PeakMemory() (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("the system does not tell the peak memory of a process: %w", err)
	}
	found := highWater.FindSubmatch(status)
	if found == nil {
		return 0, fmt.Errorf("the system does not tell the peak memory of a process")
	}
	kib, err := strconv.Atoi(string(found[1]))
	return kib << 10, err
}
