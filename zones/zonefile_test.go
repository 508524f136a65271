package zones

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// records of the only zone, without SOA and the NS of zoneHead.
func (files folderOf) records(t *testing.T) string {
	t.Helper()
	set, problems := files.validate(t)
	if len(set.Zones) != 1 {
		t.Fatalf("not loaded: %s", strings.Join(problems, "\n"))
	}
	var out strings.Builder
	for _, packed := range set.Zones[0].Records {
		rr := packed.RR()
		if h := rr.Header(); h.Rrtype != dns.TypeSOA && !strings.Contains(rr.String(), "ns.elsewhere") {
			fmt.Fprintln(&out, strings.ReplaceAll(rr.String(), "\tIN", ""))
		}
	}
	return strings.ReplaceAll(out.String(), "\t", " ")
}

func TestZoneFileDirectives(t *testing.T) {
	for _, test := range []struct {
		name  string
		files folderOf
		want  string
	}{
		{"$TTL is the TTL of records that give none", folderOf{"db": "a A 192.0.2.1\n$TTL 1h\nb A 192.0.2.1\nc 5 A 192.0.2.1\nd A 192.0.2.1\n"}, `
a.chat.test. 300 A 192.0.2.1
b.chat.test. 3600 A 192.0.2.1
c.chat.test. 5 A 192.0.2.1
d.chat.test. 3600 A 192.0.2.1
`},
		{"$ORIGIN moves relative names", folderOf{"db": "$ORIGIN x.chat.test.\na A 192.0.2.1\n$ORIGIN y\n@ A 192.0.2.2\n"}, `
a.x.chat.test. 300 A 192.0.2.1
y.x.chat.test. 300 A 192.0.2.2
`},
		{"an owner is carried on, and restored with the origin after an include", folderOf{
			"db":         "$ORIGIN one.chat.test.\na A 192.0.2.1\n$INCLUDE sub/inner two.chat.test. ; with an origin\n A 192.0.2.2\n$ORIGIN three.chat.test.\n$INCLUDE sub/inner2\n A 192.0.2.3\nb A 192.0.2.4\n",
			"sub/inner":  "a A 192.0.2.5\n$ORIGIN deep\nb A 192.0.2.6\n",
			"sub/inner2": "c A 192.0.2.7",
		}, `
a.one.chat.test. 300 A 192.0.2.1
a.one.chat.test. 300 A 192.0.2.2
a.one.chat.test. 300 A 192.0.2.3
b.three.chat.test. 300 A 192.0.2.4
c.three.chat.test. 300 A 192.0.2.7
a.two.chat.test. 300 A 192.0.2.5
b.deep.two.chat.test. 300 A 192.0.2.6
`},
		{"an include is relative to the file that includes it", folderOf{"db": "$INCLUDE sub/a\n", "sub/a": "$INCLUDE b\n$INCLUDE ../c\n", "sub/b": "b A 192.0.2.1\n", "c": "c A 192.0.2.1\n"}, `
b.chat.test. 300 A 192.0.2.1
c.chat.test. 300 A 192.0.2.1
`},
		{"parentheses, comments, quotes", folderOf{"db": "a TXT ( \"x;y(\" ; a comment (\n  \"$INCLUDE db\" ) ; )\n\n; $INCLUDE nothing\nb\tA\t192.0.2.1;x\n"}, `
a.chat.test. 300 TXT "x;y(" "$INCLUDE db"
b.chat.test. 300 A 192.0.2.1
`},
		{"$GENERATE counts with the zone's TTL", folderOf{"db": "$TTL 77\n$GENERATE 8-12/2 h$ A 10.0.${1}.$\n$GENERATE 1-1 \\$x${0,3}-${0,0,x} CNAME h8\nz A 192.0.2.1\n"}, `
$x001-1.chat.test. 77 CNAME h8.chat.test.
h10.chat.test. 77 A 10.0.11.10
h12.chat.test. 77 A 10.0.13.12
h8.chat.test. 77 A 10.0.9.8
z.chat.test. 77 A 192.0.2.1
`},
		{"$GENERATE writes other bases and nibbles", folderOf{"db": "$GENERATE 26-26 o${0,4,o}-x${0,4,x}-X${0,1,X} A 192.0.2.1\n$GENERATE 26-26 ${0,7,n} A 192.0.2.1\n$GENERATE 26-26 ${0,0,N}.x A 192.0.2.1\n"}, `
a.1.0.0.chat.test. 300 A 192.0.2.1
o0032-x001a-X1A.chat.test. 300 A 192.0.2.1
A.1.x.chat.test. 300 A 192.0.2.1
`},
		{"names with escapes have one spelling", folderOf{"db": "\\065b A 192.0.2.1\na\\.b A 192.0.2.1\na\\046c A 192.0.2.1\n\\@ A 192.0.2.1\n"}, `
\@.chat.test. 300 A 192.0.2.1
a\.b.chat.test. 300 A 192.0.2.1
a\.c.chat.test. 300 A 192.0.2.1
Ab.chat.test. 300 A 192.0.2.1
`},
		{"repeated records are one, whatever their case", folderOf{"db": "a MX 1 Mail.example.com.\nA MX 1 mail.EXAMPLE.com.\na MX 65 x.example.com.\na MX 97 x.example.com.\n"}, `
a.chat.test. 300 MX 1 Mail.example.com.
a.chat.test. 300 MX 65 x.example.com.
a.chat.test. 300 MX 97 x.example.com.
`},
		{"a byte order of labels, not of text", folderOf{"db": "z A 192.0.2.1\na.b A 192.0.2.1\nb A 192.0.2.1\n* A 192.0.2.1\n\\000 A 192.0.2.1\n\\001 A 192.0.2.1\nA-b A 192.0.2.1\n\\200 A 192.0.2.1\n"}, `
\000.chat.test. 300 A 192.0.2.1
\001.chat.test. 300 A 192.0.2.1
*.chat.test. 300 A 192.0.2.1
A-b.chat.test. 300 A 192.0.2.1
b.chat.test. 300 A 192.0.2.1
a.b.chat.test. 300 A 192.0.2.1
z.chat.test. 300 A 192.0.2.1
\200.chat.test. 300 A 192.0.2.1
`},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.files["chat.toml"] = zoneHead
			if got := test.files.records(t); got != strings.TrimPrefix(test.want, "\n") {
				t.Errorf("got:\n%s\nwant:%s", got, test.want)
			}
		})
	}
}

