package zones

import (
	"fmt"
	"math"
	"net/netip"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/livens/livens/internal/suggest"
)

// convert checks one decoded value against its key and returns it as the type that get is asked for: string, int64,
// bool, time.Duration, netip.AddrPort, []netip.AddrPort, []netip.Addr, []string (of peers too), []StatusRange, map[string]string,
// map[string]any or []map[string]any.
func (s *section) convert(k *key, value any) (any, bool) {
	switch k.form {
	case text:
		return s.text(k, value)
	case number:
		return s.number(k, value)
	case boolean:
		return expectType[bool](s, k, value)
	case duration:
		return s.duration(k, value)
	case listen:
		return s.listen(k, value)
	case listens:
		if one, ok := value.(string); ok {
			value = []any{one} // the list of one is mostly what is meant
		}
		return convertList(s, k, value, parseListen)
	case addresses:
		return convertList(s, k, value, parseAddress)
	case peers:
		return convertList(s, k, value, parsePeer)
	case texts:
		return convertList(s, k, value, k.oneOf)
	case statuses:
		return convertList(s, k, value, parseStatus)
	case headers:
		return s.headers(k, value)
	case table, named:
		return expectType[map[string]any](s, k, value)
	}
	return s.tables(k, value)
}

// expectType reports a value of another type than T.
func expectType[T any](s *section, k *key, value any) (any, bool) {
	if _, ok := value.(T); ok {
		return value, true
	}
	s.wrongType(k, value)
	return nil, false
}

func (s *section) wrongType(k *key, value any) {
	article := "a "
	switch {
	case k.form == named:
		article = ""
	case strings.ContainsAny(string(k.form[0]), "aio"):
		article = "an "
	}
	hint := ""
	switch {
	case k.form == table:
		hint = fmt.Sprintf("write [%s]", s.join(k.name))
	case k.form == named:
		hint = fmt.Sprintf("write [%s.NAME]", s.join(k.name))
	case k.form == many || k.form == oneOrMore:
		hint = fmt.Sprintf("write [[%s]]", s.join(k.name))
	case k.example != "":
		hint = fmt.Sprintf("for example %s = %s", k.name, k.example)
	}
	s.errorf(k.name, hint, "wants %s%s, got %s", article, k.form, typeName(value))
}

// typeName says what a decoded value is, in TOML's words.
func typeName(value any) string {
	switch v := value.(type) {
	case string:
		return "a string"
	case int64:
		return "the integer " + strconv.FormatInt(v, 10)
	case float64:
		return "the float " + strconv.FormatFloat(v, 'g', -1, 64)
	case bool:
		return fmt.Sprintf("the boolean %t", v)
	case time.Time:
		return "a date"
	case map[string]any:
		return "a table"
	case []map[string]any:
		return "an array of tables"
	}
	return "a list"
}

func (s *section) text(k *key, value any) (any, bool) {
	v, ok := value.(string)
	switch {
	case !ok:
		s.wrongType(k, value)
		return nil, false
	case len(k.words) > 0 && !slices.Contains(k.words, v):
		s.errorf(k.name, k.nearest(v), "unknown value %q", clip(v))
		return nil, false
	case v == "" && k.min > 0:
		hint := "leave the key out for the default"
		switch {
		case k.required:
			hint = fmt.Sprintf("for example %s = %s", k.name, k.example)
		case k.def == nil && k.defText == "":
			hint = "give a value, or leave the key out"
		}
		s.errorf(k.name, hint, "is empty")
		return nil, false
	case !k.allows(int64(len(v))):
		s.errorf(k.name, "", "is %d bytes long, want %d–%d", len(v), k.min, k.max)
		return nil, false
	}
	return v, true
}

// clip shortens what an operator wrote for a one-line message.
func clip(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:77], "") + "…"
	}
	return s
}

func (s *section) number(k *key, value any) (any, bool) {
	v, ok := value.(int64)
	if !ok {
		s.wrongType(k, value)
		return nil, false
	}
	if !k.allows(v) {
		s.errorf(k.name, "", "%d is out of range, want %s", v, k.bounds())
		return nil, false
	}
	return v, true
}

