package main

import (
	"bufio"
	"strings"
	"testing"
)

// onTerminal prints as on a terminal of that width; 0: as into a file.
func onTerminal(width int, print func(*printer)) string {
	var b strings.Builder
	p := &printer{out: bufio.NewWriter(&b), width: width, color: width > 0}
	print(p)
	_ = p.flush()
	return b.String()
}

func TestTable(t *testing.T) {
	rows := [][]string{{"a", "first", "one two three four five six seven"}, {"bbb", "2", "short"}}
	for width, want := range map[int]string{
		0: `
  a    first  one two three four five six seven
  bbb  2      short
`,
		40: `
  a    first  one two three four five
              six seven
  bbb  2      short
`,
		30: `
  a    first
        one two three four
        five six seven
  bbb  2      short
`,
	} {
		got := onTerminal(width, func(p *printer) { p.table("  ", rows) })
		if got != want[1:] {
			t.Errorf("in %d columns:\n%s", width, got)
		}
	}
}

func TestParagraph(t *testing.T) {
	text := "zones/chat.toml:3: zone.ttl: unknown key"
	if got := onTerminal(30, func(p *printer) { p.paragraph(text) }); got != "zones/chat.toml:3: zone.ttl:\n    unknown key\n" && got != "zones/chat.toml:3:\n    zone.ttl: unknown key\n" {
		t.Errorf("%q", got)
	}
	long := strings.Repeat("x", 60)
	if got := onTerminal(40, func(p *printer) { p.paragraph("a " + long + " b") }); got != "a\n    "+long+"\n    b\n" {
		t.Errorf("a word wider than the terminal: %q", got)
	}
}

func TestColoursAreForTerminals(t *testing.T) {
	print := func(p *printer) { p.table("", [][]string{{p.paint(bad, "down"), "x"}, {"up", "y"}}) }
	if got := onTerminal(0, print); got != "down  x\nup    y\n" {
		t.Errorf("%q", got)
	}
	if got := onTerminal(80, print); got != "\x1b[31;1mdown\x1b[0m  x\nup    y\n" {
		t.Errorf("%q", got)
	}
	var b strings.Builder
	if p := newPrinter(&b); p.color || p.width != 0 {
		t.Error("a file is taken for a terminal")
	}
}

func TestVisible(t *testing.T) {
	for s, want := range map[string]int{"": 0, "→ up": 4, "\x1b[1mname\x1b[0m x": 6, "\x1b[": 0} {
		if got := visible(s); got != want {
			t.Errorf("%q: %d", s, got)
		}
	}
}
