package zones

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"slices"
	"syscall"
	"time"
)

// source is one file as it was read: what a version of a zone was made from.
type source struct {
	name string // inside the folder
	sum  [sha256.Size]byte
}

// folder reads files inside one folder and never outside it. It remembers what it has read.
type folder struct {
	root    *os.Root
	budget  int64 // bytes that may still be read
	sources []source
	edited  time.Time // the latest modification time among sources
}

// errTooMuch says that a zone's files are larger than maxZoneBytes together.
var errTooMuch = fmt.Errorf("a zone's files may hold %d MiB together", maxZoneBytes>>20)

// maxZoneBytes bounds what one zone reads from its files, counting a file as often as it is included.
const maxZoneBytes = 2 << 30

// openRegular opens a regular file inside root. It does not wait for the other end of a pipe.
func openRegular(root *os.Root, name string) (*os.File, fs.FileInfo, error) {
	return regular(root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0))
}

// readRegular reads a regular file of at most limit bytes, in the same way.
func readRegular(file string, limit int64) ([]byte, error) {
	f, _, err := regular(os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0))
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("is larger than %d KiB", limit>>10)
	}
	return data, errors.Join(err, f.Close())
}

// errNotRegular says that something is a folder, a pipe or the like.
var errNotRegular = errors.New("is no regular file")

// regular passes on what was opened if it is a regular file.
func regular(f *os.File, err error) (*os.File, fs.FileInfo, error) {
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, info, nil
}

// sourceFile is an open source.
type sourceFile struct {
	*bufio.Reader
	folder *folder
	name   string
	file   *os.File
	hash   hash.Hash
}

// open opens a file to be read to its end.
func (d *folder) open(name string) (*sourceFile, error) {
	f, info, err := openRegular(d.root, name)
	if err != nil {
		return nil, err
	}
	if info.ModTime().After(d.edited) {
		d.edited = info.ModTime()
	}
	s := &sourceFile{folder: d, name: name, file: f, hash: sha256.New()}
	s.Reader = bufio.NewReaderSize(readerFunc(s.read), bufferFor(info))
	return s, nil
}

// bufferFor is the buffer size that suits a file: most are small, and there may be many.
func bufferFor(info fs.FileInfo) int { return int(min(max(info.Size()+1, 512), 64<<10)) }

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func (s *sourceFile) read(p []byte) (int, error) {
	n, err := s.file.Read(p)
	s.hash.Write(p[:n])
	if s.folder.budget -= int64(n); s.folder.budget < 0 {
		return 0, errTooMuch
	}
	return n, err
}

// close ends reading and notes what was read.
func (s *sourceFile) close() error {
	src := source{name: s.name, sum: [sha256.Size]byte(s.hash.Sum(nil))}
	if !slices.Contains(s.folder.sources, src) {
		s.folder.sources = append(s.folder.sources, src)
	}
	return s.file.Close()
}

// readAll reads a whole file of at most limit bytes; one byte more is returned of a larger one.
func (d *folder) readAll(name string, limit int64) ([]byte, error) {
	s, err := d.open(name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(s, limit+1))
	return data, errors.Join(err, s.close())
}

// unchanged says whether files inside root are still what sources says.
func unchanged(root *os.Root, sources []source) bool {
	for _, src := range sources {
		if sum, err := copyHashed(io.Discard, root, src.name); err != nil || sum != src.sum {
			return false
		}
	}
	return len(sources) > 0
}

// copyHashed copies a file inside root to w and returns the hash of what it copied.
func copyHashed(w io.Writer, root *os.Root, name string) (sum [sha256.Size]byte, err error) {
	f, info, err := openRegular(root, name)
	if err != nil {
		return sum, err
	}
	h := sha256.New()
	_, err = io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(h, w)}, struct{ io.Reader }{f}, make([]byte, bufferFor(info)))
	return [sha256.Size]byte(h.Sum(nil)), errors.Join(err, f.Close())
}

// plainError is an error's cause without the path that the message names anyway.
func plainError(err error) string {
	var pathError *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	case errors.As(err, &pathError):
		return pathError.Err.Error()
	}
	return err.Error()
}
