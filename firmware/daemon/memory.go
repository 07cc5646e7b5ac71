package daemon

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
)

// limitMemory bounds the heap by what the machine and the service manager leave to it: rather
// than be killed for its garbage, the daemon collects it more often. GOMEMLIMIT overrides it.
func limitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit("/"))
	}
}

// memoryLimit is three quarters of the memory that the process may use: half of the machine's,
// or what its control group has if that is less. The rest is for what is not heap, and for the
// relays' guard. root is where /proc and /sys are.
func memoryLimit(root string) int64 {
	limit := int64(math.MaxInt64)
	if total := memTotal(filepath.Join(root, "proc/meminfo")); total > 0 {
		limit = total / 2
	}
	group, _ := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	for line := range strings.Lines(string(group)) {
		path, unified := strings.CutPrefix(strings.TrimSpace(line), "0::") // cgroups(7), version 2
		for unified && path != "/" && path != "." && path != "" {
			b, _ := os.ReadFile(filepath.Join(root, "sys/fs/cgroup", path, "memory.max"))
			if n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64); err == nil { // else "max"
				limit = min(limit, n)
			}
			path = filepath.Dir(path)
		}
	}
	if limit == math.MaxInt64 {
		return limit
	}
	return limit / 4 * 3
}

// memTotal reads the size of the machine's memory (proc_meminfo(5)); 0 where it can't.
func memTotal(path string) (bytes int64) {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if _, err := fmt.Sscanf(lines.Text(), "MemTotal: %d kB", &bytes); err == nil {
			return bytes << 10
		}
	}
	return 0
}
