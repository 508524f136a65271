package zones

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

// A stream turns a zone file and all that it includes and generates into one flat run of entries for the record
// parser. livens handles the directives itself, because the parser's own $GENERATE forgets the zone's TTL and reads
// includes outside the folder, and because every record needs its file and line.
type stream struct {
	folder   *folder
	origin   string
	frames   []*frame // what is being read, the outermost first
	out      []byte   // handed to the parser next
	includes int      // opened so far
	made     int64    // records that $GENERATE may still make
	flat     int      // lines handed out since the parser began
	entry    position // of the entry handed out last
	entryAt  int      // its first line, as the parser counts
	before   position // of the entry before it
	last     []byte   // the line handed out last
	ttl      []byte   // the $TTL in force, as a line; nil: none
	seconds  uint32   // the $TTL in force
	given    *uint32  // without $TTL: the TTL given last, while the parser has not been told
	depth    int      // parentheses open at the end of what was handed out
	err      error    // why the stream ended early
	complain func(position, error)
	setTTL   func(uint32)                       // tells the parser of given
	take     func(*stream, *frame, []byte) bool // takes a line that needs no parser
}

// position is a place in a zone's files.
type position struct {
	file *string // shared by all positions in it
	line int32
}

// frame is one file or one $GENERATE being read.
type frame struct {
	position
	file      *sourceFile // nil: a generator
	lines     *bufio.Reader
	generator *generator
	origin    string
	owner     []byte // the last owner written, to be restored where the parser does not know it: after an include
	restore   bool

	wire         []byte // packedOrigin in wire form
	packedOrigin string
}

const (
	maxIncludes     = 1000    // files included by one zone, counting repetitions
	maxIncludeDepth = 16      // files that include each other
	maxLine         = 1 << 20 // bytes of one line
)

// push begins to read a file inside the folder.
func (s *stream) push(name, origin string) error {
	for _, f := range s.frames {
		if *f.position.file == name {
			return fmt.Errorf("%s includes itself", name)
		}
	}
	if s.includes++; s.includes > maxIncludes || len(s.frames) >= maxIncludeDepth {
		return fmt.Errorf("too many files are included: at most %d, %d deep", maxIncludes, maxIncludeDepth)
	}
	file, err := s.folder.open(name)
	if err != nil {
		return err
	}
	s.frames = append(s.frames, &frame{position: position{file: &name}, file: file, lines: file.Reader, origin: origin})
	return nil
}

// pop ends the innermost frame; the one around it goes on with its own origin and owner (RFC 1035 section 5.1).
func (s *stream) pop() error {
	last := s.frames[len(s.frames)-1]
	s.frames = s.frames[:len(s.frames)-1]
	var err error
	if last.file != nil {
		err = last.file.close()
	}
	if len(s.frames) == 0 {
		// With a line after it the parser sees that a last record has no data; at the very end it would allow that.
		s.handOut([]byte("\n"))
		return err
	}
	outer := s.frames[len(s.frames)-1]
	outer.restore = true
	if len(outer.owner) == 0 && len(last.owner) > 0 { // as the parser has it
		if owner, err := complete(string(last.owner), last.origin); err == nil {
			outer.owner = []byte(owner)
		}
	}
	if outer.origin != last.origin {
		s.handOut([]byte("$ORIGIN " + outer.origin + "\n"))
	}
	return err
}

// close ends reading early.
func (s *stream) close() {
	for len(s.frames) > 0 {
		_ = s.pop() // closing what was only read
	}
}

// Read is never called: the parser asks for single bytes.
func (s *stream) Read([]byte) (int, error) { return 0, errors.ErrUnsupported }

// ReadByte returns the next byte of the flat run.
func (s *stream) ReadByte() (byte, error) {
	for len(s.out) == 0 {
		if s.ended() {
			return 0, io.EOF
		}
		if err := s.fill(); err != nil {
			s.fail(err)
		}
	}
	c := s.out[0]
	s.out = s.out[1:]
	return c, nil
}

// ended says that there is nothing more to read.
func (s *stream) ended() bool { return len(s.out) == 0 && (s.err != nil || len(s.frames) == 0) }

// innermost is the origin of what is being read.
func (s *stream) innermost() string {
	if len(s.frames) == 0 {
		return s.origin
	}
	return s.frames[len(s.frames)-1].origin
}

// fail ends the stream early.
func (s *stream) fail(err error) {
	s.err = err
	s.complain(s.here(), err)
}

// here is the place reading has come to.
func (s *stream) here() position {
	if len(s.frames) == 0 {
		return s.entry
	}
	return s.frames[len(s.frames)-1].position
}

// handOut gives whole lines to the parser.
func (s *stream) handOut(lines []byte) {
	s.out, s.last = lines, lines
	s.flat += bytes.Count(lines, []byte("\n"))
}

