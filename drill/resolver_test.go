package drill_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/livens/livens/internal/lab"
	"github.com/livens/livens/internal/peertest"
)

// visitorTimeout is how long a visitor's computer waits for its resolver: twice 5 s, as most do.
const visitorTimeout = 10 * time.Second

// startResolver starts unbound on the host, which knows all nameservers of the zone, and a visitor who asks it all the
// time. It keeps answers for their TTL.
func (w *world) startResolver(host *lab.Host) *lab.Watch {
	w.t.Helper()
	watch := host.Watch(w.t, lab.Watched{Server: netip.AddrPortFrom(host.Addr, dnsPort), Name: zoneName, Timeout: visitorTimeout})
	peertest.Start(w.t, peertest.Spec{
		Tool: "unbound", Listen: host.Addr, Port: dnsPort, Enter: host.Enter,
		Setup: func(dir string, addr netip.AddrPort) ([]string, error) {
			file := filepath.Join(dir, "config")
			return []string{"-d", "-c", file}, os.WriteFile(file, []byte(w.unboundConfig(dir, addr)), 0o600)
		},
		Ready: func(netip.AddrPort) error {
			if got := watch.Timeline().At(time.Now()); got != w.primary.answer() {
				return errors.New("it answers " + got)
			}
			return nil
		},
	})
	return watch
}

func (w *world) unboundConfig(dir string, addr netip.AddrPort) string {
	var stubs strings.Builder
	for _, ns := range w.nameservers {
		fmt.Fprintf(&stubs, "    stub-addr: %s@%d\n", ns.dns().Addr(), ns.dns().Port())
	}
	return fmt.Sprintf(`server:
    interface: %s@%d
    directory: %q
    username: ""
    chroot: ""
    pidfile: ""
    use-syslog: no
    logfile: ""
    verbosity: 1
    num-threads: 1
    do-ip6: no
    module-config: "iterator"
    access-control: 10.0.0.0/8 allow
    local-zone: "test." nodefault
remote-control:
    control-enable: no
stub-zone:
    name: %q
%s`, addr.Addr(), addr.Port(), dir, zoneName, stubs.String())
}
