// Command tour shows several nameservers as one on a terminal: three nameservers, two small deployments; deployments and
// nameservers are killed and brought back, orders given; and what a visitor's resolver would see of it, measured.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/livens/livens/internal/stage"
)

// name is what the tour asks for.
const name = "chat.example.com"

func main() {
	stage.Main()
	binary := flag.String("livens", "bin/livens", "the livens binary to show")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if _, err := run(ctx, *binary); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "tour:", err)
		os.Exit(1)
	}
}

// run shows everything and returns what it came to.
func run(ctx context.Context, binary string) (*story, error) {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "livens-tour")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	s, err := raise(ctx, binary, dir)
	if err != nil {
		return nil, err
	}
	defer s.strike()
	if err := s.tell(ctx); err != nil {
		return nil, err
	}
	return s, s.stayUp(ctx)
}

// stayUp leaves everything running for whoever sits at the terminal; where nobody does, the tour is over.
func (s *story) stayUp(ctx context.Context) error {
	if !stage.IsTerminal(os.Stdin) {
		fmt.Println("Nobody sits at a terminal: the tour is over.")
		return nil
	}
	status, err := s.servers[0].ns.Client.Status(ctx)
	if err != nil {
		return err
	}
	at := s.servers[0].DNS
	fmt.Printf(`
It all stays up until Ctrl-C; the page of ns1 is http://%s/
In another terminal:

  cd %s
  dig @%s -p %d %s
  %s status --config ns1/livens.toml
`, status.Listen.HTTP, filepath.Dir(s.servers[0].dir), at.Addr(), at.Port(), name, s.binary)
	<-ctx.Done()
	return nil
}
