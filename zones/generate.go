package zones

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// generator yields the lines of one $GENERATE directive, as BIND defines it: in the template every $ stands for the
// counter, ${offset,width,base} for a changed one, \$ or $$ for a dollar.
type generator struct {
	parts      []generatePart
	next, stop int64
	step       int64
}

// generatePart is literal text, and after it, if base is set, the counter.
type generatePart struct {
	literal string
	offset  int64
	width   int
	base    byte // d, o, x, X, n or N; 0: none
}

// count is how many lines g yields in all.
func (g *generator) count() int64 { return (g.stop-g.next)/g.step + 1 }

// newGenerator reads what follows $GENERATE: "start-stop[/step] template".
func newGenerator(text string) (*generator, error) {
	text = strings.TrimSpace(text)
	blank := strings.IndexAny(text+" ", " \t")
	span, template := text[:blank], text[blank:]
	g := &generator{step: 1}
	bounds, step, stepped := strings.Cut(span, "/")
	start, stop, ranged := strings.Cut(bounds, "-")
	var err error
	if g.next, err = parseCounter(start); err != nil || !ranged {
		return nil, fmt.Errorf("%q is no range, want start-stop or start-stop/step", clip(span))
	}
	if g.stop, err = parseCounter(stop); err != nil || g.stop < g.next {
		return nil, fmt.Errorf("%q is no range, want start-stop or start-stop/step", clip(span))
	}
	if stepped {
		if g.step, err = parseCounter(step); err != nil || g.step == 0 {
			return nil, fmt.Errorf("%q is no step", clip(step))
		}
	}
	template = strings.TrimSpace(template)
	if template == "" || template[0] == '$' && len(template) > 1 && template[1] == '$' {
		return nil, errors.New("wants a range, an owner, a type and data")
	}
	if len(template) > 4096 {
		return nil, errors.New("the template is longer than 4096 bytes")
	}
	g.parts, err = parseTemplate(template)
	return g, err
}

func parseCounter(s string) (int64, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	return int64(n), err
}

func parseTemplate(s string) (parts []generatePart, err error) {
	var literal strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			if s[i+1] != '$' {
				literal.WriteByte('\\')
			}
			i++
			literal.WriteByte(s[i])
		case s[i] == '$' && i+1 < len(s) && s[i+1] == '$':
			literal.WriteByte('$')
			i++
		case s[i] == '$':
			part := generatePart{literal: literal.String(), base: 'd'}
			literal.Reset()
			if i+1 < len(s) && s[i+1] == '{' {
				end := strings.IndexByte(s[i:], '}')
				if end < 0 {
					return nil, errors.New("wants a } after ${")
				}
				if err := part.modify(s[i+2 : i+end]); err != nil {
					return nil, err
				}
				i += end
			}
			parts = append(parts, part)
		default:
			literal.WriteByte(s[i])
		}
	}
	return append(parts, generatePart{literal: literal.String()}), nil
}

// modify reads "offset[,width[,base]]".
func (p *generatePart) modify(s string) (err error) {
	fields := strings.Split(s, ",")
	if p.offset, err = strconv.ParseInt(fields[0], 10, 32); err != nil || len(fields) > 3 {
		return fmt.Errorf("${%s} is no ${offset,width,base}", clip(s))
	}
	if len(fields) > 1 {
		if p.width, err = strconv.Atoi(fields[1]); err != nil || p.width < 0 || p.width > 255 {
			return fmt.Errorf("${%s}: the width must be 0–255", clip(s))
		}
	}
	if len(fields) > 2 {
		if len(fields[2]) != 1 || !strings.Contains("doxXnN", fields[2]) {
			return fmt.Errorf("${%s}: the base must be d, o, x, X, n or N", clip(s))
		}
		p.base = fields[2][0]
	}
	return nil
}

// line returns the next line, ended by a line feed, or false at the end.
func (g *generator) line() ([]byte, bool, error) {
	if g.next > g.stop {
		return nil, false, nil
	}
	var out []byte
	for _, p := range g.parts {
		out = append(out, p.literal...)
		if p.base == 0 {
			continue
		}
		n := g.next + p.offset
		if n < 0 {
			return nil, false, fmt.Errorf("%d with offset %d is below 0", g.next, p.offset)
		}
		out = p.append(out, n)
	}
	g.next += g.step
	return append(out, '\n'), true, nil
}

// append writes the counter in p's base and width.
func (p generatePart) append(out []byte, n int64) []byte {
	switch p.base {
	case 'o':
		return fmt.Appendf(out, "%0*o", p.width, n)
	case 'x':
		return fmt.Appendf(out, "%0*x", p.width, n)
	case 'X':
		return fmt.Appendf(out, "%0*X", p.width, n)
	case 'n', 'N':
		return p.appendNibbles(out, n)
	}
	return fmt.Appendf(out, "%0*d", p.width, n)
}

// appendNibbles writes hexadecimal digits as labels, the lowest first, as names below ip6.arpa have them. The width
// counts the dots; as in BIND, an even one ends with a dot.
func (p generatePart) appendNibbles(out []byte, n int64) []byte {
	digits := "0123456789abcdef"
	if p.base == 'N' {
		digits = "0123456789ABCDEF"
	}
	for width := p.width; ; {
		out = append(out, digits[n&15])
		n >>= 4
		width--
		if width <= 0 && n == 0 {
			return out
		}
		out = append(out, '.')
		if width--; width <= 0 && n == 0 {
			return out
		}
	}
}
