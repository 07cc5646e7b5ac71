package mailbox

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// maxMessages is how many files of a folder are listed.
const maxMessages = 100_000

// stamp is what a file system tells of a file. As long as it stays, so does the content:
// nobody but the kernel sets the time of the last change (ctime). The device is not in it,
// because its number may be another after a restart.
type stamp struct {
	Inode    uint64 `json:"inode"`
	Size     int64  `json:"size"`
	Modified int64  `json:"modified"` // ns since 1970
	Changed  int64  `json:"changed"`  // ns since 1970: content, name or permissions
}

// sameContent reports whether a file is the same one, with what was in it, under whatever name.
func (s stamp) sameContent(o stamp) bool {
	return s.Inode == o.Inode && s.Size == o.Size && s.Modified == o.Modified
}

func stampOf(st *unix.Stat_t) stamp {
	return stamp{Inode: uint64(st.Ino), Size: st.Size, Modified: st.Mtim.Nano(), Changed: st.Ctim.Nano()}
}

// file is one of a folder.
type file struct {
	name string
	stamp
}

// folder opens a directory of a user's mailbox.
func (s *Store) folder(user, dir string) (*os.File, error) {
	root, err := s.open(user, false)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	d, err := root.OpenFile(dir, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("mailbox: %s of %s: %w", dir, user, err)
	}
	return d, nil
}

// files are the regular files in a directory that are not under a temporary name. An error
// may come with files: those that could be read.
func files(d *os.File) (list []file, err error) {
	for len(list) < maxMessages {
		names, err := d.Readdirnames(1024) // ReadDir would look up each twice
		for _, name := range names {
			if temporary(name) {
				continue
			}
			var st unix.Stat_t
			switch err := unix.Fstatat(int(d.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW); {
			case err == nil && st.Mode&unix.S_IFMT == unix.S_IFREG:
				list = append(list, file{name, stampOf(&st)})
			case err != nil && !errors.Is(err, unix.ENOENT): // opening it will tell why
				list = append(list, file{name, stamp{}})
			}
		}
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return list, err
		}
	}
	return list, fmt.Errorf("more than %d files", maxMessages)
}

// temporaryEnds and temporaryBegins are of names that programs give to what they have not
// finished writing, or to what belongs to them and is no message.
var (
	temporaryEnds = []string{
		"~", ".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".download", ".opdownload",
		".!ut", ".!qb", ".!bt", ".bc!", ".aria2", ".swp", ".swx", ".lock", ".lck", ".in.", ".upload", ".uploading",
		".incomplete", ".unfinished", ":zone.identifier",
	}
	temporaryBegins = []string{".", "~$", "~syncthing~", "#"}
	temporaryNames  = []string{"thumbs.db", "ehthumbs.db", "desktop.ini"}
)

func temporary(name string) bool {
	name = strings.ToLower(name)
	return slices.Contains(temporaryNames, name) ||
		slices.ContainsFunc(temporaryBegins, func(s string) bool { return strings.HasPrefix(name, s) }) ||
		slices.ContainsFunc(temporaryEnds, func(s string) bool { return strings.HasSuffix(name, s) })
}

// openFile opens a file of a directory for reading if it is one: a pipe would block, a device
// would never end, a link leads elsewhere.
func openFile(d *os.File, name string) (*os.File, stamp, error) {
	var fd int
	for {
		var err error
		fd, err = unix.Openat(int(d.Fd()), name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err == nil {
			break
		}
		if !errors.Is(err, unix.EINTR) {
			return nil, stamp{}, &fs.PathError{Op: "open", Path: name, Err: err}
		}
	}
	f := os.NewFile(uintptr(fd), name)
	st, err := statOf(f)
	if err != nil {
		f.Close()
		return nil, stamp{}, err
	}
	return f, st, nil
}

// statOf is the stamp of an open file.
func statOf(f *os.File) (stamp, error) {
	info, err := f.Stat()
	if err != nil {
		return stamp{}, err
	}
	if !info.Mode().IsRegular() {
		return stamp{}, errNoFile
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return stamp{}, err
	}
	return stampOf(&st), nil
}

var errNoFile = errors.New("not a file")

// beingWritten reports whether a program has a file open for writing, as far as that can be
// known: the kernel tells it only to the owner of the file (fcntl(2), F_SETLEASE).
func beingWritten(f *os.File) bool {
	_, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	if err == nil {
		_, _ = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_UNLCK)
	}
	return errors.Is(err, unix.EAGAIN)
}

// move renames a file from one directory to another, where there must be none of that name.
func move(from *os.File, name string, to *os.File, newName string) error {
	err := unix.Renameat2(int(from.Fd()), name, int(to.Fd()), newName, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) { // a file system without that
		var st unix.Stat_t
		err = unix.Fstatat(int(to.Fd()), newName, &st, unix.AT_SYMLINK_NOFOLLOW)
		switch {
		case err == nil:
			err = unix.EEXIST
		case errors.Is(err, unix.ENOENT):
			err = unix.Renameat(int(from.Fd()), name, int(to.Fd()), newName)
		}
	}
	if err != nil {
		return &fs.PathError{Op: "rename", Path: name, Err: err}
	}
	return nil
}

// moveFree is move to the first free one of name, "name (1)" and so on, which it returns.
func moveFree(from *os.File, name string, to *os.File, newName string) (string, error) {
	ext := path.Ext(newName)
	free := newName
	for n := 1; ; n++ {
		err := move(from, name, to, free)
		if err == nil || !errors.Is(err, fs.ErrExist) || n > maxMessages {
			return free, err
		}
		free = fmt.Sprintf("%s (%d)%s", strings.TrimSuffix(newName, ext), n, ext)
	}
}
