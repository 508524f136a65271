// Command demo shows the whole on one page: three nameservers, two chat deployments, a shop with a visitor and the console of an
// operator; and buttons that kill, stop, cut off and revive what keeps them talking. All are real processes on this host.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

const usage = `usage: demo [flags]

Starts three nameservers and two chat deployments, prints the URL of a page that shows them, and stays up until Ctrl-C, SIGTERM,
or SIGHUP unless that is ignored (nohup); a terminal is not needed. Then it ends all that it started and removes its files.

`

func main() {
	livens := flag.String("livens", "bin/livens", "the livens binary to show")
	livechat := flag.String("livechat", "bin/livechat", "the livechat binary to show")
	listen := flag.String("listen", "127.0.0.1:0", "where the page is; port 0: the kernel chooses one")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	defer stop()
	if err := run(ctx, *livens, *livechat, *listen); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// endings are the signals that end the demo. Who started it with nohup wants it to outlive the terminal.
func endings() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}

func run(ctx context.Context, livens, livechat, listen string) error {
	show, err := open(ctx, livens, livechat, listen)
	if err != nil {
		return err
	}
	defer show.close()
	fmt.Printf("\n  livens: three nameservers, two chat deployments, a visitor and an operator\n\n  %s\n\n", show.url())
	fmt.Printf("  Everything stays up until Ctrl-C or kill %d. Files and logs are in %s\n", os.Getpid(), show.cast.dir)
	<-ctx.Done()
	return nil
}

// show is the demo while it runs.
type show struct {
	cast   *cast
	page   net.Listener
	server *http.Server
	cancel context.CancelFunc
	parts  sync.WaitGroup
}

// open starts everything and returns once the chat is served.
func open(ctx context.Context, livens, livechat, listen string) (*show, error) {
	dir, err := os.MkdirTemp("", "livens-demo")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &show{cast: &cast{dir: dir}, cancel: cancel}
	if err := s.open(ctx, livens, livechat, listen); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *show) open(ctx context.Context, livens, livechat, listen string) (err error) {
	for _, binary := range []*string{&livens, &livechat} {
		if *binary, err = filepath.Abs(*binary); err != nil {
			return err
		}
	}
	if s.page, err = net.Listen("tcp", listen); err != nil {
		return err
	}
	if err := s.cast.prepare(livens, livechat, s.url()); err != nil {
		return err
	}
	if err := s.cast.start(ctx); err != nil {
		return err
	}
	watch := &watch{cast: s.cast}
	s.parts.Go(func() { watch.run(ctx) })
	s.server = &http.Server{Handler: handler(s.cast, watch), ReadHeaderTimeout: 5 * time.Second}
	s.parts.Go(func() { _ = s.server.Serve(s.page) }) // it ends when the demo does
	return nil
}

func (s *show) url() string { return "http://" + s.page.Addr().String() + "/" }

// close ends every process and removes the files.
func (s *show) close() {
	s.cancel()
	if s.server != nil {
		_ = s.server.Close() // nobody waits for an answer
	}
	s.parts.Wait()
	s.cast.end()
	if err := os.RemoveAll(s.cast.dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		fmt.Fprintln(os.Stderr, "demo: left behind:", err)
	}
}
