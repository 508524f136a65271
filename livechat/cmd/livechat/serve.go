package main

import (
	"context"
	"flag"
	"io"
	"log/slog"

	"github.com/livens/livens/livechat/config"
	"github.com/livens/livens/livechat/deployment"
)

func serveCommand() command {
	return command{
		name: "serve", summary: "run the deployment",
		help: `
Runs in the foreground until SIGTERM or SIGINT. Clients are told then (close code 1012), and go to the other deployment;
a second signal ends it at once. Log lines go to stderr; the one that says "listening" has the address, also when the
configuration left the port to the kernel (listen = "127.0.0.1:0").

  livechat serve --config /etc/livechat/livechat.toml

  /chat         the WebSocket of visitors and operators       /         the page with the chat button
  /link         that of the other deployment                  /operator the operator's console
  /healthz      200 while a message can be stored             /client.json, /livens.js   for pages of your own
  /syncz        200 while both deployments hold the same: the gate of livens' failback
`,
		bind: func(flags *flag.FlagSet) func(context.Context, io.Writer, io.Writer) error {
			path := configFlag(flags)
			return func(ctx context.Context, _, stderr io.Writer) error {
				c, err := config.Load(*path)
				if err != nil {
					return err
				}
				d, err := deployment.Open(c, buildVersion(), slog.New(slog.NewTextHandler(stderr, nil)))
				if err != nil {
					return err
				}
				return d.Run(ctx)
			}
		},
	}
}

func configFlag(flags *flag.FlagSet) *string {
	return flags.String("config", "livechat.toml", "the configuration `file`")
}
