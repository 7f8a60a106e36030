package e2e

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

const taskQueue = "go-orders"

// binary finds the server: ABIDE_BIN, else the newest build of the repository.
func binary(t *testing.T) string {
	t.Helper()
	if named := os.Getenv("ABIDE_BIN"); named != "" {
		return named
	}
	newest, newestAt := "", time.Time{}
	for _, profile := range []string{"debug", "release"} {
		path, err := filepath.Abs(filepath.Join("..", "..", "..", "target", profile, "abide"))
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err == nil && info.ModTime().After(newestAt) {
			newest, newestAt = path, info.ModTime()
		}
	}
	if newest == "" {
		t.Fatal("no abide binary: build it, or name one in ABIDE_BIN")
	}
	return newest
}

// devServer starts the binary with the SDK's own launcher and stops it at the end of the test.
func devServer(t *testing.T) client.Client {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	server, err := testsuite.StartDevServer(ctx, testsuite.DevServerOptions{
		ExistingPath: binary(t),
		DBFilename:   filepath.Join(t.TempDir(), "abide.db"),
		LogLevel:     "warn",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The launcher ends the server with a signal, which its exit status tells.
		_ = server.Stop()
	})
	return server.Client()
}

// startWorker runs a worker that knows the order until the test ends.
func startWorker(t *testing.T, c client.Client) {
	t.Helper()
	orders := worker.New(c, taskQueue, worker.Options{})
	orders.RegisterWorkflow(Order)
	orders.RegisterActivity(Reserve)
	orders.RegisterActivity(Ship)
	if err := orders.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(orders.Stop)
}

// waitForStatus queries until the workflow answers as wanted.
func waitForStatus(t *testing.T, ctx context.Context, c client.Client, id, want string) {
	t.Helper()
	for {
		value, err := c.QueryWorkflow(ctx, id, "", StatusQuery)
		var status string
		if err == nil {
			err = value.Get(&status)
		}
		if err == nil && status == want {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("status %q, error %v, wanted %q", status, err, want)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// TestOrder: two activities, a timer, a signal and a query, with result, answers and history.
func TestOrder(t *testing.T) {
	c := devServer(t)
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()

	startWorker(t, c)

	options := client.StartWorkflowOptions{ID: "order-1", TaskQueue: taskQueue}
	run, err := c.ExecuteWorkflow(ctx, options, Order, "o1")
	if err != nil {
		t.Fatal(err)
	}
	waitForStatus(t, ctx, c, run.GetID(), "waiting for approval")
	if err := c.SignalWorkflow(ctx, run.GetID(), run.GetRunID(), ApproveSignal, "Ann"); err != nil {
		t.Fatal(err)
	}
	var result []string
	if err := run.Get(ctx, &result); err != nil {
		t.Fatal(err)
	}
	if want := []string{"reserved o1", "shipped o1 for Ann"}; !reflect.DeepEqual(result, want) {
		t.Errorf("result %v, wanted %v", result, want)
	}
	waitForStatus(t, ctx, c, run.GetID(), "shipped")

	counts := map[enumspb.EventType]int{}
	events := c.GetWorkflowHistory(ctx, run.GetID(), run.GetRunID(), false,
		enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for number := int64(1); events.HasNext(); number++ {
		event, err := events.Next()
		if err != nil {
			t.Fatal(err)
		}
		if event.GetEventId() != number {
			t.Errorf("event %d has id %d", number, event.GetEventId())
		}
		counts[event.GetEventType()]++
	}
	for kind, want := range map[enumspb.EventType]int{
		enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:      2,
		enumspb.EVENT_TYPE_TIMER_FIRED:                  1,
		enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:  1,
		enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: 1,
	} {
		if counts[kind] != want {
			t.Errorf("%d events %v, wanted %d", counts[kind], kind, want)
		}
	}
}

// TestReplayer: the history of a run on the server replays with the SDK's replayer.
func TestReplayer(t *testing.T) {
	c := devServer(t)
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()

	startWorker(t, c)

	options := client.StartWorkflowOptions{TaskQueue: taskQueue}
	run, err := c.SignalWithStartWorkflow(ctx, "order-2", ApproveSignal, "Bob", options, Order, "o2")
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Get(ctx, nil); err != nil {
		t.Fatal(err)
	}
	replayer := worker.NewWorkflowReplayer()
	replayer.RegisterWorkflow(Order)
	execution := workflow.Execution{ID: run.GetID(), RunID: run.GetRunID()}
	if err := replayer.ReplayWorkflowExecution(ctx, c.WorkflowService(), nil, "default", execution); err != nil {
		t.Error(err)
	}
}
