package daemon

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

func TestMemoryLimit(t *testing.T) {
	const mib = 1 << 20
	tests := []struct {
		name  string
		files map[string]string
		want  int64
	}{
		{"of a board of 512 MB is 192 MB", map[string]string{
			"proc/meminfo": "MemTotal:         524288 kB\nMemFree: 1 kB\n",
		}, 192 * mib},
		{"of a service follows its MemoryMax", map[string]string{
			"proc/meminfo": "MemTotal:        8388608 kB\n", "proc/self/cgroup": "0::/system.slice/hookswitch.service\n",
			"sys/fs/cgroup/system.slice/hookswitch.service/memory.max": "134217728\n",
		}, 96 * mib},
		{"follows that of a group above it", map[string]string{
			"proc/meminfo": "MemTotal:        8388608 kB\n", "proc/self/cgroup": "0::/system.slice/hookswitch.service\n",
			"sys/fs/cgroup/system.slice/hookswitch.service/memory.max": "max\n",
			"sys/fs/cgroup/system.slice/memory.max":                    "268435456\n",
		}, 192 * mib},
		{"is the machine's where the group has none", map[string]string{
			"proc/meminfo": "MemTotal:        1048576 kB\n", "proc/self/cgroup": "12:memory:/x\n0::/\n",
		}, 384 * mib},
		{"is the machine's where the group has more", map[string]string{
			"proc/meminfo": "MemTotal:        1048576 kB\n", "proc/self/cgroup": "0::/a\n",
			"sys/fs/cgroup/a/memory.max": "99999999999999\n",
		}, 384 * mib},
		{"is none where nothing can be read", nil, math.MaxInt64},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := t.TempDir()
			for name, text := range tt.files {
				path := filepath.Join(root, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got := memoryLimit(root); got != tt.want {
				t.Errorf("got %d MiB, want %d", got/mib, tt.want/mib)
			}
		})
	}
}
