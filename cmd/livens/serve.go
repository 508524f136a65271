package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/livens/livens/zones"
)

func serveCommand() command {
	return command{
		name: "serve", summary: "answer DNS queries, and watch the deployments", noJSON: true,
		help: `
Runs the nameserver in the foreground until SIGTERM or SIGINT; a second signal ends it at once.

The configuration is read again on SIGHUP, when a file changes, and by livens reload. A change with
errors is refused zone by zone: what was good before is served on, also after a restart.

Log lines go to stderr. A server that is down and a configuration that is broken do not keep it from
starting; it exits with 1 only when there is no zone to serve, when it cannot listen for DNS, or when
another livens runs with the same state folder.

With [cluster] it is one of several nameservers, which agree on what they answer: at the start it waits
for their running decisions, two seconds at most, before it answers for a pool. Cut off from the
others it goes on to answer; livens status says how many are reached.

  livens serve
  livens serve --config ./livens.toml

Port 53 needs root or a capability: AmbientCapabilities=CAP_NET_BIND_SERVICE in the systemd unit, or
setcap cap_net_bind_service+ep on the binary. icmp checks need CAP_NET_RAW in the same way.`,
		bind: func(*flag.FlagSet) func(context.Context, *env, []string) error {
			return func(ctx context.Context, e *env, _ []string) error {
				return serve(untilSignal(ctx), e)
			}
		},
	}
}

// serve runs the nameserver until ctx is done.
func serve(ctx context.Context, e *env) error {
	signals := hangups()
	read := readConfig(e.config)
	if len(read.problems.Errors()) > 0 {
		good, _ := zones.LastGoodConfig(read.config)
		if good == nil {
			for _, p := range read.problems {
				fmt.Fprintln(e.stderr, p)
			}
			return errors.New("the configuration has errors, and no good one is kept from an earlier start")
		}
		read.config = good
	}
	var level slog.LevelVar
	_ = level.UnmarshalText([]byte(read.config.Log.Level)) // one of the four words
	log, flush := newLogger(e.stderr, read.config.Log.Format, &level)
	defer flush()
	in, err := newInstance(e.config, read.config, log, &level)
	if err != nil {
		return err
	}
	defer in.close()
	return in.run(ctx, read, signals)
}

// newLogger logs to a writer that may stand still. flush must come last.
func newLogger(to io.Writer, format string, level *slog.LevelVar) (log *slog.Logger, flush func()) {
	logger := func(to io.Writer) *slog.Logger {
		options := &slog.HandlerOptions{Level: level}
		if format == "json" {
			return slog.New(slog.NewJSONHandler(to, options))
		}
		return slog.New(slog.NewTextHandler(to, options))
	}
	direct := logger(to)
	w := newLogWriter(to, func(lost uint64) { direct.Warn("log lines were lost: their reader stood still", "lines", lost) })
	return logger(w), w.flush
}

// untilSignal is done at the first SIGTERM or SIGINT. By then the second one does what signals do:
// [signal.NotifyContext] would give that back only some time later.
func untilSignal(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		select {
		case <-signals:
		case <-ctx.Done():
		}
		signal.Stop(signals)
		cancel()
	}()
	return ctx
}

// hangups receives SIGHUP, from the first moment to the last: at no time may it end the process.
func hangups() <-chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c
}
