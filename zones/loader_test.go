package zones

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// zoneText of one pool that answers in a zone of the same name.
func simpleZone(name string) string {
	return "[zone]\nname = \"" + name + ".test\"\nns = [\"ns.elsewhere.test.\"]\ncontact = \"h@example.com\"\n" + poolText(name, "@")
}

func poolText(name, answer string) string {
	return "[pool." + name + "]\nanswers = [\"" + answer + "\"]\ncheck = { type = \"icmp\" }\n" + deployments(name)
}

func followText(name, answer, leader string) string {
	return "[pool." + name + "]\nanswers = [\"" + answer + "\"]\nfollow = \"" + leader + "\"\n" + deployments(name)
}

func deployments(pool string) string {
	return "[[pool." + pool + ".deployment]]\nname = \"a\"\naddresses = [\"192.0.2.1\"]\n[[pool." + pool + ".deployment]]\nname = \"b\"\naddresses = [\"192.0.2.2\"]\n"
}

// lab is a zones folder that is edited and loaded by a running server and, from the same state folder, by one that
// was restarted; both must do the same.
type lab struct {
	t      *testing.T
	config *Config
	loader *Loader
}

func newLab(t *testing.T, files folderOf) *lab {
	return &lab{t, files.config(t), NewLoader()}
}

// edited is a moment no clock was at.
func edited() time.Time { return time.Date(2026, 11, 20, 10, 3, 22, 0, time.UTC) }

func (l *lab) write(name, content string) {
	l.t.Helper()
	path := filepath.Join(l.config.Zones, name)
	write(l.t, path, content)
	if err := os.Chtimes(path, edited(), edited()); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) remove(name string) {
	l.t.Helper()
	if err := os.RemoveAll(filepath.Join(l.config.Zones, name)); err != nil {
		l.t.Fatal(err)
	}
}

// load loads as a running server and as a restarted one, and wants the same zones and errors of both. The result is
// the running one's.
func (l *lab) load(wantZones, wantErrors string) *Set {
	l.t.Helper()
	restarted, problemsAfter := NewLoader().Load(l.config)
	running, problems := l.loader.Load(l.config)
	for _, r := range []struct {
		who      string
		set      *Set
		problems Problems
	}{{"running", running, problems}, {"restarted", restarted, problemsAfter}} {
		l.t.Log(r.who)
		var got []string
		for _, z := range r.set.Zones {
			name := strings.TrimSuffix(z.Name, ".test.")
			if z.Stale != "" {
				name += "(old)"
			}
			got = append(got, name)
		}
		if strings.Join(got, " ") != wantZones {
			l.t.Errorf("%s: zones %q, want %q", r.who, strings.Join(got, " "), wantZones)
		}
		wantLines(l.t, lines(r.problems.Errors()), wantErrors)
	}
	for i := range min(len(running.Zones), len(restarted.Zones)) {
		if a, b := running.Zones[i], restarted.Zones[i]; a.Hash != b.Hash || a.Stale != b.Stale {
			l.t.Errorf("%s: the running server has %x %q, the restarted one %x %q", a.Name, a.Hash, a.Stale, b.Hash, b.Stale)
		}
	}
	return running
}

func TestBrokenZoneKeepsItsLastGoodVersion(t *testing.T) {
	l := newLab(t, nil)
	l.write("a.toml", simpleZone("a"))
	l.write("b.toml", simpleZone("b"))
	first := l.load("a b", "")
	l.write("b.toml", strings.Replace(simpleZone("b"), "icmp", "icmpp", 1))
	second := l.load("a b(old)", `zones/b.toml:7: pool.b.check.type: unknown value "icmpp" (did you mean "icmp"?)`)
	if first.Zones[0] != second.Zones[0] || first.Zones[1].Pools[0] != second.Zones[1].Pools[0] {
		t.Error("what did not change is not the same")
	}
	const want = `zones/b.toml:7: pool.b.check.type: unknown value "icmpp" (did you mean "icmp"?); serving the version of 2026-11-20 10:03:22 UTC`
	if second.Zones[1].Stale != want {
		t.Errorf("stale: %q, want %q", second.Zones[1].Stale, want)
	}
	if third, _ := l.loader.Load(l.config); third.Zones[1] != second.Zones[1] {
		t.Error("the same stale zone is not the same pointer")
	}
	l.write("b.toml", strings.Replace(simpleZone("b"), "192.0.2.2", "192.0.2.3", 1))
	if third := l.load("a b", ""); third.Zones[1].Pools[0].Deployments[1].Addresses[0].String() != "192.0.2.3" {
		t.Error("the repaired zone is not served")
	}
}