func (s *section) duration(k *key, value any) (any, bool) {
	v, ok := value.(string)
	if !ok {
		hint := fmt.Sprintf("for example %s = %s", k.name, k.example)
		if n, isInt := value.(int64); isInt && n > 0 && n < math.MaxInt32 {
			hint = fmt.Sprintf("if you mean seconds: %s = \"%ds\"", k.name, n)
		}
		s.errorf(k.name, hint, "wants a duration, got %s", typeName(value))
		return nil, false
	}
	d, err := time.ParseDuration(v)
	if err != nil {
		s.errorf(k.name, "a number and a unit: 200ms, 1.5s, 1m30s, 2h", "%q is no duration", clip(v))
		return nil, false
	}
	if !k.allows(int64(d)) {
		s.errorf(k.name, "", "%s is out of range, want %s", v, k.bounds())
		return nil, false
	}
	return d, true
}

// bounds says what a key allows, as "1–100" or "100ms–1h"; "" where there is nothing to say.
func (k *key) bounds() string {
	switch {
	case !k.bounded():
		return ""
	case k.form == duration:
		return shortDuration(time.Duration(k.min)) + "–" + shortDuration(time.Duration(k.max))
	}
	return fmt.Sprintf("%d–%d", k.min, k.max)
}

// shortDuration writes a duration as an operator would: "1h" rather than "1h0m0s".
func shortDuration(d time.Duration) string {
	out := d.String()
	if strings.HasSuffix(out, "m0s") {
		out = strings.TrimSuffix(out, "0s")
	}
	if strings.HasSuffix(out, "h0m") {
		out = strings.TrimSuffix(out, "0m")
	}
	return out
}

func (s *section) listen(k *key, value any) (any, bool) {
	if value == "off" && slices.Contains(k.words, "off") {
		return netip.AddrPort{}, true
	}
	addr, hint, err := parseListen(value)
	if err != nil {
		s.errorf(k.name, hint, "%v", err)
		return nil, false
	}
	return addr, true
}

// convertList converts every element of a list and reports each that is wrong. A list with a wrong element is not
// used at all.
func convertList[T any](s *section, k *key, value any, one func(any) (v T, hint string, err error)) (any, bool) {
	list, ok := value.([]any)
	if !ok {
		s.wrongType(k, value)
		return nil, false
	}
	if len(list) == 0 && k.min > 0 {
		s.errorf(k.name, fmt.Sprintf("for example %s = %s", k.name, k.example), "is empty")
		return nil, false
	}
	if k.max > 0 && len(list) > int(k.max) {
		s.errorf(k.name, "", "has %d elements, want at most %d", len(list), k.max)
		return nil, false
	}
	out, right := make([]T, 0, len(list)), true
	for i, element := range list {
		v, hint, err := one(element)
		if err != nil {
			s.elementf(k.name, i, hint, "%v", err)
			right = false
		}
		out = append(out, v)
	}
	return out, right
}

func asString(value any) (string, string, error) {
	if v, ok := value.(string); ok {
		return v, "", nil
	}
	return "", "put it in quotes", fmt.Errorf("wants a string, got %s", typeName(value))
}

// oneOf is a string of a list, one of k's words where there are any.
func (k *key) oneOf(value any) (string, string, error) {
	v, hint, err := asString(value)
	if err == nil && len(k.words) > 0 && !slices.Contains(k.words, v) {
		return v, k.nearest(v), fmt.Errorf("unknown value %q", clip(v))
	}
	return v, hint, err
}

// nearest is a hint at the word of k that may have been meant.
func (k *key) nearest(written string) string {
	if hint := suggest.Nearest(written, k.words); hint != "" {
		return hint
	}
	return "one of " + strings.Join(k.words, ", ")
}

func parseListen(value any) (netip.AddrPort, string, error) {
	const hint = `an address and a port, for example "127.0.0.1:5300" or "[::1]:5300"`
	v, ok := value.(string)
	if !ok {
		return netip.AddrPort{}, hint, fmt.Errorf("wants a string, got %s", typeName(value))
	}
	addr, err := netip.ParseAddrPort(v)
	switch {
	case err == nil: // port 0 too: the kernel chooses one, and status tells which
		return netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()), "", nil
	case strings.HasPrefix(v, ":"):
		return netip.AddrPort{}, fmt.Sprintf(`write "0.0.0.0%s" and "[::]%s"`, clip(v), clip(v)), fmt.Errorf("%q names no address", clip(v))
	}
	if _, err := netip.ParseAddr(v); err == nil {
		return netip.AddrPort{}, hint, fmt.Errorf("%q has no port", clip(v))
	}
	return netip.AddrPort{}, hint, fmt.Errorf("%q is no address and port", clip(v))
}