func TestZoneFileProblems(t *testing.T) {
	long := strings.Repeat("x", maxLine+1)
	for _, test := range []struct {
		name  string
		files folderOf
		want  string
	}{
		{"a file that is not there", folderOf{}, `
			zones/chat.toml:5: zone.zonefile: db: there is no such file`},
		{"errors in included files have their place", folderOf{"db": "a A 192.0.2.1\n$INCLUDE inner\nb A x\n", "inner": "\nc A y\n$INCLUDE gone\n"}, `
			zones/db:3: an A record with bad data: "x"
			zones/inner:2: an A record with bad data: "y"
			zones/inner:3: $INCLUDE gone: there is no such file`},
		{"the owner goes on after a record without data", folderOf{"db": "www A\n\tTXT x\n\tA 192.0.2.1\n"}, `
			zones/db:1: a record without data`},
		{"the TTL given last goes on after a wrong record", folderOf{"db": "same 60 A 192.0.2.1\nbad A 192.0.2.x\nsame A 192.0.2.2\n"}, `
			zones/db:2: an A record with bad data: "192.0.2.x"`},
		{"a file that includes itself", folderOf{"db": "$INCLUDE a\n", "a": "$INCLUDE sub/../db\n"}, `
			zones/a:1: $INCLUDE sub/../db: db includes itself`},
		{"includes outside the folder", folderOf{"db": "$INCLUDE ../livens.toml\n$INCLUDE /etc/hostname\n$INCLUDE sub/../../x\n"}, `
			zones/db:1: $INCLUDE ../livens.toml: path escapes from parent
			zones/db:2: $INCLUDE /etc/hostname: the file must be inside the zones folder, relative to this one
			zones/db:3: $INCLUDE sub/../../x: path escapes from parent`},
		{"$GENERATE cannot include", folderOf{"db": "$GENERATE 1-1 $$INCLUDE /etc/hostname\n$GENERATE 1-1 \\$INCLUDE /etc/hostname\n$GENERATE 1-1 ${0,0,d}\n"}, `
			zones/db:1: $GENERATE: wants a range, an owner, a type and data
			zones/db:2: "/etc/hostname" is no TTL, class or type
			zones/db:3: no blank before TTL: the line's end`},
		{"$GENERATE is bounded", folderOf{"db": "$GENERATE 0-2147483647 h$ A 192.0.2.1\n$GENERATE 5-4 h$ A 192.0.2.1\n$GENERATE 1-2/0 h$ A 192.0.2.1\n$GENERATE 0-2147483648 h$ A 192.0.2.1\n$GENERATE 1-2 h${-2} A 192.0.2.1\n$GENERATE 1-2 h${0,999} A 192.0.2.1\n$GENERATE 1-2 h${0 A 192.0.2.1\n$GENERATE 1-2 h${0,0,z} A 192.0.2.1\n"}, `
			zones/db:1: $GENERATE: with the 2147483648 records that it makes a zone has more than 1000000 of that kind
			zones/db:2: $GENERATE: "5-4" is no range, want start-stop or start-stop/step
			zones/db:3: $GENERATE: "0" is no step
			zones/db:4: $GENERATE: "0-2147483648" is no range, want start-stop or start-stop/step
			zones/db:5: $GENERATE: 1 with offset -2 is below 0
			zones/db:6: $GENERATE: ${0,999}: the width must be 0–255
			zones/db:7: $GENERATE: wants a } after ${
			zones/db:8: $GENERATE: ${0,0,z}: the base must be d, o, x, X, n or N`},
		{"directives that do not read so", folderOf{"db": "$TTL\n$TTL x\n$ORIGIN a..b\n$INCLUDE\n$FOO x\na A 192.0.2.1\n$TTL 2147483648\n$TTL 4000w\n"}, `
			zones/db:1: $TTL does not read so
			zones/db:2: $TTL: "x" is no TTL
			zones/db:3: $ORIGIN: "a..b" is no domain name
			zones/db:4: $INCLUDE does not read so
			zones/db:5: unknown directive "$FOO", known: $ORIGIN, $TTL, $INCLUDE, $GENERATE
			zones/db:7: $TTL 2147483648 is above 2147483647 (RFC 2181 section 8)
			zones/db:8: $TTL 4000w is above 2147483647 (RFC 2181 section 8)`},
		{"quotes and parentheses left open", folderOf{"db": "a TXT \"x\nb A x\nc TXT ( a\n"}, `
			zones/db:1: a quoted string does not end on its line
			zones/db:2: an A record with bad data: "x"
			zones/db:3: the file ends inside parentheses`},
		{"a line without end", folderOf{"db": "a A 192.0.2.1\n" + long}, `
			zones/db:1: a line is longer than 1024 KiB`},
		{"a zone file named as a zone's TOML file", folderOf{"chat.toml": strings.Replace(zoneHead, `"db"`, `"other.toml"`, 1)}, `
			zones/chat.toml:5: zone.zonefile: "other.toml" would be read as a zone's TOML file (name it db.NAME or NAME.zone)`},
		{"data that fits no message", folderOf{"db": "a TXT " + strings.Repeat(strings.Repeat("x", 250)+" ", 250) + "\na TXT " + strings.Repeat(strings.Repeat("y", 250)+" ", 20) + "\n"}, `
			zones/db:2: a.chat.test. has 2 TXT records: they do not fit into a message`},
		{"one record that fits no message", folderOf{"db": "a TXT " + strings.Repeat(strings.Repeat("x", 250)+" ", 262) + "\n"}, `
			zones/db:1: TXT data that cannot be sent: bad rdata`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.files["chat.toml"] == "" {
				test.files["chat.toml"] = zoneHead
			}
			_, got := test.files.validate(t)
			wantLines(t, got, test.want)
		})
	}
}