// TestBrokenFilesTakePartInConflictsByName: all that is wrong between files is said at once, and a broken file refuses
// no sound one.
func TestBrokenFilesTakePartInConflictsByName(t *testing.T) {
	l := newLab(t, nil)
	l.write("b.toml", simpleZone("b"))
	l.load("b", "")
	l.write("a.toml", strings.Replace(simpleZone("b"), "contact", "tll = 1\ncontact", 1))
	l.write("c.toml", simpleZone("c")+followText("lost", "lost", "lots")+followText("more", "more", "nobody")+followText("fine", "fine", "b"))
	l.load("b", `
		zones/a.toml:2: zone.name: zone b.test. is given in zones/b.toml too (names are unique across files)
		zones/a.toml:4: zone.tll: unknown key (did you mean "ttl"?)
		zones/a.toml:6: pool.b: pool b is given in zones/b.toml too (names are unique across files)
		zones/c.toml:16: pool.lost.follow: there is no pool "lots" (did you mean "lost"?)
		zones/c.toml:25: pool.more.follow: there is no pool "nobody"`)
	l.write("a.toml", strings.Replace(simpleZone("lots"), "icmp", "icmpp", 1))
	l.remove("c.toml")
	l.write("c.toml", simpleZone("c")+followText("lost", "lost", "lots"))
	l.load("b", `
		zones/a.toml:7: pool.lots.check.type: unknown value "icmpp" (did you mean "icmp"?)
		zones/c.toml:16: pool.lost.follow: pool "lots" is in zones/a.toml, which is refused (correct that file)`)
}

// TestADuplicateRefusesNoFollower: what a follower finds is asked again once one of two files of a name is refused.
func TestADuplicateRefusesNoFollower(t *testing.T) {
	l := newLab(t, nil)
	l.write("a.toml", simpleZone("a"))
	l.write("f.toml", simpleZone("f")+followText("g", "g", "a"))
	l.load("a f", "")
	l.write("0.toml", strings.Replace(strings.ReplaceAll(simpleZone("a"), `"b"`, `"x"`), "a.test", "0.test", 1))
	l.write("f.toml", simpleZone("f")+followText("g", "h", "a"))
	l.load("a f", `zones/0.toml:5: pool.a: pool a is given in zones/a.toml too (names are unique across files)`)
	l.remove("0.toml")
	l.write("z.toml", simpleZone("z"))
	l.load("a f z", "")
	// z's file becomes another a; the last good z, with its pool, is served on.
	l.write("z.toml", strings.Replace(simpleZone("z"), "z.test", "a.test", 1))
	l.write("f.toml", simpleZone("f")+followText("g", "h", "z"))
	l.load("a f z(old)", `zones/z.toml:2: zone.name: zone a.test. is given in zones/a.toml too (names are unique across files)`)
}

