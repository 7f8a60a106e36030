// Command load runs workflows with the official Go SDK against a server and prints, as JSON, what they took.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
)

// How long a server may take until it answers.
const patience = 30 * time.Second

// options are what the command line says.
type options struct {
	address     string
	namespace   string
	workload    string
	concurrency int
	workers     int
	pollers     int
	warmUp      time.Duration
	length      time.Duration
	serverPID   int
}

func parse(arguments []string) (options, error) {
	var o options
	var warmUp, length float64
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.StringVar(&o.address, "address", "127.0.0.1:7233", "`host:port` of the server")
	flags.StringVar(&o.namespace, "namespace", "default", "namespace, which must be there")
	flags.StringVar(&o.workload, "workload", "activities_3", "one of "+names())
	flags.IntVar(&o.concurrency, "concurrency", 64, "workflows at a time")
	flags.IntVar(&o.workers, "workers", 8, "workers on the queue, each of which polls 1,000 times a second at most")
	flags.IntVar(&o.pollers, "pollers", 4, "pollers of each worker, for workflow tasks and as many for activities")
	flags.Float64Var(&warmUp, "warm-up-seconds", 2, "how long it runs before it is measured")
	flags.Float64Var(&length, "seconds", 10, "how long it is measured")
	flags.IntVar(&o.serverPID, "server-pid", 0, "process of the server, to measure its processor time")
	if err := flags.Parse(arguments); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if _, known := workloads[o.workload]; !known {
		return o, fmt.Errorf("no workload is called %q: %s", o.workload, names())
	}
	if o.concurrency < 1 || o.workers < 1 || length <= 0 || warmUp < 0 {
		return o, errors.New("concurrency, workers and seconds must be more than nothing")
	}
	o.warmUp = time.Duration(warmUp * float64(time.Second))
	o.length = time.Duration(length * float64(time.Second))
	return o, nil
}

// dial connects to a server that may still be starting.
func dial(o options) (client.Client, error) {
	errorsOnly := slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})
	deadline := time.Now().Add(patience)
	for {
		c, err := client.Dial(client.Options{
			HostPort:  o.address,
			Namespace: o.namespace,
			Logger:    log.NewStructuredLogger(slog.New(errorsOnly)),
		})
		if err == nil || time.Now().After(deadline) {
			return c, err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func run(arguments []string) error {
	o, err := parse(arguments)
	if err != nil {
		return err
	}
	c, err := dial(o)
	if err != nil {
		return err
	}
	defer c.Close()
	figures, err := measure(context.Background(), c, o)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(figures)
}

func main() {
	switch err := run(os.Args[1:]); {
	case err == nil:
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}