func parseAddress(value any) (netip.Addr, string, error) {
	const hint = `an IPv4 or IPv6 address, for example "203.0.113.10" or "2001:db8::10"`
	v, ok := value.(string)
	if !ok {
		return netip.Addr{}, hint, fmt.Errorf("wants a string, got %s", typeName(value))
	}
	addr, err := netip.ParseAddr(v)
	if err != nil {
		if _, err := netip.ParseAddrPort(v); err == nil {
			return netip.Addr{}, "the port belongs to the check", fmt.Errorf("%q has a port", clip(v))
		}
		return netip.Addr{}, hint, fmt.Errorf("%q is no address", clip(v))
	}
	if addr = addr.Unmap(); addr.Zone() != "" {
		return netip.Addr{}, "DNS cannot carry an interface name", fmt.Errorf("%q has a zone", clip(v))
	}
	if addr.IsUnspecified() || addr.IsMulticast() || addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return netip.Addr{}, hint, fmt.Errorf("%s is not the address of one host", addr)
	}
	return addr, "", nil
}

func parseStatus(value any) (StatusRange, string, error) {
	const hint = `a code such as 204, or a range such as "200-299"`
	var from, to int
	switch v := value.(type) {
	case int64:
		if v < 100 || v > 599 {
			return StatusRange{}, hint, fmt.Errorf("%d is no HTTP status, want 100–599", v)
		}
		from, to = int(v), int(v)
	case string:
		low, high, isRange := strings.Cut(v, "-")
		if !isRange {
			high = low
		}
		var errLow, errHigh error
		from, errLow = strconv.Atoi(strings.TrimSpace(low))
		to, errHigh = strconv.Atoi(strings.TrimSpace(high))
		if errLow != nil || errHigh != nil || from < 100 || to > 599 || from > to {
			return StatusRange{}, hint, fmt.Errorf("%q is no range of HTTP statuses", clip(v))
		}
	default:
		return StatusRange{}, hint, fmt.Errorf("wants a status, got %s", typeName(value))
	}
	return StatusRange{from, to}, "", nil
}

func (s *section) headers(k *key, value any) (any, bool) {
	raw, ok := value.(map[string]any)
	if !ok {
		s.wrongType(k, value)
		return nil, false
	}
	out, right := map[string]string{}, true
	for name, v := range raw {
		content, isString := v.(string)
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		why := ""
		switch {
		case !isString:
			why = "wants a string, got " + typeName(v)
		case !isToken(name):
			why = "is no header name"
		case !isHeaderValue(content):
			why = "holds characters that no header may"
		case canonical == "Host":
			why = "is given by the key host"
		}
		if _, twice := out[canonical]; twice && why == "" {
			why = "is given twice"
		}
		if why != "" {
			at := s.at.key(k.name)
			s.problem(Problem{Line: at.key(name).at(at, s.at), Key: s.join(k.name) + "." + clip(name), Message: why})
			right = false
			continue
		}
		out[canonical] = content
	}
	return out, right
}

// isToken says whether s is a token of RFC 9110: a header's name, a method.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"(),/:;<=>?@[\\]{}", r)
	})
}

// isHeaderValue says whether s can be sent as a header's value: no control characters.
func isHeaderValue(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// tables takes both [x] and [[x]]; the second is wanted where k says so.
func (s *section) tables(k *key, value any) (any, bool) {
	switch v := value.(type) {
	case map[string]any:
		if k.form == oneOrMore {
			return v, true
		}
	case []map[string]any:
		return v, len(v) > 0
	case []any: // inline: check = [{type = "tcp"}, …]
		out := make([]map[string]any, 0, len(v))
		for i, element := range v {
			inner, ok := element.(map[string]any)
			if !ok {
				s.elementf(k.name, i, "", "wants a table, got %s", typeName(element))
				return nil, false
			}
			out = append(out, inner)
		}
		if len(out) == 0 {
			s.errorf(k.name, fmt.Sprintf("write [[%s]]", s.join(k.name)), "is empty")
			return nil, false
		}
		return out, true
	}
	s.wrongType(k, value)
	return nil, false
}