// TestHintsAtPoolsOfOtherZones: directly, through an alias there, and in a child zone.
func TestHintsAtPoolsOfOtherZones(t *testing.T) {
	hints := func(target string) string {
		return strings.Replace(simpleZone("a"), "contact", "records = [\"x HTTPS 1 "+target+" ipv4hint=192.0.2.1\", \"kid NS ns.elsewhere.test.\"]\ncontact", 1)
	}
	l := newLab(t, nil)
	l.write("b.toml", strings.Replace(simpleZone("b"), "contact", "records = [\"alias CNAME alias.kid.a.test.\"]\ncontact", 1))
	l.write("kid.toml", strings.ReplaceAll(strings.Replace(simpleZone("kid"), "kid.test", "kid.a.test", 1), "contact", "records = [\"alias CNAME @\"]\ncontact"))
	for target, pooled := range map[string]string{
		"b.test.":           "b.test., ",
		"alias.b.test.":     "alias.b.test., an alias of kid.a.test., ",
		"alias.kid.a.test.": "alias.kid.a.test., an alias of kid.a.test., ",
		"kid":               "kid.a.test., ",
	} {
		l.write("a.toml", hints(target))
		l.load("b kid.a", "zones/a.toml:4: address hints at "+pooled+"where a pool answers: they would hold clients at a dead deployment (remove ipv4hint and ipv6hint)")
	}
	l.write("a.toml", hints("free.b.test."))
	l.load("a b kid.a", "")
	l.write("b.toml", strings.Replace(simpleZone("b"), `["@"]`, `["free"]`, 1))
	l.load("a b(old) kid.a", "zones/b.toml:2: a pool answers at free.b.test., and zones/a.toml line 4 has address hints there: they would hold clients at a dead deployment (remove the hints in the same edit or before)")
}

// TestADuplicateOfALeaderRefusesNoFollower: a leader that is refused for its zone's name is followed as it was.
func TestADuplicateOfALeaderRefusesNoFollower(t *testing.T) {
	l := newLab(t, nil)
	l.write("0.toml", simpleZone("0"))
	l.write("f.toml", simpleZone("f")+followText("g", "g", "0"))
	l.write("z.toml", simpleZone("z"))
	l.load("0 f z", "")
	l.write("0.toml", strings.ReplaceAll(strings.Replace(simpleZone("0"), "0.test", "z.test", 1), `"b"`, `"x"`))
	l.write("f.toml", simpleZone("f")+followText("g", "h", "0"))
	l.load("0(old) f z", `
		zones/0.toml:2: zone.name: zone z.test. is given in zones/z.toml too (names are unique across files)
		zones/0.toml:5: pool.0: pool "0" has a deployment "x", and pool "g" that follows it has none of that name (change the follower in the same edit or before)`)
}

func TestUnchangedZonesAreTheSamePointer(t *testing.T) {
	l := newLab(t, nil)
	l.write("a.toml", strings.Replace(simpleZone("a"), "contact", "zonefile = \"db\"\ncontact", 1))
	l.write("db", "$INCLUDE more\n")
	l.write("more", "x A 192.0.2.1\n")
	l.write("b.toml", simpleZone("b"))
	first := l.load("a b", "")
	l.write("more", "x A 192.0.2.2\n")
	second := l.load("a b", "")
	if second.Zones[0] == first.Zones[0] || second.Zones[0].Hash == first.Zones[0].Hash {
		t.Error("an edited include changes nothing")
	}
	if second.Zones[1] != first.Zones[1] {
		t.Error("an unchanged zone is another pointer")
	}
	l.write("more", "x A\n")
	l.load("a(old) b", "zones/more:1: a record without data")
	l.remove("more")
	l.load("a(old) b", "zones/db:1: $INCLUDE more: there is no such file")
	l.write("more", "x A 192.0.2.2\n")
	if third := l.load("a b", ""); third.Zones[0] != second.Zones[0] {
		t.Error("a zone that is what it was is another pointer")
	}
}

func TestRemovedFileRemovesItsZone(t *testing.T) {
	l := newLab(t, nil)
	l.write("a.toml", simpleZone("a"))
	l.write("b.toml", simpleZone("b"))
	l.load("a b", "")
	l.remove("b.toml")
	if _, problems := l.loader.Load(l.config); len(problems) > 0 {
		t.Error(problems)
	}
	l.load("a", "")
	l.write("b.toml", "broken")
	l.load("a", `zones/b.toml:1: TOML syntax: unexpected EOF; expected key separator '=' (nothing after a syntax error is read)`)
}

