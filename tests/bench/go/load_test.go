package main

import (
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"
)

// TestWorkloads runs each workflow in the SDK's own environment, with the check of the load.
func TestWorkloads(t *testing.T) {
	for name, workflow := range workloads {
		var suite testsuite.WorkflowTestSuite
		environment := suite.NewTestWorkflowEnvironment()
		environment.RegisterActivity(Add)
		environment.ExecuteWorkflow(workflow, 4)
		var result int
		if err := environment.GetWorkflowResult(&result); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := check(name, 4, result); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := check(name, 4, result+1); err == nil {
			t.Errorf("%s: a wrong result passes", name)
		}
	}
}

func TestSummary(t *testing.T) {
	var times []time.Duration
	for i := 200; i > 0; i-- {
		times = append(times, time.Duration(i)*time.Millisecond)
	}
	o := options{workload: "activities_0", concurrency: 2, serverPID: 1}
	f, err := summary(o, times, 2*time.Second, 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if f.P50MS != 100 || f.P90MS != 180 || f.P99MS != 198 || f.RatePerS != 100 || *f.ServerCPUMS != 0.5 {
		t.Errorf("%+v", f)
	}
	if _, err := summary(o, nil, time.Second, 0); err == nil {
		t.Error("figures of nothing")
	}
}

func TestCPUTime(t *testing.T) {
	got, err := parseCPUTime("7 (a b) c) S 1 7 7 0 -1 4194560 1 0 0 0 31 11 0 0 20 0 4 0 999 1 1")
	if err != nil || got != 420*time.Millisecond {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := parseCPUTime("7 (a) S 1"); err == nil {
		t.Error("time from too few fields")
	}
}

func TestArguments(t *testing.T) {
	o, err := parse([]string{"-workload", "activities_0", "--seconds", "0.5"})
	if err != nil || o.length != 500*time.Millisecond || o.concurrency != 64 {
		t.Errorf("%+v, %v", o, err)
	}
	if _, err := parse([]string{"--workload", "nonsense"}); err == nil || !strings.Contains(err.Error(), "activities_3") {
		t.Errorf("%v", err)
	}
}
