package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"
)

// steps is how many activities a workflow has, where it has any.
const steps = 3

// Far more than a step takes: a step that runs into it is a defect, and fails the run.
const stepTimeout = time.Minute

// workloads are the workflows by the names that reports give them.
var workloads = map[string]any{
	"activities_3":       Activities,
	"local_activities_3": LocalActivities,
	"activities_0":       Nothing,
}

func names() string {
	var all []string
	for name := range workloads {
		all = append(all, name)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// Add is the activity: as little as an activity can do and still have an input and a result to check.
func Add(_ context.Context, sum int) (int, error) {
	return sum + 1, nil
}

// Activities calls three activities, one after another.
func Activities(ctx workflow.Context, sum int) (int, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: stepTimeout})
	for range steps {
		if err := workflow.ExecuteActivity(ctx, Add, sum).Get(ctx, &sum); err != nil {
			return 0, err
		}
	}
	return sum, nil
}

// LocalActivities calls them within the workflow task.
func LocalActivities(ctx workflow.Context, sum int) (int, error) {
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: stepTimeout})
	for range steps {
		if err := workflow.ExecuteLocalActivity(ctx, Add, sum).Get(ctx, &sum); err != nil {
			return 0, err
		}
	}
	return sum, nil
}

// Nothing returns at once.
func Nothing(_ workflow.Context, sum int) (int, error) {
	return sum, nil
}

// check tells a wrong result, because figures of a server that errs mean nothing.
func check(workload string, input, result int) error {
	want := input + steps
	if workload == "activities_0" {
		want = input
	}
	if result != want {
		return fmt.Errorf("the result for %d is %d, expected %d", input, result, want)
	}
	return nil
}
