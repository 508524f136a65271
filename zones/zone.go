package zones

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// version is one state of a zone's files, read and checked by itself, without its neighbours.
type version struct {
	zone     *Zone
	sum      [32]byte // over the sources
	sources  []source
	edited   time.Time      // the latest modification time of the sources
	problems Problems       // with errors, zone is nil
	draft    *Zone          // what could be read in spite of errors, for what is said of other files; Name may be ""
	needs    []need         // what it needs outside the zones folder
	hints    []hint         // to be checked with other zones
	lines    map[string]int // where "zone", "pool NAME" and "follow NAME" were written
}

// builder reads one zone's files.
type builder struct {
	report
	settings
	folder *folder
	file   string // the TOML file inside the folder
	zone   *Zone
	text   zoneText
	pools  []poolAt
	needs  []need
	hints  []hint
	lines  map[string]int
	whole  bool // the file could be read as TOML
}

// settings is what reading a zone needs to know of its surroundings.
type settings struct {
	base  string // the zones folder, absolute: relative paths of things outside DNS start here
	label string // the zones folder as problems name it
	limit int    // records a zone may have
}

// readVersion reads one zone. The version is never nil; its zone is nil when there are errors.
func readVersion(d *folder, set settings, file string) *version {
	b := &builder{settings: set, folder: d, file: file, zone: &Zone{File: file}, lines: map[string]int{}}
	b.read()
	v := &version{sources: d.sources, sum: sumOf(d.sources), edited: d.edited, needs: b.needs, hints: b.hints, lines: b.lines}
	if b.whole {
		v.draft = b.zone
	}
	if v.problems = b.list(b.shown(file)); !b.failed() {
		b.zone.Hash = hashZone(b.zone, set.base)
		for _, p := range b.zone.Pools {
			p.Hash = hashPool(p, set.base)
		}
		v.zone = b.zone
	}
	return v
}

// shown is a file's name as operators know it.
func (b *builder) shown(file string) string { return path.Join(b.label, file) }

// read fills b.zone.
func (b *builder) read() {
	data, err := b.folder.readAll(b.file, maxTOML)
	if err != nil {
		b.add(Problem{File: b.shown(b.file), Message: plainError(err), Hint: readHint(err)})
		return
	}
	raw, at := decode(&b.report, b.shown(b.file), data)
	if raw == nil {
		return
	}
	b.whole = true
	top := newSection(&b.report, b.shown(b.file), "", zoneFileKeys(), raw, at, "")
	if top.sound("zone") {
		zone := top.sub("zone")
		if b.readName(zone); b.zone.Name != "" {
			b.lines["zone"] = zone.place("name")
			b.readPools(top)
			b.readRecords(zone)
			b.finish(zone)
			return
		}
	}
	// Of a zone without a name the pools are checked in any zone; records are not, since most of them give its name.
	b.zone.Name = "."
	b.readPools(top)
	(&semantics{builder: b}).checkAnswers()
	b.zone.Name = ""
}

// readHint says what to do about a file that cannot be read, if the error does not say it.
func readHint(err error) string {
	switch {
	case strings.Contains(err.Error(), "escapes"):
		return "links may not lead out of the zones folder"
	case errors.Is(err, fs.ErrPermission):
		return "the user that livens runs as must be able to read it"
	}
	return ""
}

func (b *builder) readName(s *section) {
	written := get[string](s, "name")
	if written == "" {
		return
	}
	name, err := absolute(dns.Fqdn(written), ".")
	if err != nil || strings.ContainsAny(written, "@*") {
		s.errorf("name", `for example name = "chat.example.com"`, "%q is no domain name", clip(written))
		return
	}
	b.zone.Name = name
}

// readRecords reads the zone's static records from wherever they are given.
func (b *builder) readRecords(s *section) {
	file := b.file
	b.text = zoneText{zone: b.zone.Name, name: string(packName(b.zone.Name)), ttl: uint32(get[int64](s, "ttl")), max: b.limit, complain: b.complain, foreign: b.warnForeign}
	for _, name := range []string{"records", "ns", "zonefile"} {
		if s.has(name) && !s.sound(name) {
			b.text.failures++
		}
	}
	for i, text := range get[[]string](s, "records") {
		b.text.readOne(text, position{&file, int32(s.elementLine("records", i))})
	}
	if s.sound("zonefile") {
		b.readZonefile(s)
	}
	for i, name := range get[[]string](s, "ns") {
		b.addNS(s, i, name, position{&file, int32(s.elementLine("ns", i))})
	}
	b.addSOA(s, position{&file, int32(s.at.at())})
}

// complain reports what is wrong with a record.
func (b *builder) complain(at position, err error) {
	b.add(Problem{File: b.shown(*at.file), Line: int(at.line), Message: err.Error()})
}

// warnForeign warns of a name that was written with octets beyond ASCII.
func (b *builder) warnForeign(at position, name string) {
	b.problemAt(true, at, internationalHint, "%s holds octets beyond ASCII, which nobody will ask for", clip(name))
}