func TestReadingStaysInTheFolder(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "secret")
	write(t, outside, "secret A 192.0.2.1\n")
	c := folderOf{"chat.toml": zoneHead}.config(t)
	if err := os.Symlink(outside, filepath.Join(c.Zones, "db")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(c.Zones, "link.toml")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(c.Zones, "folder.toml"), 0o755); err != nil {
		t.Fatal(err)
	}
	set, problems := Validate(c)
	wantLines(t, lines(problems), `
		zones/chat.toml:5: zone.zonefile: db: path escapes from parent
		zones/folder.toml: is no regular file
		zones/link.toml: path escapes from parent (links may not lead out of the zones folder)`)
	if len(set.Zones) != 0 {
		t.Error("served a file outside the folder")
	}
}

func TestEveryTypeOfRecordLoads(t *testing.T) {
	var db strings.Builder
	for n, name := range dns.TypeToString {
		if isMeta(n) || n == dns.TypeSOA || n == dns.TypeCNAME || n == dns.TypeNS || n == dns.TypeDNAME {
			continue
		}
		fmt.Fprintf(&db, "unknown%d TYPE%d \\# 0\n", n, n+10000)
		_ = name
	}
	db.WriteString("a CAA 0 issue \"ca.example\"\na TLSA 3 1 1 00\na SSHFP 1 1 00\na NAPTR 1 1 \"u\" \"E2U+sip\" \"!x!y!\" .\na LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m\na SVCB 1 . alpn=h2\na URI 1 1 \"https://x\"\na ZONEMD 1 1 1 " + strings.Repeat("00", 48) + "\na EUI48 00-00-5e-00-53-2a\na APL 1:192.0.2.0/24\na CSYNC 1 3 A NS\na OPENPGPKEY AAAA\na HIP 2 200100107B1A74DF365639CC39F1D578 AwEAAbdxyhNuSutc5EMzxTs9LBPCIkOFH8cIvM4p9+LrV4e19WzK00+CI6zBCQTdtWsuxKbWIy87UOoJTwkUs7lBu+Upr1gsNrut79ryra+bSRGQb1slImA8YVJyuIDsj7kwzG7jnERNqnWxZ48AWkskmdHaVDP4BcelrTI3rMXdXF5D rvs.example.com.\n")
	set, problems := folderOf{"chat.toml": zoneHead, "db": db.String()}.validate(t)
	if len(set.Zones) != 1 {
		t.Fatal(strings.Join(problems, "\n"))
	}
}

