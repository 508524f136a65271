package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// printer writes words for people: coloured and broken to fit on a terminal, plain and unbroken elsewhere.
type printer struct {
	out   *bufio.Writer
	color bool
	width int // 0: lines are not broken
}

// The colours, by what they mean.
const (
	plain  = ""
	good   = "32"
	bad    = "31;1"
	unwell = "33"
	strong = "1"
	faint  = "2"
)

func newPrinter(w io.Writer) *printer {
	p := &printer{out: bufio.NewWriter(w)}
	f, ok := w.(*os.File)
	if !ok {
		return p
	}
	if size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err == nil {
		p.width = max(int(size.Col), 40)
		p.color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	}
	return p
}

func (p *printer) flush() error { return p.out.Flush() }

// paint colours s where there are colours.
func (p *printer) paint(color, s string) string {
	if !p.color || color == plain || s == "" {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}

// line writes one line as it is.
func (p *printer) line(format string, args ...any) { fmt.Fprintf(p.out, format+"\n", args...) }

// narrow is the least number of columns worth breaking a text into.
const narrow = 24

// hang writes lead and then text, which is broken to fit and continues below where it began, or below lead when there
// is too little room beside it.
func (p *printer) hang(lead, text string) {
	indent := visible(lead)
	if room := p.width - indent; p.width > 0 && room < narrow && visible(text) > room {
		p.line("%s", strings.TrimRight(lead, " "))
		lead, indent = strings.Repeat(" ", 8), 8
	}
	for i, part := range p.wrap(text, p.width-indent) {
		if i > 0 {
			lead = strings.Repeat(" ", indent)
		}
		p.line("%s", strings.TrimRight(lead+part, " "))
	}
}

// paragraph writes text, which is broken to fit and continues a little further in.
func (p *printer) paragraph(text string) {
	const indent = 4
	for i, part := range p.wrap(text, p.width-indent) {
		if i > 0 {
			part = strings.Repeat(" ", indent) + part
		}
		p.line("%s", part)
	}
}

// wrap breaks text between words into parts of at most width columns; a longer word stands alone.
func (p *printer) wrap(text string, width int) []string {
	if p.width == 0 || visible(text) <= width {
		return []string{text}
	}
	var parts []string
	var part string
	for _, word := range strings.Fields(text) {
		switch {
		case part == "":
			part = word
		case visible(part)+1+visible(word) <= width:
			part += " " + word
		default:
			parts, part = append(parts, part), word
		}
	}
	return append(parts, part)
}

// table writes rows in columns. The last column is broken to fit and continues below where it began.
func (p *printer) table(indent string, rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row[:len(row)-1] {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], visible(cell))
		}
	}
	for _, row := range rows {
		lead := indent
		last := len(row) - 1
		for i, cell := range row[:last] {
			lead += cell + strings.Repeat(" ", widths[i]-visible(cell)+2)
		}
		p.hang(lead, row[last])
	}
}

// visible is the number of columns that s takes on a terminal, colours aside.
func visible(s string) int {
	n := 0
	for {
		before, after, found := strings.Cut(s, "\x1b[")
		n += utf8.RuneCountInString(before)
		if !found {
			return n
		}
		_, s, _ = strings.Cut(after, "m")
	}
}