func (b *builder) readZonefile(s *section) {
	name := get[string](s, "zonefile")
	if path.IsAbs(name) {
		s.errorf("zonefile", "give it relative to this file", "%q must be inside the zones folder", clip(name))
		return
	}
	if strings.HasSuffix(name, ".toml") {
		s.errorf("zonefile", "name it db.NAME or NAME.zone", "%q would be read as a zone's TOML file", clip(name))
		return
	}
	if err := b.text.readFile(b.folder, path.Join(path.Dir(b.file), name)); err != nil {
		s.errorf("zonefile", "", "%s: %s", clip(name), plainError(err))
		b.text.failures++
	}
}

// addNS adds one of [zone] ns.
func (b *builder) addNS(s *section, i int, written string, at position) {
	name, err := absolute(written, b.zone.Name)
	if err != nil {
		s.elementf("ns", i, "", "%q %v", clip(written), err)
		b.text.failures++
		return
	}
	b.text.keep(&dns.NS{Hdr: b.header(dns.TypeNS), Ns: name}, at)
}

func (b *builder) header(t uint16) dns.RR_Header {
	return dns.RR_Header{Name: b.zone.Name, Rrtype: t, Class: dns.ClassINET, Ttl: b.text.ttl}
}

// soaKeys are the keys that make an SOA.
func soaKeys() []string {
	return []string{"contact", "primary", "serial", "refresh", "retry", "expire", "negative_ttl"}
}

// addSOA makes the SOA from [zone] unless one was read.
func (b *builder) addSOA(s *section, at position) {
	for _, r := range b.text.records {
		if r.packed.Type() != dns.TypeSOA {
			continue
		}
		b.zone.FixedSerial = true
		for _, name := range soaKeys() {
			if s.has(name) {
				s.errorf(name, "remove one of them", "%s line %d has an SOA record already", b.shown(*r.at.file), r.at.line)
			}
		}
		return
	}
	soa := &dns.SOA{Hdr: b.header(dns.TypeSOA), Ns: b.primary(s), Mbox: b.contact(s),
		Serial: uint32(get[int64](s, "serial")), Refresh: uint32(get[int64](s, "refresh")), Retry: uint32(get[int64](s, "retry")),
		Expire: uint32(get[int64](s, "expire")), Minttl: uint32(get[int64](s, "negative_ttl"))}
	b.zone.FixedSerial = s.sound("serial")
	if soa.Ns != "" && soa.Mbox != "" {
		b.text.keep(soa, at)
		return
	}
	b.text.failures++ // reported
}

// primary is the SOA's MNAME: as given, or the first nameserver in the order they were written.
func (b *builder) primary(s *section) string {
	if written := get[string](s, "primary"); written != "" {
		name, err := absolute(written, b.zone.Name)
		if err != nil {
			s.errorf("primary", "", "%q %v", clip(written), err)
		}
		return name
	}
	for _, r := range b.text.records {
		if r.packed.Type() == dns.TypeNS && r.key == "" && get[[]string](s, "ns") == nil {
			return r.packed.RR().(*dns.NS).Ns
		}
	}
	for _, written := range get[[]string](s, "ns") {
		if name, err := absolute(written, b.zone.Name); err == nil {
			return name
		}
	}
	if b.text.failures == 0 {
		s.errorf("ns", `for example ns = ["ns1", "ns2.example.net."]`, "the zone has no nameservers")
	}
	return ""
}

// contact is the SOA's RNAME: a mail address whose local part becomes the first label (RFC 1035 section 8).
func (b *builder) contact(s *section) string {
	written := get[string](s, "contact")
	if written == "" {
		if !s.has("contact") && b.text.failures == 0 {
			s.errorf("contact", `for example contact = "hostmaster@example.com"`, "is required: the zone has no SOA record")
		}
		return ""
	}
	local, domain, isMail := strings.Cut(written, "@")
	name := dns.Fqdn(written)
	if isMail {
		name = strings.NewReplacer(`\`, `\\`, ".", `\.`).Replace(local) + "." + dns.Fqdn(domain)
	}
	out, err := spelled(name)
	if err != nil || isMail && (local == "" || domain == "") {
		s.errorf("contact", `for example contact = "hostmaster@example.com"`, "%q is no mail address", clip(written))
		return ""
	}
	return out
}

// finish orders the records and checks them with the pools. After wrong records, what one of them might have cured is
// not said.
func (b *builder) finish(s *section) {
	sortRecords(b.text.records)
	b.text.records = uniq(b.text.records)
	(&semantics{builder: b, section: s, records: b.text.records, partial: b.text.failures > 0}).check()
	b.zone.Records = make([]Packed, len(b.text.records))
	for i, r := range b.text.records {
		b.zone.Records[i] = r.packed
	}
	b.text = zoneText{}
}

// problemAt reports something at a place in a zone's files.
func (b *builder) problemAt(warning bool, at position, hint, format string, args ...any) {
	b.add(Problem{Warning: warning, File: b.shown(*at.file), Line: int(at.line), Message: fmt.Sprintf(format, args...), Hint: hint})
}
