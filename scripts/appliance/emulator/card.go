package emulator

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// boot is what the boot firmware hands to the kernel, and the kernel.
type boot struct {
	slot                         int
	kernel, initrd, dtb, cmdline string
}

// readCard does what the boot firmware does before Linux.
func readCard(opt Options) (boot, error) {
	var b boot
	offsets, err := partitions(opt.Card)
	if err != nil {
		return b, err
	}
	choice, err := readFAT(opt.Card, offsets[0], "autoboot.txt")
	if err != nil {
		return b, err
	}
	b.slot = slotOf(string(choice), opt.Try)
	if b.slot < 1 || b.slot > len(offsets) {
		return b, fmt.Errorf("emulator: autoboot.txt chooses partition %d", b.slot)
	}
	dir := filepath.Join(opt.Dir, "boot")
	if err := os.RemoveAll(dir); err != nil {
		return b, fmt.Errorf("emulator: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "overlays"), 0o755); err != nil {
		return b, fmt.Errorf("emulator: %w", err)
	}
	take := func(name string) (string, error) {
		data, err := readFAT(opt.Card, offsets[b.slot-1], name)
		if err != nil {
			return "", err
		}
		path := filepath.Join(dir, name)
		return path, os.WriteFile(path, data, 0o644)
	}
	config, err := readFAT(opt.Card, offsets[b.slot-1], "config.txt")
	if err != nil {
		return b, err
	}
	cmdline, err := readFAT(opt.Card, offsets[b.slot-1], "cmdline.txt")
	if err != nil {
		return b, err
	}
	b.cmdline = strings.TrimSpace(string(cmdline))
	if b.kernel, err = take("vmlinuz"); err != nil {
		return b, err
	}
	if b.initrd, err = take("initramfs.img"); err != nil {
		return b, err
	}
	if b.dtb, err = take("bcm2710-rpi-3-b.dtb"); err != nil {
		return b, err
	}
	for _, overlay := range overlays(string(config)) {
		path, err := take("overlays/" + overlay + ".dtbo")
		if err != nil {
			return b, err
		}
		if err := run("fdtoverlay", "-i", b.dtb, "-o", b.dtb, path); err != nil {
			return b, err
		}
	}
	return b, adaptTree(b.dtb)
}

// adaptTree changes of the device tree what QEMU 7.2 can't do: the downstream USB driver
// hangs where mainline's does not, and cores that spin cost more than they give.
func adaptTree(dtb string) error {
	for _, args := range [][]string{
		{"-t", "s", dtb, "/soc/usb@7e980000", "compatible", "brcm,bcm2835-usb"},
		{"-t", "s", dtb, "/soc/usb@7e980000", "dr_mode", "host"},
		{"-r", dtb, "/cpus/cpu@1"},
		{"-r", dtb, "/cpus/cpu@2"},
		{"-r", dtb, "/cpus/cpu@3"},
	} {
		if err := run("fdtput", args...); err != nil {
			return err
		}
	}
	return nil
}

// slotOf reads autoboot.txt as the boot firmware does.
func slotOf(text string, try bool) int {
	slot, section := 0, "[all]"
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = line
			continue
		}
		if section == "[all]" || try && section == "[tryboot]" {
			_, _ = fmt.Sscanf(line, "boot_partition=%d", &slot)
		}
	}
	return slot
}

// overlays are those that config.txt asks for on a Pi 3.
func overlays(config string) []string {
	var names []string
	applies := true
	for line := range strings.Lines(config) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			applies = line == "[all]" || line == "[pi3]"
		}
		if name, ok := strings.CutPrefix(line, "dtoverlay="); ok && applies {
			name, _, _ = strings.Cut(name, ",")
			names = append(names, name)
		}
	}
	return names
}

// partitions returns where the four partitions of a card start.
func partitions(card string) ([]int64, error) {
	f, err := os.Open(card)
	if err != nil {
		return nil, fmt.Errorf("emulator: %w", err)
	}
	defer f.Close()
	sector := make([]byte, 512)
	if _, err := f.ReadAt(sector, 0); err != nil || sector[510] != 0x55 {
		return nil, fmt.Errorf("emulator: %s: no partition table: %w", card, err)
	}
	var starts []int64
	for i := range 4 {
		starts = append(starts, 512*int64(binary.LittleEndian.Uint32(sector[446+16*i+8:])))
	}
	return starts, nil
}

// readFAT returns a file of the FAT file system at an offset of the card.
func readFAT(card string, offset int64, name string) ([]byte, error) {
	cmd := exec.Command("mtype", "-i", fmt.Sprintf("%s@@%d", card, offset), "::"+name)
	cmd.Env = append(os.Environ(), "MTOOLS_SKIP_CHECK=1")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("emulator: card: %s: %w", name, err)
	}
	return out, nil
}

