// Command demo shows one failover on a terminal: a nameserver, two small deployments, one of them killed and brought
// back, and what a resolver would see of it, measured.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"text/template"

	"golang.org/x/sys/unix"

	"github.com/livens/livens/internal/process"
	"github.com/livens/livens/internal/stage"
)

//go:embed chat.example.com.toml
var zone string

// name is what the demo asks for.
const name = "chat.example.com"

func main() {
	stage.Main()
	binary := flag.String("livens", "bin/livens", "the livens binary to show")
	listen := flag.String("listen", "127.0.0.1:5300", "where the nameserver answers")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if _, err := run(ctx, *binary, *listen); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// run shows everything and returns what it came to.
func run(ctx context.Context, binary, listen string) (*story, error) {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "livens-demo")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	primary, redundant, err := deployments(ctx)
	if err != nil {
		return nil, err
	}
	defer primary.Kill()
	defer redundant.Kill()
	ns, err := nameserver(ctx, binary, dir, listen, primary.Addr.Port())
	if err != nil {
		return nil, err
	}
	defer ns.Stop()
	fmt.Printf("\n%s\n\n  nameserver  %s\n  primary     %s\n  redundant   %s\n\n",
		bold("livens: one nameserver, two deployments, one failover"), ns.DNS, primary.Addr, redundant.Addr)
	s := &story{ns: ns, primary: primary, names: map[netip.Addr]string{
		primary.Addr.Addr(): "primary", redundant.Addr.Addr(): "redundant",
	}}
	if err := s.tell(ctx); err != nil {
		return nil, err
	}
	return s, stayUp(ctx, ns, binary)
}

func deployments(ctx context.Context) (primary, redundant *stage.Deployment, err error) {
	one, two := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")
	port, err := process.FreePort(one, two)
	if err != nil {
		return nil, nil, err
	}
	primary = &stage.Deployment{Name: "primary", Addr: netip.AddrPortFrom(one, port)}
	redundant = &stage.Deployment{Name: "redundant", Addr: netip.AddrPortFrom(two, port)}
	if err := primary.Start(ctx); err != nil {
		return nil, nil, err
	}
	if err := redundant.Start(ctx); err != nil {
		primary.Kill()
		return nil, nil, err
	}
	return primary, redundant, nil
}

func nameserver(ctx context.Context, binary, dir, listen string, port uint16) (*stage.Nameserver, error) {
	var text strings.Builder
	if err := template.Must(template.New("zone").Parse(zone)).Execute(&text, struct{ Port uint16 }{port}); err != nil {
		return nil, err
	}
	config := fmt.Sprintf("name = \"ns1\"\nlisten = [%q]\n[dns]\ndebug_names = true\n[http]\nlisten = \"127.0.0.1:0\"\n", listen)
	return stage.StartNameserver(ctx, binary, dir, config, map[string]string{name + ".toml": text.String()}, nil)
}

// stayUp leaves everything running for whoever sits at the terminal; where nobody does, the demo is over.
func stayUp(ctx context.Context, ns *stage.Nameserver, binary string) error {
	if !isTerminal(os.Stdin) {
		fmt.Println("Nobody sits at a terminal: the demo is over.")
		return nil
	}
	status, err := ns.Client.Status(ctx)
	if err != nil {
		return err
	}
	fmt.Printf(`It all stays up until Ctrl-C. In another terminal:

  dig @%s -p %d %s
  dig @%s -p %d _livens.%s TXT
  %s status --config %s
  %s explain %s --config %s
  %s drain chat primary --reason "my own hands" --config %s

The status page is http://%s/, the zone file %s.
`, ns.DNS.Addr(), ns.DNS.Port(), name, ns.DNS.Addr(), ns.DNS.Port(), name, binary, ns.Config, binary, name, ns.Config, binary, ns.Config,
		status.Listen.HTTP, filepath.Join(filepath.Dir(ns.Config), "zones", name+".toml"))
	<-ctx.Done()
	return nil
}

// isTerminal says that somebody may be looking.
func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	return err == nil
}
