package zones

import (
	"strings"

	"github.com/BurntSushi/toml"
)

// The TOML library tells the position of syntax errors only. A locator finds the line of every key and every element
// of an array, so that what is wrong with a value can be said with its line. It also bounds nesting and the length
// of keys before the library, which recurses and joins keys, sees the text.
const (
	maxDepth     = 16  // nested arrays and inline tables, parts of a dotted key
	maxKeyLength = 128 // bytes of one part of a key
)

// node is where one value of a TOML document was written: its shape mirrors the decoded document.
type node struct {
	line  int // from 1
	order int // nodes in the order in which they were written
	keys  map[string]*node
	elems []*node
}

// key returns where the key called name was written, or nil.
func (n *node) key(name string) *node {
	if n == nil {
		return nil
	}
	return n.keys[name]
}

// elem returns where the i-th element was written, or nil.
func (n *node) elem(i int) *node {
	if n == nil || i >= len(n.elems) {
		return nil
	}
	return n.elems[i]
}

// at is the line of n, or that of the first fallback that was written at all.
func (n *node) at(fallback ...*node) int {
	for _, m := range append([]*node{n}, fallback...) {
		if m != nil && m.line > 0 {
			return m.line
		}
	}
	return 0
}

// locator scans a document. On valid TOML it finds everything; on anything else it stops at the first surprise,
// because the library will report that.
type locator struct {
	text    string
	pos     int
	line    int
	count   int
	stopped bool
	excess  string // why the document is refused whatever it says, or ""
}

// locate returns the lines of text's keys, and, if text is too deep to be read, why; the line of that is the last
// result.
func locate(text string) (root *node, excess string, line int) {
	l := &locator{text: strings.TrimPrefix(text, "\ufeff"), line: 1}
	root = &node{}
	current := root
	for l.skipBlank(true); l.pos < len(l.text) && !l.stopped; l.skipBlank(true) {
		if l.take('[') {
			current = l.header(root)
		} else {
			l.pair(current, 0)
		}
	}
	return root, l.excess, l.line
}

// header reads a table's or an array of tables' header after its first bracket and returns the table it opens.
func (l *locator) header(root *node) *node {
	line, array := l.line, l.take('[')
	parts := l.key()
	l.expect(']')
	if array {
		l.expect(']')
	}
	if l.stopped {
		return root
	}
	table := root
	for _, part := range parts[:len(parts)-1] {
		table = l.descend(table, part, line)
	}
	last := l.child(table, parts[len(parts)-1], line)
	if array {
		last.elems = append(last.elems, l.node(line))
		return last.elems[len(last.elems)-1]
	}
	last.line = line
	return last
}

// pair reads "key = value" into table.
func (l *locator) pair(table *node, depth int) {
	line, parts := l.line, l.key()
	l.expect('=')
	if l.stopped {
		return
	}
	for _, part := range parts[:len(parts)-1] {
		table = l.descend(table, part, line)
	}
	l.skipBlank(false)
	l.value(l.child(table, parts[len(parts)-1], line), depth)
}

// child returns table's entry called name, made if need be.
func (l *locator) child(table *node, name string, line int) *node {
	if table.keys == nil {
		table.keys = map[string]*node{}
	}
	if table.keys[name] == nil {
		table.keys[name] = l.node(line)
	}
	return table.keys[name]
}

// descend is child, and for an array of tables its last table.
func (l *locator) descend(table *node, name string, line int) *node {
	n := l.child(table, name, line)
	if len(n.elems) > 0 {
		return n.elems[len(n.elems)-1]
	}
	return n
}

func (l *locator) node(line int) *node {
	l.count++
	return &node{line: line, order: l.count}
}

// value reads one value, whose place n already knows.
func (l *locator) value(n *node, depth int) {
	if depth > maxDepth {
		l.refuse("arrays and tables are nested too deeply")
	}
	switch {
	case l.stopped || l.pos >= len(l.text):
		l.stopped = true
	case l.take('['):
		l.array(n, depth)
	case l.take('{'):
		l.inlineTable(n, depth)
	case l.text[l.pos] == '"' || l.text[l.pos] == '\'':
		l.skipString()
	default:
		end := strings.IndexAny(l.text[l.pos:], ",]}#\n")
		if end < 0 {
			end = len(l.text) - l.pos
		}
		l.pos += end
	}
}