// withPerm runs f on a copy of the data partition of a card that no machine runs from, and
// puts the copy back if f has changed it. A card whose power was cut has part of its data
// in the journal, which e2fsprogs do not read: it is replayed first, as the board's kernel
// would.
func withPerm(card string, change bool, f func(fs string) error) error {
	offsets, err := partitions(card)
	if err != nil {
		return err
	}
	fs := card + ".perm"
	defer os.Remove(fs)
	at := offsets[3] >> 20
	if err := run("dd", "if="+card, "of="+fs, "bs=1M", fmt.Sprintf("skip=%d", at), "conv=sparse", "status=none"); err != nil {
		return err
	}
	// It says 1 when it had something to do, which is not an error here.
	_ = exec.Command(tool("e2fsck"), "-p", "-E", "journal_only", fs).Run()
	if err := f(fs); err != nil || !change {
		return err
	}
	return run("dd", "if="+fs, "of="+card, "bs=1M", fmt.Sprintf("seek=%d", at), "conv=notrunc", "status=none")
}

// WritePerm puts files of this machine into the data partition. Directories on the way
// are made.
func WritePerm(card string, files map[string]string) error {
	var script strings.Builder
	for name, path := range files {
		for i, c := range name {
			if c == '/' {
				fmt.Fprintf(&script, "mkdir %s\n", name[:i])
			}
		}
		fmt.Fprintf(&script, "rm %s\nwrite %s %s\n", name, path, name)
	}
	return debugPerm(card, script.String())
}

// MakePermReadOnly gives the data partition's file system a feature that no kernel knows:
// it can be read, and not written to.
func MakePermReadOnly(card string) error { return debugPerm(card, "feature FEATURE_R30\n") }

// debugPerm runs commands of debugfs(8) on the data partition.
func debugPerm(card, script string) error {
	return withPerm(card, true, func(fs string) error {
		cmd := exec.Command(tool("debugfs"), "-w", "-f", "-", fs)
		cmd.Stdin = strings.NewReader(script)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("emulator: debugfs: %w: %.500s", err, out)
		}
		return nil
	})
}

// ReadPerm returns a file of the data partition, "" if there is none.
func ReadPerm(card, name string) (text string, err error) {
	err = withPerm(card, false, func(fs string) error {
		out, err := exec.Command(tool("debugfs"), "-R", "cat "+name, fs).Output()
		text = string(out)
		return err
	})
	return text, err
}

// CheckPerm says what is wrong with the data partition, once its journal has been replayed.
func CheckPerm(card string) error {
	return withPerm(card, false, func(fs string) error { return run("e2fsck", "-fn", fs) })
}

func tool(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	return "/usr/sbin/" + name // not in everybody's PATH
}

func run(name string, args ...string) error {
	if out, err := exec.Command(tool(name), args...).CombinedOutput(); err != nil {
		return fmt.Errorf("emulator: %s %s: %w: %.500s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// Stage puts the software of another image into the slot that is not the default, as an
// update has when it is about to be tried.
func Stage(card, image, version, dir string) error {
	offsets, err := partitions(card)
	if err != nil {
		return err
	}
	choice, err := readFAT(card, offsets[0], "autoboot.txt")
	if err != nil {
		return err
	}
	slot := slotOf(string(choice), true)
	size := (offsets[2] - offsets[1]) >> 20
	if err := run("dd", "if="+image, "of="+card, "bs=1M", "conv=notrunc", "status=none", fmt.Sprintf("count=%d", size),
		fmt.Sprintf("skip=%d", offsets[1]>>20), fmt.Sprintf("seek=%d", offsets[slot-1]>>20)); err != nil {
		return err
	}
	record := filepath.Join(dir, "update.json")
	text := fmt.Sprintf(`{"state":"trying","slot":%d,"board":"rpi-arm64","version":%q,"previous":"staged"}`, slot, version)
	if err := os.WriteFile(record, []byte(text), 0o600); err != nil {
		return fmt.Errorf("emulator: %w", err)
	}
	return WritePerm(card, map[string]string{"update.json": record})
}

// CopyCard copies an image and leaves its holes.
func CopyCard(to, from string) error {
	return run("cp", "--sparse=always", from, to)
}

// CheckSelect says what is wrong with the partition that chooses the slot.
func CheckSelect(card string) error {
	offsets, err := partitions(card)
	if err != nil {
		return err
	}
	fs := card + ".select"
	defer os.Remove(fs)
	if err := run("dd", "if="+card, "of="+fs, "bs=1M", fmt.Sprintf("skip=%d", offsets[0]>>20), fmt.Sprintf("count=%d", (offsets[1]-offsets[0])>>20), "status=none"); err != nil {
		return err
	}
	return run("fsck.vfat", "-n", fs)
}