func TestFolderThatIsGoneKeepsAllZones(t *testing.T) {
	for name, test := range map[string]struct {
		gone func(l *lab)
		want string
	}{
		"missing":      {func(l *lab) { l.remove(".") }, `zones: the zones folder: there is no such file (the key zones in livens.toml names it)`},
		"empty":        {func(l *lab) { l.remove("a.toml"); l.remove("b.toml") }, `zones: the zones folder holds no *.toml file (add one for each zone)`},
		"not a folder": {func(l *lab) { l.remove("."); write(l.t, l.config.Zones, "") }, `zones: the zones folder: not a directory (the key zones in livens.toml names it)`},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, nil)
			l.write("a.toml", simpleZone("a"))
			l.write("b.toml", simpleZone("b"))
			l.load("a b", "")
			test.gone(l)
			l.load("a(old) b(old)", test.want)
			l.load("a(old) b(old)", test.want)
			l.remove(".")
			l.write("a.toml", simpleZone("a"))
			l.load("a", "")
		})
	}
}

func TestStrictRefusesTheLot(t *testing.T) {
	l := newLab(t, nil)
	l.config.Strict = true
	l.write("a.toml", simpleZone("a"))
	l.write("b.toml", simpleZone("b"))
	first := l.load("a b", "")
	l.write("a.toml", strings.Replace(simpleZone("a"), "192.0.2.2", "192.0.2.3", 1))
	l.write("b.toml", "broken = 1\n")
	l.write("c.toml", simpleZone("c"))
	second := l.load("a(old) b(old)", `
		zones/b.toml: zone: is required (add a [zone] table)
		zones/b.toml:1: broken: unknown key (known here: zone, pool)`)
	if second.Zones[0].Hash != first.Zones[0].Hash {
		t.Error("strict served a part of the load")
	}
	l.remove("b.toml")
	l.load("a c", "")
}

