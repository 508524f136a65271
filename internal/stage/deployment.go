package stage

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/livens/livens/internal/process"
)

// deploymentVariable turns a program that calls Main into a deployment; it holds "name address:port secure".
const deploymentVariable = "LIVENS_STAGE_DEPLOYMENT"

// Main must be called first by every program that starts deployments: they are further processes of the same program.
// In such a process it serves until it is killed, and never returns.
func Main() {
	what := os.Getenv(deploymentVariable)
	if what == "" {
		return
	}
	var name, addr string
	var secure bool
	if _, err := fmt.Sscan(what, &name, &addr, &secure); err != nil {
		fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, "%s answers\n", name) })
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Hour, ErrorLog: log.New(io.Discard, "", 0)} // no idle connection ends while anything is measured
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		fatal(err)
	}
	if _, err := os.NewFile(readyFile, "ready").WriteString("listening"); err != nil {
		fatal(err)
	}
	if secure {
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{selfSigned()}})
	}
	fatal(server.Serve(listener))
}

// selfSigned is a certificate for nobody in particular.
func selfSigned() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// readyFile is the descriptor, a pipe to its starter, on which a deployment says that it listens.
const readyFile = 3

func fatal(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// Deployment is a small web server with /healthz, as a process of its own.
type Deployment struct {
	Name string
	Addr netip.AddrPort
	TLS  bool // https, with a certificate that nobody has signed
	// Enter is where it starts, as for process.Start; nil: where this process is.
	Enter func() error
	run   *process.Process
}

// Start starts the process and waits until it accepts connections.
func (d *Deployment) Start(ctx context.Context) error {
	if err := d.start(ctx); err != nil {
		d.Kill()
		return fmt.Errorf("deployment %s: %w", d.Name, err)
	}
	return nil
}

func (d *Deployment) start(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	ready, listening, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ready.Close()
	defer listening.Close()
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %t", deploymentVariable, d.Name, d.Addr, d.TLS))
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = os.Stderr, os.Stderr, []*os.File{listening}
	if d.run, err = process.Start(cmd, d.Enter); err != nil {
		return err
	}
	listening.Close() // so that the end of the process ends the wait
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	context.AfterFunc(ctx, func() { ready.Close() })
	if _, err := ready.Read(make([]byte, 16)); err != nil {
		return fmt.Errorf("it does not listen on %v: %w", d.Addr, err)
	}
	return nil
}

// startLimit is how long a deployment may take until it listens.
const startLimit = 10 * time.Second

// Kill ends the process as kill -9 does: the kernel closes its sockets.
func (d *Deployment) Kill() {
	if d.run != nil {
		d.run.End(syscall.SIGKILL)
	}
}

// Freeze stops the process without closing anything (SIGSTOP): connections are accepted and nothing is answered.
func (d *Deployment) Freeze() error { return d.run.Signal(syscall.SIGSTOP) }

// Thaw lets a frozen process go on.
func (d *Deployment) Thaw() error { return d.run.Signal(syscall.SIGCONT) }