// fill reads one line and hands it out, or obeys it.
func (s *stream) fill() error {
	f := s.frames[len(s.frames)-1]
	line, err := f.read()
	if err == io.EOF {
		if s.depth > 0 {
			return errors.New("the file ends inside parentheses")
		}
		return s.pop()
	}
	if err != nil && f.generator != nil {
		s.complain(f.position, fmt.Errorf("$GENERATE: %w", err))
		return s.pop()
	}
	if err != nil {
		return err
	}
	if s.depth > 0 {
		return s.track(line)
	}
	if s.take(s, f, line) {
		return nil
	}
	if s.given != nil {
		s.setTTL(*s.given)
		s.given = nil
	}
	s.before, s.entry, s.entryAt = s.entry, f.position, s.flat+1
	switch {
	case line[0] == '$' && f.generator != nil:
		line = append([]byte{'\\'}, line...) // an owner: no directive is generated
	case line[0] == '$':
		if err := s.directive(f, line); err != nil {
			s.complain(f.position, err)
		}
		return nil
	case line[0] == ' ' || line[0] == '\t':
		if f.restore && len(f.owner) > 0 && !isBlankLine(line) {
			line = s.owned(line)
			f.restore = false
		}
	case line[0] != ';' && line[0] != '\n' && line[0] != '\r':
		f.owner = append(f.owner[:0], line[:tokenEnd(line)]...)
		f.restore = false
	}
	return s.track(line)
}

// read returns the next line, ended by a line feed, and counts it.
func (f *frame) read() ([]byte, error) {
	if f.generator != nil {
		line, more, err := f.generator.line()
		if err == nil && !more {
			err = io.EOF
		}
		return line, err
	}
	line, err := f.lines.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		line, err = f.readLong(bytes.Clone(line))
	}
	if err == io.EOF && len(line) > 0 {
		line, err = append(bytes.Clone(line), '\n'), nil
	}
	if err == nil {
		f.line++
	}
	return line, err
}

// readLong goes on with a line that is longer than the buffer.
func (f *frame) readLong(line []byte) ([]byte, error) {
	for {
		more, err := f.lines.ReadSlice('\n')
		if line = append(line, more...); len(line) > maxLine {
			return nil, fmt.Errorf("a line is longer than %d KiB", maxLine>>10)
		}
		if err != bufio.ErrBufferFull {
			return line, err
		}
	}
}

// track notes which parentheses a line leaves open, and hands it out. A quoted string ends on its line.
func (s *stream) track(line []byte) error {
	if s.depth == 0 && bytes.IndexByte(line, '(') < 0 && bytes.IndexByte(line, '"') < 0 {
		s.handOut(line)
		return nil
	}
	quote, before := false, s.depth
scan:
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\':
			i++
		case c == '"':
			quote = !quote
		case quote:
		case c == ';':
			break scan
		case c == '(':
			s.depth++
		case c == ')':
			s.depth = max(s.depth-1, 0)
		}
	}
	if !quote {
		s.handOut(line)
		return nil
	}
	if s.depth = 0; before > 0 {
		return errQuote
	}
	s.complain(s.entry, errQuote)
	return nil
}

var errQuote = errors.New("a quoted string does not end on its line")

// resume prepares for a new parser after one that failed at a line, as it counted: $TTL and the owner stay in force.
// The parser looks one token ahead: if it failed at the entry before the last, that last one is handed out again;
// otherwise what is left of the failed entry is dropped. The failed line's place is returned.
func (s *stream) resume(line int) position {
	at := s.entry
	var again []byte
	if line > 0 && line < s.entryAt {
		at = s.before
		again = s.owned(s.last)
	} else {
		at.line += int32(max(line-s.entryAt, 0))
		s.skipEntry()
		if len(s.frames) > 0 {
			s.frames[len(s.frames)-1].restore = true
		}
	}
	s.out = slices.Concat(s.ttl, again)
	s.flat, s.entryAt = bytes.Count(s.out, []byte("\n")), 1+bytes.Count(s.ttl, []byte("\n"))
	return at
}

// owned is a line with the owner that it goes on with, if it gives none of its own.
func (s *stream) owned(line []byte) []byte {
	if len(line) == 0 || line[0] != ' ' && line[0] != '\t' || isBlankLine(line) || len(s.frames) == 0 {
		return line
	}
	return slices.Concat(s.frames[len(s.frames)-1].owner, line)
}

// skipEntry drops what is left of the entry handed out last.
func (s *stream) skipEntry() {
	for s.out = nil; s.depth > 0 && len(s.frames) > 0 && s.err == nil; {
		if err := s.fill(); err != nil {
			s.fail(err)
		}
		s.out = nil
	}
}

func isBlankLine(line []byte) bool {
	trimmed := bytes.TrimSpace(line)
	return len(trimmed) == 0 || trimmed[0] == ';'
}

// tokenEnd is where the first token of a line ends.
func tokenEnd(line []byte) int {
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case ' ', '\t', '\n', '\r', ';', '(', ')', '"':
			return i
		}
	}
	return len(line)
}