func TestBoundsOfAZone(t *testing.T) {
	read := func(db string, limit int, budget int64) []string {
		t.Helper()
		c := folderOf{"chat.toml": zoneHead, "db": db, "inner": strings.Repeat(";", 500) + "\n"}.config(t)
		root, err := os.OpenRoot(c.Zones)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		return lines(readVersion(&folder{root: root, budget: budget}, settings{label: "zones", limit: limit}, "chat.toml").problems)
	}
	const big = 1 << 20
	wantLines(t, read("$GENERATE 1-8 a$ A 192.0.2.1\n$GENERATE 1-8 b$ A 192.0.2.1\n", 10, big),
		`zones/db:2: $GENERATE: with the 8 records that it makes a zone has more than 1000000 of that kind`)
	wantLines(t, read("$GENERATE 1-1000001 a$ A 192.0.2.1\nb A 192.0.2.1\n", maxRecords, big),
		`zones/db:1: $GENERATE: with the 1000001 records that it makes a zone has more than 1000000 of that kind`)
	wantLines(t, read("a A 192.0.2.1\nb A 192.0.2.1\nc A 192.0.2.1\n", 2, big),
		`zones/chat.toml:5: zone.zonefile: db: a zone may have 10000000 records`)
	wantLines(t, read(strings.Repeat("$INCLUDE inner\n", 10), 10, 3000), `zones/inner: a zone's files may hold 2048 MiB together`)
	wantLines(t, read(strings.Repeat("$INCLUDE inner\n", maxIncludes+2), 10, big),
		`zones/db:1000: $INCLUDE inner: too many files are included: at most 1000, 16 deep
		zones/db:1001: $INCLUDE inner: too many files are included: at most 1000, 16 deep
		zones/db:1002: $INCLUDE inner: too many files are included: at most 1000, 16 deep`)
}