func TestConflictsBlameWhatChanged(t *testing.T) {
	for _, test := range []struct {
		name          string
		before, after folderOf // an empty text removes the file
		zones, errors string
	}{
		{"a zone twice at the first load: the later by name", nil,
			folderOf{"a.toml": simpleZone("x"), "b.toml": strings.ReplaceAll(simpleZone("x"), "pool.x", "pool.y")}, "x",
			`zones/b.toml:2: zone.name: zone x.test. is given in zones/a.toml too (names are unique across files)`},
		{"a zone that a new file gives too: the new file", folderOf{"b.toml": simpleZone("x")},
			folderOf{"a.toml": strings.ReplaceAll(simpleZone("x"), "pool.x", "pool.y")}, "x",
			`zones/a.toml:2: zone.name: zone x.test. is given in zones/b.toml too (names are unique across files)`},
		{"a zone that an edited file gives too: the edited file as it was", folderOf{"a.toml": simpleZone("x"), "b.toml": simpleZone("y")},
			folderOf{"a.toml": strings.ReplaceAll(simpleZone("x"), "x.test", "y.test")}, "x(old) y",
			`zones/a.toml:2: zone.name: zone y.test. is given in zones/b.toml too (names are unique across files)`},
		{"two files that swap their zones in one edit are no conflict", folderOf{"a.toml": simpleZone("x"), "b.toml": simpleZone("y")},
			folderOf{"a.toml": simpleZone("y"), "b.toml": simpleZone("x")}, "x y", ``},
		{"a swap of which one half is broken goes back as a whole", folderOf{"a.toml": simpleZone("x"), "b.toml": simpleZone("y")},
			folderOf{"a.toml": "bad = 1\n" + simpleZone("y"), "b.toml": simpleZone("x")}, "x(old) y(old)", `
			zones/a.toml:1: bad: unknown key (known here: zone, pool)
			zones/b.toml:2: zone.name: zone x.test. is given in zones/a.toml too (names are unique across files)`},
		{"a pool twice", folderOf{"b.toml": simpleZone("x")}, folderOf{"a.toml": strings.ReplaceAll(simpleZone("y"), "pool.y", "pool.x")}, "x",
			`zones/a.toml:5: pool.x: pool x is given in zones/b.toml too (names are unique across files)`},
		{"a pool that moves to another file in one edit", folderOf{"a.toml": simpleZone("x") + poolText("p", "p"), "b.toml": simpleZone("y")},
			folderOf{"a.toml": simpleZone("x"), "b.toml": simpleZone("y") + poolText("p", "p")}, "x y", ``},
		{"a pool twice does not confuse who follows whom", folderOf{"b.toml": simpleZone("x"), "c.toml": simpleZone("z") + followText("f", "f", "x")},
			folderOf{"a.toml": strings.NewReplacer("pool.y", "pool.x", `"b"`, `"other"`).Replace(simpleZone("y"))}, "x z",
			`zones/a.toml:5: pool.x: pool x is given in zones/b.toml too (names are unique across files)`},
		{"files that are not zones", nil, folderOf{"a.toml": simpleZone("x"), ".b.toml": "broken", "b.toml~": "broken", "db": "broken", "sub/c.toml": "broken"}, "x", ``},
		{"follow of nobody", nil, folderOf{"a.toml": simpleZone("chat"), "b.toml": simpleZone("y") + followText("f", "f", "chatt")}, "chat",
			`zones/b.toml:16: pool.f.follow: there is no pool "chatt" (did you mean "chat"?)`},
		{"follow of a pool in a removed file: the removal is refused", folderOf{"a.toml": simpleZone("x"), "b.toml": simpleZone("y") + followText("f", "f", "x")},
			folderOf{"a.toml": ""}, "x(old) y",
			`zones/a.toml: pool "x" is gone, and pool "f" in zones/b.toml follows it (change the follower in the same edit or before)`},
		{"follow of a pool that was renamed: the renaming is refused", folderOf{"a.toml": simpleZone("x") + poolText("p", "p"), "b.toml": simpleZone("y") + followText("f", "f", "p")},
			folderOf{"a.toml": simpleZone("x") + poolText("q", "p")}, "x(old) y",
			`zones/a.toml:2: pool "p" is gone, and pool "f" in zones/b.toml follows it (change the follower in the same edit or before)`},
		{"a deployment that the follower lacks", nil, folderOf{"a.toml": strings.ReplaceAll(simpleZone("x"), `"b"`, `"c"`), "b.toml": simpleZone("y") + followText("f", "f", "x")}, "x",
			`zones/b.toml:16: pool.f.follow: pool "x" has a deployment "c", and pool "f" that follows it has none of that name (add a [[pool.f.deployment]] named "c")`},
		{"a deployment that the leader renamed", folderOf{"a.toml": simpleZone("x"), "b.toml": simpleZone("y") + followText("f", "f", "x")},
			folderOf{"a.toml": strings.ReplaceAll(simpleZone("x"), `"b"`, `"c"`)}, "x(old) y",
			`zones/a.toml:5: pool.x: pool "x" has a deployment "c", and pool "f" that follows it has none of that name (change the follower in the same edit or before)`},
		{"a circle", nil, folderOf{"a.toml": simpleZone("x") + followText("p", "p", "q"), "b.toml": simpleZone("y") + followText("q", "q", "p"), "c.toml": simpleZone("z")}, "z", `
			zones/a.toml:16: pool.p.follow: pool "q" is in zones/b.toml, which is refused (correct that file)
			zones/b.toml:16: pool.q.follow: the pool follows in a circle: p → q → p (one of them needs checks of its own)`},
		{"a circle of itself", nil, folderOf{"a.toml": simpleZone("x") + followText("p", "p", "p")}, "",
			`zones/a.toml:16: pool.p.follow: the pool follows itself (name another pool)`},
		{"a chain is no circle", nil, folderOf{"a.toml": simpleZone("x") + followText("p", "p", "q") + followText("q", "q", "x")}, "x", ``},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t, nil)
			for name, content := range test.before {
				l.write(name, content)
			}
			if test.before != nil {
				if _, problems := l.loader.Load(l.config); len(problems.Errors()) > 0 {
					t.Fatal(problems)
				}
			}
			for name, content := range test.after {
				if content == "" {
					l.remove(name)
					continue
				}
				l.write(name, content)
			}
			l.load(test.zones, test.errors)
		})
	}
}