func (l *locator) array(n *node, depth int) {
	for l.skipBlank(true); !l.stopped && !l.take(']'); l.skipBlank(true) {
		n.elems = append(n.elems, l.node(l.line))
		l.value(n.elems[len(n.elems)-1], depth+1)
		l.skipBlank(true)
		if !l.take(',') {
			l.expect(']')
			return
		}
	}
}

func (l *locator) inlineTable(n *node, depth int) {
	for l.skipBlank(true); !l.stopped && !l.take('}'); l.skipBlank(true) {
		l.pair(n, depth+1)
		l.skipBlank(true)
		if !l.take(',') {
			l.expect('}')
			return
		}
	}
}

// key reads a possibly dotted key; it returns at least one part unless it stops.
func (l *locator) key() (parts []string) {
	for !l.stopped {
		l.skipBlank(false)
		part := l.keyPart()
		if len(part) > maxKeyLength {
			l.refuse("a key is too long")
		}
		if parts = append(parts, part); len(parts) > maxDepth {
			l.refuse("a key has too many parts")
		}
		l.skipBlank(false)
		if !l.take('.') {
			break
		}
	}
	return parts
}

func (l *locator) keyPart() string {
	start := l.pos
	if start < len(l.text) && (l.text[start] == '"' || l.text[start] == '\'') {
		l.skipOneLine()
		return unquote(l.text[start:l.pos])
	}
	for l.pos < len(l.text) && isBare(l.text[l.pos]) {
		l.pos++
	}
	return l.text[start:l.pos]
}

func isBare(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// unquote returns what a quoted key stands for.
func unquote(quoted string) string {
	if len(quoted) < 2 {
		return ""
	}
	if quoted[0] == '\'' || !strings.Contains(quoted, `\`) {
		return quoted[1 : len(quoted)-1]
	}
	var doc struct{ K string }
	if _, err := toml.Decode("K = "+quoted, &doc); err != nil {
		return "" // the library will refuse the document for the same reason
	}
	return doc.K
}

// skipString skips a string of any of the four kinds.
func (l *locator) skipString() {
	quote := l.text[l.pos : l.pos+1]
	triple := strings.Repeat(quote, 3)
	if !strings.HasPrefix(l.text[l.pos:], triple) {
		l.skipOneLine()
		return
	}
	l.pos += 3
	for l.pos < len(l.text) {
		switch c := l.text[l.pos]; {
		case c == '\\' && quote == `"` && l.pos+1 < len(l.text) && l.text[l.pos+1] != '\n':
			l.pos += 2
		case strings.HasPrefix(l.text[l.pos:], triple):
			// Up to two more quotes belong to the string.
			for l.pos += 3; l.pos < len(l.text) && l.text[l.pos] == quote[0]; l.pos++ {
			}
			return
		default:
			if c == '\n' {
				l.line++
			}
			l.pos++
		}
	}
	l.stopped = true
}

// skipOneLine skips a string that ends on its line.
func (l *locator) skipOneLine() {
	quote := l.text[l.pos]
	for l.pos++; l.pos < len(l.text) && l.text[l.pos] != '\n'; l.pos++ {
		switch {
		case l.text[l.pos] == quote:
			l.pos++
			return
		case l.text[l.pos] == '\\' && quote == '"':
			l.pos++
		}
	}
	l.pos, l.stopped = min(l.pos, len(l.text)), true
}

// skipBlank skips spaces, and, where lines says so, line ends and comments.
func (l *locator) skipBlank(lines bool) {
	for ; l.pos < len(l.text); l.pos++ {
		switch c := l.text[l.pos]; {
		case c == ' ' || c == '\t' || c == '\r':
		case c == '\n' && lines:
			l.line++
		case c == '#' && lines:
			end := strings.IndexByte(l.text[l.pos:], '\n')
			if end < 0 {
				end = len(l.text) - l.pos
			}
			l.pos += end - 1
		default:
			return
		}
	}
}

// take skips c if it comes next.
func (l *locator) take(c byte) bool {
	if l.pos < len(l.text) && l.text[l.pos] == c {
		l.pos++
		return true
	}
	return false
}

func (l *locator) expect(c byte) {
	l.skipBlank(false)
	if !l.stopped && !l.take(c) {
		l.stopped = true
	}
}

func (l *locator) refuse(why string) {
	if !l.stopped {
		l.stopped, l.excess = true, why
	}
}
