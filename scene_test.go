package livens_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livens/livens/dnsserver"
)

// scene is a scenario's nameservers, the networks between them, and the deployments that they watch.
//
// Without the command nameservers there is one, which knows of no others; what it prints bears no name.
type scene struct {
	t           *testing.T
	servers     map[string]*dnsserver.Server // by nameserver
	network     *network
	folder      string
	nameservers []*nameserver
	*printout
}

// newScene takes the DNS servers of the nameservers to come, for sockets live outside the bubble of fake time.
func newScene(t *testing.T, servers map[string]*dnsserver.Server) *scene {
	s := &scene{t: t, servers: servers, network: newNetwork(), folder: t.TempDir(), printout: newPrintout()}
	s.cast([]string{alone})
	return s
}

// alone is the name of a nameserver without others.
const alone = "ns1"

// cast makes nameservers: NAME or NAME@SITE; one whose name begins with "witness" answers nobody.
func (s *scene) cast(names []string) {
	s.nameservers = nil
	for i, word := range names {
		name, site, _ := strings.Cut(word, "@")
		n := &nameserver{scene: s, name: name, site: site, place: i, folder: s.folder, end: func() {}}
		n.witness = strings.HasPrefix(name, "witness")
		s.nameservers = append(s.nameservers, n)
	}
	for _, n := range s.nameservers {
		if s.several() {
			n.folder = filepath.Join(s.folder, n.name)
			s.must(os.Mkdir(n.folder, 0o700))
		}
		for _, dir := range []string{"zones", "state"} {
			s.must(os.Mkdir(filepath.Join(n.folder, dir), 0o700))
		}
		n.configure("")
	}
}

func (s *scene) several() bool { return len(s.nameservers) > 1 }

func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// do carries out one step and returns what it printed. NAME: before a command, or NAME,NAME:, gives it to those
// nameservers; else it is for all that can hear it.
func (s *scene) do(args []string, body string) string {
	s.begin()
	chosen := slices.DeleteFunc(slices.Clone(s.nameservers), func(n *nameserver) bool { return !n.hears(args[0]) })
	if names, ok := strings.CutSuffix(args[0], ":"); ok {
		chosen, args = s.named(strings.Split(names, ",")), args[1:]
	}
	switch args[0] {
	case "nameservers": // nameservers NAME[@SITE]...: these, in place of the one that there is
		s.cast(args[1:])
	case "host": // host ADDRESS up|refused|silent|frozen, or host ADDRESS /path STATUS
		s.network.set(args[1], args[2:])
	case "cut": // cut A B...: no packet passes between A and any B: nameservers, sites, deployments or addresses
		s.cut(args[1:], everything)
	case "cut-gossip": // the same of the packets between cluster ports only
		s.cut(args[1:], gossip)
	case "heal": // whatever is cut
		s.network.heal()
	case "advance": // advance DURATION
		time.Sleep(s.duration(args[1]))
	default:
		for _, n := range chosen {
			n.do(args, body)
		}
	}
	synctest.Wait()
	return s.text(s.several())
}

func (s *scene) named(names []string) []*nameserver {
	var out []*nameserver
	for _, name := range names {
		i := slices.IndexFunc(s.nameservers, func(n *nameserver) bool { return n.name == name })
		if i < 0 {
			s.t.Fatalf("no nameserver %q", name)
		}
		out = append(out, s.nameservers[i])
	}
	return out
}

func (s *scene) duration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	s.must(err)
	return d
}

// cut cuts the first word's ends from those of the others.
func (s *scene) cut(words []string, what traffic) {
	for _, other := range words[1:] {
		for _, a := range s.ends(words[0]) {
			for _, b := range s.ends(other) {
				s.network.cut(a, b, what)
			}
		}
	}
}

// ends are the names of nameservers, and the addresses, that a word of cut stands for.
func (s *scene) ends(word string) []string {
	var out []string
	for _, n := range s.nameservers {
		if n.name == word || n.site == word {
			out = append(out, n.name)
		}
	}
	for _, pool := range s.nameservers[0].pools() {
		for _, d := range pool.Deployments {
			if d.Name == word || d.Site == word {
				for _, a := range d.Addresses {
					out = append(out, a.String())
				}
			}
		}
	}
	if len(out) == 0 {
		out = []string{word}
	}
	return out
}

func (s *scene) stop() {
	for _, n := range s.nameservers {
		n.end()
	}
	s.network.close()
	synctest.Wait()
}