func TestKeptVersionSurvivesACrashAtAnyRename(t *testing.T) {
	l := newLab(t, nil)
	l.write("a.toml", simpleZone("a"))
	l.load("a", "")
	kept := func(parts ...string) string {
		return filepath.Join(append([]string{l.config.State, "zones"}, parts...)...)
	}
	// A crash after the old version moved aside, with a new one half written.
	if err := os.Rename(kept("a.toml"), kept(".old-a.toml")); err != nil {
		t.Fatal(err)
	}
	write(t, kept(".new-a.toml", "a.toml"), "[zone")
	l.write("a.toml", "[zone")
	restarted, _ := NewLoader().Load(l.config)
	if len(restarted.Zones) != 1 || restarted.Zones[0].Stale == "" {
		t.Fatal("the last good version is lost")
	}
	// The next good load tidies up.
	l.write("a.toml", simpleZone("a")+"\n")
	l.load("a", "")
	entries, err := os.ReadDir(kept())
	if err != nil || len(entries) != 1 || entries[0].Name() != "a.toml" {
		t.Errorf("left over: %v %v", entries, err)
	}
}

// TestReadLeavesKeepingForLater: of many zones nothing is kept by Read, all by Keep, and nothing half done is left.
func TestReadLeavesKeepingForLater(t *testing.T) {
	l := newLab(t, nil)
	for i := range 70 { // more than are synced one by one
		l.write(fmt.Sprintf("z%d.toml", i), simpleZone(fmt.Sprintf("z%d", i)))
	}
	if set, problems := l.loader.Read(l.config); len(set.Zones) != 70 || len(problems) > 0 {
		t.Fatal(len(set.Zones), problems)
	}
	kept := filepath.Join(l.config.State, "zones")
	if _, err := os.Stat(kept); !os.IsNotExist(err) {
		t.Error("Read wrote to the state folder")
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := l.loader.Keep(stopped); !errors.Is(err, context.Canceled) {
		t.Errorf("kept although it was to stop: %v", err)
	}
	write(t, filepath.Join(kept, ".new-gone.toml", "gone.toml"), "[zone") // of a start that was killed
	if err := l.loader.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(kept)
	if err != nil || len(entries) != 70 || !strings.HasPrefix(entries[0].Name(), "z") {
		t.Errorf("%d kept, %v: %v", len(entries), err, entries)
	}
}

func TestStateFolderThatCannotBeWrittenRefusesNothing(t *testing.T) {
	l := newLab(t, nil)
	write(t, l.config.State, "a file where the folder should be")
	l.write("a.toml", simpleZone("a"))
	set, problems := l.loader.Load(l.config)
	if len(set.Zones) != 1 || set.Zones[0].Stale != "" {
		t.Error("the zone is not served")
	}
	if len(problems) != 1 || !problems[0].Warning || !strings.Contains(problems[0].String(), "cannot be kept") {
		t.Errorf("problems: %v", problems)
	}
	// The running server still knows the last good version.
	l.write("a.toml", "")
	if set, _ = l.loader.Load(l.config); len(set.Zones) != 1 || set.Zones[0].Stale == "" {
		t.Error("the running server forgot the last good version")
	}
}

func TestValidateTouchesNothing(t *testing.T) {
	l := newLab(t, nil)
	l.write("a.toml", simpleZone("a"))
	if set, problems := Validate(l.config); len(set.Zones) != 1 || len(problems) != 0 {
		t.Error(problems)
	}
	if _, err := os.Stat(l.config.State); !os.IsNotExist(err) {
		t.Error("the state folder was made")
	}
}

func TestOutsideFilesThatAreMissing(t *testing.T) {
	l := newLab(t, nil)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	program := filepath.Join(filepath.Dir(ca), "probe")
	write(t, ca, "x")
	write(t, program, "x")
	text := strings.Replace(simpleZone("a"), `{ type = "icmp" }`, `[{ type = "tls", host = "a.test", ca_file = "`+ca+`" }, { type = "exec", command = ["`+program+`"] }]`, 1)
	l.write("a.toml", text)
	l.load("", `zones/a.toml:7: pool.a.check.2.command: `+program+` is not executable (chmod +x)`)
	if err := os.Chmod(program, 0o755); err != nil {
		t.Fatal(err)
	}
	l.load("a", "")
	if err := os.Remove(ca); err != nil {
		t.Fatal(err)
	}
	l.load("a(old)", `zones/a.toml:7: pool.a.check.1.ca_file: `+ca+`: there is no such file`)
	if err := syscall.Mkfifo(ca, 0o600); err != nil {
		t.Fatal(err)
	}
	l.load("a(old)", `zones/a.toml:7: pool.a.check.1.ca_file: `+ca+` is no regular file`)
	if err := os.Remove(ca); err != nil {
		t.Fatal(err)
	}
	write(t, ca, "x")
	l.load("a", "")
}

func TestHashIgnoresWhatCannotChangeAnAnswer(t *testing.T) {
	hash := func(db, pools string) [32]byte {
		t.Helper()
		set, problems := folderOf{"chat.toml": zoneHead + pools, "db": db}.validate(t)
		if len(set.Zones) != 1 {
			t.Fatal(problems)
		}
		return set.Zones[0].Hash
	}
	const db = "a A 192.0.2.1\nb MX 65 Mail.example.com.\nb MX 97 x.example.com.\nc HTTPS 1 . alpn=h2\n"
	want := hash(db, goodPool)
	for name, same := range map[string]string{
		"order":    "c HTTPS 1 . alpn=h2\nb MX 97 x.example.com.\nb MX 65 Mail.example.com.\na A 192.0.2.1\n",
		"case":     strings.ReplaceAll(strings.ReplaceAll(db, "a A", "A A"), "Mail.example.com", "mail.EXAMPLE.com"),
		"repeats":  db + db,
		"spelling": strings.ReplaceAll(db, "a A", "\\097 300 IN A"),
	} {
		if hash(same, goodPool) != want {
			t.Errorf("%s changes the hash", name)
		}
	}
	for name, other := range map[string]string{
		"address": strings.Replace(db, "192.0.2.1", "192.0.2.2", 1), "TTL": strings.Replace(db, "a A", "a 5 A", 1),
		"preference": strings.Replace(db, "97", "98", 1), "owner": strings.Replace(db, "a A", "b A", 1), "one less": strings.Split(db, "c HTTPS")[0],
	} {
		if hash(other, goodPool) == want {
			t.Errorf("%s does not change the hash", name)
		}
	}
	if hash(db, strings.Replace(goodPool, `["@", "www"]`, `["WWW", "@"]`, 1)) != want {
		t.Error("the order of answers changes the hash")
	}
	for _, edit := range []string{"192.0.2.20", "port = 80", `"www"`, `"b"`} {
		if hash(db, strings.Replace(goodPool, edit, strings.NewReplacer("2", "3", "8", "9", "w", "v", "b", "c").Replace(edit), 1)) == want {
			t.Errorf("another %s does not change the hash", edit)
		}
	}
}

// TestPoolHash: a pool's hash is the same wherever the folder is and in whatever order its answers are written, and any
// other edit changes it. It is no part of the zone's hash.
func TestPoolHash(t *testing.T) {
	hash := func(pools string) string {
		t.Helper()
		set, problems := folderOf{"chat.toml": zoneHead + pools, "db": "", "lead.toml": simpleZone("lead")}.validate(t)
		if len(set.Zones) != 2 {
			t.Fatal(problems)
		}
		return set.Pools[0].Hash
	}
	checked := strings.Replace(goodPool, "type = \"tcp\"\nport = 80\n", "type = \"file\"\nfile = \"states/{deployment}\"\n", 1)
	cold := strings.Replace(checked, "name = \"b\"\n", "name = \"b\"\ncold = true\n", 1)
	started := strings.Replace(cold, "cold = true\n", "cold = true\nstart = [\"x\"]\n", 1)
	want := hash(checked)
	if len(want) != 64 || strings.Trim(want, "0123456789abcdef") != "" {
		t.Errorf("hash %q", want)
	}
	if hash(checked) != want { // in another folder
		t.Error("the folder's place changes the hash")
	}
	if hash(strings.Replace(checked, `["@", "www"]`, `["www", "@"]`, 1)) != want {
		t.Error("the order of answers changes the hash")
	}
	follower := followText("chat", "www", "lead")
	seen := map[string]string{want: "the pool", hash(follower): "a follower", hash(strings.Replace(follower, "192.0.2.2", "192.0.2.3", 1)): "another follower"}
	for _, other := range []string{
		cold, started, strings.Replace(started, `"x"`, `"y"`, 1), strings.Replace(checked, "192.0.2.20", "192.0.2.21", 1),
		strings.Replace(checked, "states", "state", 1), strings.Replace(checked, `"b"`, `"c"`, 1),
	} {
		h := hash(other)
		if before, taken := seen[h]; taken {
			t.Errorf("%s\nhas the hash of\n%s", other, before)
		}
		seen[h] = other
	}
}

// TestHashesStay: nameservers of different versions agree on the zones that both can read.
func TestHashesStay(t *testing.T) {
	set, _ := folderOf{"chat.toml": zoneHead + goodPool, "db": "a A 192.0.2.1\n"}.validate(t)
	const (
		zone = "a64479d9abc3151a0bf49ee1254085d698dccd61499453d7db87603664cbe067"
		pool = "e99dc414374879b5df7184b9b8bbcece926db4c1174bbc0a4470fe817ad1a000"
	)
	if got := hex.EncodeToString(set.Zones[0].Hash[:]); got != zone {
		t.Errorf("the zone's hash is %s", got)
	}
	if got := set.Pools[0].Hash; got != pool {
		t.Errorf("the pool's hash is %s", got)
	}
	p := *set.Pools[0]
	p.Hash = "another"
	if hashPool(&p, "") != pool {
		t.Error("a pool's hash depends on itself")
	}
}

func TestSetIsSorted(t *testing.T) {
	l := newLab(t, nil)
	l.write("1.toml", simpleZone("b"))
	l.write("2.toml", simpleZone("a")+poolText("z", "z")+poolText("c", "c"))
	set := l.load("a b", "")
	var pools []string
	for _, p := range set.Pools {
		pools = append(pools, p.Name)
	}
	if !slices.Equal(pools, []string{"a", "b", "c", "z"}) {
		t.Errorf("pools %v", pools)
	}
	if in := set.Zones[0].Pools; in[0].Name != "a" || in[1].Name != "z" || in[2].Name != "c" {
		t.Error("a zone's pools are not in file order")
	}
	if set.Pool("z") != set.Zones[0].Pools[1] || set.Pool("none") != nil {
		t.Error("Set.Pool finds another")
	}
}

func TestOnlyWhatWasReadIsKept(t *testing.T) {
	l := newLab(t, nil)
	l.write("a.toml", strings.Replace(simpleZone("a"), "contact", "zonefile = \"sub/db\"\ncontact", 1))
	l.write("sub/db", "x A 192.0.2.1\n")
	l.load("a", "")
	root, err := os.OpenRoot(l.config.Zones)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	l.write("sub/db", "x A 192.0.2.2\n")
	v := readVersion(&folder{root: root, budget: 1 << 20}, settings{limit: 10}, "a.toml")
	l.write("sub/db", "x A 192.0.2.3\n") // between reading and keeping
	s := &store{dir: l.config.State, base: l.config.Zones}
	if _, err := s.write(root, v, "a.toml"); !errors.Is(err, errEdited) {
		t.Errorf("saved what was not read: %v", err)
	}
	kept, err := os.ReadFile(filepath.Join(l.config.State, "zones", "a.toml", "sub", "db"))
	if err != nil || string(kept) != "x A 192.0.2.1\n" {
		t.Errorf("kept %q, %v", kept, err)
	}
}

func TestKeptVersionThatIsDamagedIsSaidAndRepaired(t *testing.T) {
	l := newLab(t, nil)
	l.write("a.toml", simpleZone("a"))
	l.load("a", "")
	kept := filepath.Join(l.config.State, "zones", "a.toml", "a.toml")
	write(t, kept, "[zo")
	l.write("a.toml", "[")
	set, problems := NewLoader().Load(l.config)
	if len(set.Zones) != 0 || len(problems.Errors()) != 1 || len(problems.Warnings()) != 1 || !strings.Contains(problems.Warnings()[0].Message, "cannot be served") {
		t.Errorf("%v %v", set.Zones, problems)
	}
	l.write("a.toml", simpleZone("a"))
	if _, problems = NewLoader().Load(l.config); len(problems) != 0 {
		t.Error(problems)
	}
	if data, _ := os.ReadFile(kept); string(data) != simpleZone("a") {
		t.Error("the damaged copy was not replaced")
	}
}
