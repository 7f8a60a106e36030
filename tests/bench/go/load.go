package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
)

// figures are what a workload showed.
type figures struct {
	Workload    string   `json:"workload"`
	Concurrency int      `json:"concurrency"`
	Count       int      `json:"count"`
	Seconds     float64  `json:"seconds"`
	RatePerS    float64  `json:"rate_per_s"`
	P50MS       float64  `json:"p50_ms"`
	P90MS       float64  `json:"p90_ms"`
	P99MS       float64  `json:"p99_ms"`
	ServerCPUMS *float64 `json:"server_cpu_ms"`
}

// load is a closed loop of clients, each of which starts the next workflow when it has the result of the last.
type load struct {
	client  client.Client
	options options
	queue   string
	// isMeasured is set while what ends counts.
	isMeasured atomic.Bool
	next       atomic.Int64

	mutex sync.Mutex
	times []time.Duration
}

// work starts the workers of a load. What it answers stops those that have started.
func (l *load) work() (stop func(), err error) {
	var workers []worker.Worker
	stop = func() {
		var stopping sync.WaitGroup
		for _, w := range workers {
			stopping.Go(w.Stop)
		}
		stopping.Wait()
	}
	for range l.options.workers {
		w := worker.New(l.client, l.queue, worker.Options{
			MaxConcurrentWorkflowTaskPollers: l.options.pollers,
			MaxConcurrentActivityTaskPollers: l.options.pollers,
		})
		w.RegisterWorkflow(workloads[l.options.workload])
		w.RegisterActivity(Add)
		if err := w.Start(); err != nil {
			return stop, err
		}
		workers = append(workers, w)
	}
	return stop, nil
}

// measure runs the workers and the clients of one workload.
func measure(ctx context.Context, c client.Client, o options) (*figures, error) {
	l := &load{client: c, options: o, queue: fmt.Sprintf("load-%d", time.Now().UnixNano())}
	stop, err := l.work()
	defer stop()
	if err != nil {
		return nil, err
	}

	ctx, fail := context.WithCancelCause(ctx)
	var clients sync.WaitGroup
	defer clients.Wait()
	defer fail(nil)
	for range o.concurrency {
		clients.Go(func() {
			for ctx.Err() == nil {
				if err := l.one(ctx); err != nil && ctx.Err() == nil {
					fail(err)
				}
			}
		})
	}
	if err := wait(ctx, o.warmUp); err != nil {
		return nil, err
	}
	before, err := cpuTime(o.serverPID)
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	l.isMeasured.Store(true)
	if err := wait(ctx, o.length); err != nil {
		return nil, err
	}
	l.isMeasured.Store(false)
	length := time.Since(begin)
	after, err := cpuTime(o.serverPID)
	if err != nil {
		return nil, err
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return summary(o, l.times, length, after-before)
}

// one runs a workflow from start to result.
func (l *load) one(ctx context.Context) error {
	number := int(l.next.Add(1))
	begin := time.Now()
	start := client.StartWorkflowOptions{ID: fmt.Sprintf("%s-%d", l.queue, number), TaskQueue: l.queue}
	run, err := l.client.ExecuteWorkflow(ctx, start, workloads[l.options.workload], number)
	if err != nil {
		return err
	}
	var result int
	if err := run.Get(ctx, &result); err != nil {
		return err
	}
	took := time.Since(begin)
	if l.isMeasured.Load() {
		l.mutex.Lock()
		l.times = append(l.times, took)
		l.mutex.Unlock()
	}
	return check(l.options.workload, number, result)
}

// wait lets the load run, unless it fails before.
func wait(ctx context.Context, length time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(length):
		return nil
	}
}

func summary(o options, times []time.Duration, length, cpu time.Duration) (*figures, error) {
	if len(times) == 0 {
		return nil, fmt.Errorf("no workflow ended within %s", length)
	}
	slices.Sort(times)
	at := func(percent int) float64 {
		rank := max((len(times)*percent+99)/100, 1)
		return milliseconds(times[rank-1])
	}
	f := &figures{
		Workload: o.workload, Concurrency: o.concurrency,
		Count: len(times), Seconds: length.Seconds(), RatePerS: float64(len(times)) / length.Seconds(),
		P50MS: at(50), P90MS: at(90), P99MS: at(99),
	}
	if o.serverPID != 0 {
		each := milliseconds(cpu) / float64(len(times))
		f.ServerCPUMS = &each
	}
	return f, nil
}

func milliseconds(d time.Duration) float64 {
	return float64(d) / float64(time.Millisecond)
}
