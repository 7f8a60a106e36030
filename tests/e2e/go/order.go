// Package e2e proves with the official Go SDK that Abide runs its workflows.
package e2e

import (
	"context"
	"time"

	"go.temporal.io/sdk/workflow"
)

const (
	// ApproveSignal carries the name of who approves an order.
	ApproveSignal = "approve"
	// StatusQuery answers where an order stands.
	StatusQuery = "status"
)

// Reserve is the first activity of an order.
func Reserve(_ context.Context, orderID string) (string, error) {
	return "reserved " + orderID, nil
}

// Ship is the second activity of an order.
func Ship(_ context.Context, orderID, approver string) (string, error) {
	return "shipped " + orderID + " for " + approver, nil
}

// Order reserves, waits a moment, waits for the approval, and ships.
func Order(ctx workflow.Context, orderID string) ([]string, error) {
	status := "new"
	answer := func() (string, error) { return status, nil }
	if err := workflow.SetQueryHandler(ctx, StatusQuery, answer); err != nil {
		return nil, err
	}
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 10 * time.Second})

	var reserved string
	if err := workflow.ExecuteActivity(ctx, Reserve, orderID).Get(ctx, &reserved); err != nil {
		return nil, err
	}
	if err := workflow.Sleep(ctx, 100*time.Millisecond); err != nil {
		return nil, err
	}
	status = "waiting for approval"
	var approver string
	workflow.GetSignalChannel(ctx, ApproveSignal).Receive(ctx, &approver)

	var shipped string
	if err := workflow.ExecuteActivity(ctx, Ship, orderID, approver).Get(ctx, &shipped); err != nil {
		return nil, err
	}
	status = "shipped"
	return []string{reserved, shipped}, nil
}
