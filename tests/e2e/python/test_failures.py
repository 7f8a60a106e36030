"""Failures and retries, and what workflows make of them."""

import asyncio
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.api.enums.v1 import RetryState
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from harness.history import activities_of, all_of, one_of
from harness.workers import attempts, unique, worker

SHORT = timedelta(seconds=10)
QUICK = timedelta(milliseconds=20)
ONCE = RetryPolicy(maximum_attempts=1)


@activity.defn
async def process_item(item: str) -> str:
    if item.startswith("bad"):
        attempts.count()
        raise ApplicationError(
            f"cannot process {item}", type="InvalidInput" if "input" in item else None
        )
    return item.upper()


@workflow.defn(name="ErrorHandlingWorkflow")
class CarriesOn:
    @workflow.run
    async def run(self, items: list[str]) -> dict:
        successful, failed = [], []
        for item in items:
            try:
                policy = RetryPolicy(
                    initial_interval=QUICK,
                    maximum_attempts=3,
                    non_retryable_error_types=["InvalidInput"],
                )
                successful.append(
                    await workflow.execute_activity(
                        process_item, item, start_to_close_timeout=SHORT, retry_policy=policy
                    )
                )
            except ActivityError as error:
                state = error.retry_state.name if error.retry_state else ""
                failed.append([item, str(error.cause), state])
        return {"successful": len(successful), "failed": failed, "total": len(items)}


async def test_workflow_carries_on_after_failures(client: Client) -> None:
    """Seed 001, lines 3643-3672: three attempts, or one for a listed type, then the next item."""
    async with worker(client, [CarriesOn], [process_item]) as queue:
        handle = await client.start_workflow(
            CarriesOn.run, ["a", "bad", "bad input", "b"], id=unique("errors"), task_queue=queue
        )
        result = await handle.result()
    assert (result["successful"], result["total"]) == (2, 4)
    assert result["failed"] == [
        ["bad", "cannot process bad", "MAXIMUM_ATTEMPTS_REACHED"],
        ["bad input", "InvalidInput: cannot process bad input", "NON_RETRYABLE_FAILURE"],
    ]
    assert attempts.of(handle.id, "process_item") == 4


@activity.defn
async def risky_operation(data: str) -> str:
    attempts.count()
    raise ApplicationError(f"broken by {data}")


@workflow.defn(name="ErrorHandlingWorkflow")
class FallsBack:
    @workflow.run
    async def run(self, data: str) -> str:
        try:
            return await workflow.execute_activity(
                risky_operation,
                data,
                start_to_close_timeout=SHORT,
                retry_policy=RetryPolicy(initial_interval=QUICK, maximum_attempts=3),
            )
        except ActivityError as error:
            if "critical" in data:
                raise ApplicationError("Critical operation failed", non_retryable=True) from error
            return f"Failed with fallback: {error.cause}"


async def test_fallback(client: Client) -> None:
    """Seed 001, lines 6288-6312: not critical, so the failure becomes the result."""
    async with worker(client, [FallsBack], [risky_operation]) as queue:
        handle = await client.start_workflow(
            FallsBack.run, "x", id=unique("fallback"), task_queue=queue
        )
        assert await handle.result() == "Failed with fallback: broken by x"
        assert attempts.of(handle.id, "risky_operation") == 3


async def test_critical_failure_fails_the_workflow(client: Client) -> None:
    """Seed 001, lines 6306-6311: the chain of causes arrives at the client."""
    async with worker(client, [FallsBack], [risky_operation]) as queue:
        handle = await client.start_workflow(
            FallsBack.run, "critical", id=unique("fallback"), task_queue=queue
        )
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
        failure = caught.value.cause
        assert isinstance(failure, ApplicationError)
        assert failure.message == "Critical operation failed"
        assert isinstance(failure.cause, ActivityError)
        assert failure.cause.activity_type == "risky_operation"
        assert isinstance(failure.cause.cause, ApplicationError)
        assert failure.cause.cause.message == "broken by critical"
        failed = await one_of(handle, "WorkflowExecutionFailed")
        assert failed.retry_state == RetryState.RETRY_STATE_RETRY_POLICY_NOT_SET


@activity.defn
async def smart_error_handling(order_id: str) -> str:
    attempt = attempts.count()
    if order_id == "declined":
        raise ApplicationError("card declined", {"code": 51}, type="PaymentDeclinedError")
    if order_id == "invalid":
        raise ApplicationError("no such order", ["order_id"], type="ValidationError")
    if order_id == "busy" and attempt < 3:
        raise ApplicationError("rate limited", type="RateLimit", next_retry_delay=QUICK)
    if order_id == "lost":
        raise ApplicationError("unknown", type="Mystery", non_retryable=True)
    return f"txn-{order_id}"


@activity.defn
async def notify_customer(message: str) -> None:
    activity.logger.info(message)


@workflow.defn
class SmartOrderWorkflow:
    @workflow.run
    async def run(self, order_id: str) -> dict:
        try:
            transaction_id = await workflow.execute_activity(
                smart_error_handling,
                order_id,
                start_to_close_timeout=timedelta(seconds=30),
                retry_policy=RetryPolicy(
                    initial_interval=timedelta(hours=1),
                    maximum_attempts=5,
                    non_retryable_error_types=["ValidationError", "PaymentDeclinedError"],
                ),
            )
            return {"success": True, "transaction_id": transaction_id}
        except ActivityError as error:
            if isinstance(error.cause, ApplicationError):
                if error.cause.type == "PaymentDeclinedError":
                    await workflow.execute_activity(
                        notify_customer, "Payment declined", start_to_close_timeout=SHORT
                    )
                    return {"success": False, "reason": "insufficient_funds"}
                if error.cause.type == "ValidationError":
                    return {
                        "success": False,
                        "reason": "invalid_data",
                        "details": error.cause.details[0],
                    }
            raise


@pytest.mark.parametrize(
    ("order_id", "expected", "calls"),
    [
        ("good", {"success": True, "transaction_id": "txn-good"}, 1),
        ("busy", {"success": True, "transaction_id": "txn-busy"}, 3),
        ("declined", {"success": False, "reason": "insufficient_funds"}, 1),
        ("invalid", {"success": False, "reason": "invalid_data", "details": ["order_id"]}, 1),
    ],
)
async def test_errors_by_category(
    client: Client, order_id: str, expected: dict, calls: int
) -> None:
    """Seed 001, lines 6488-6494 and 6524-6556: the error's own delay beats the policy's hour."""
    async with worker(
        client, [SmartOrderWorkflow], [smart_error_handling, notify_customer]
    ) as queue:
        handle = await client.start_workflow(
            SmartOrderWorkflow.run, order_id, id=unique("smart"), task_queue=queue
        )
        assert await handle.result() == expected
        assert attempts.of(handle.id, "smart_error_handling") == calls


async def test_unhandled_category_fails_the_workflow(client: Client) -> None:
    """Seed 001, lines 6555-6556: the activity's error, raised again, fails the workflow."""
    async with worker(
        client, [SmartOrderWorkflow], [smart_error_handling, notify_customer]
    ) as queue:
        handle = await client.start_workflow(
            SmartOrderWorkflow.run, "lost", id=unique("smart"), task_queue=queue
        )
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
        assert isinstance(caught.value.cause, ActivityError)
        assert isinstance(caught.value.cause.cause, ApplicationError)
        assert caught.value.cause.cause.type == "Mystery"
        assert caught.value.cause.cause.non_retryable


@activity.defn
async def charge(amount: float, card_token: str) -> str:
    if card_token == "empty":
        raise ApplicationError("too little", {"missing": amount}, type="InsufficientFundsError")
    if card_token == "stolen":
        raise ApplicationError("declined", "call the bank", type="CardDeclinedError")
    return f"txn_{card_token}"


@activity.defn
async def send_notification(notification: dict) -> None:
    activity.logger.info("%s", notification)


@workflow.defn(name="PaymentWorkflow")
class PaymentWithDetails:
    @workflow.run
    async def run(self, amount: float, card_token: str) -> dict:
        try:
            transaction_id = await workflow.execute_activity(
                charge,
                args=[amount, card_token],
                start_to_close_timeout=timedelta(seconds=30),
                retry_policy=RetryPolicy(
                    maximum_attempts=3,
                    non_retryable_error_types=["InsufficientFundsError", "CardDeclinedError"],
                ),
            )
            return {"success": True, "transaction_id": transaction_id}
        except ActivityError as error:
            cause = error.cause
            assert isinstance(cause, ApplicationError)
            if cause.type == "InsufficientFundsError":
                declined = {"type": "payment_declined", "amount": amount}
                await workflow.execute_activity(
                    send_notification, declined, start_to_close_timeout=SHORT
                )
            return {"success": False, "error": cause.type, "details": list(cause.details)}


@pytest.mark.parametrize(
    ("card", "expected", "notified"),
    [
        ("visa", {"success": True, "transaction_id": "txn_visa"}, 0),
        (
            "empty",
            {"success": False, "error": "InsufficientFundsError", "details": [{"missing": 5.0}]},
            1,
        ),
        (
            "stolen",
            {"success": False, "error": "CardDeclinedError", "details": ["call the bank"]},
            0,
        ),
    ],
)
async def test_payment_errors_carry_details(
    client: Client, card: str, expected: dict, notified: int
) -> None:
    """Seed 001, lines 6805-6868."""
    async with worker(client, [PaymentWithDetails], [charge, send_notification]) as queue:
        handle = await client.start_workflow(
            PaymentWithDetails.run, args=[5.0, card], id=unique("payment"), task_queue=queue
        )
        assert await handle.result() == expected
        assert (await activities_of(handle)).count("send_notification") == notified


@workflow.defn
class ValidationWorkflow:
    @workflow.run
    async def run(self, data: dict) -> str:
        if not data.get("required_field"):
            raise ApplicationError(
                "Invalid workflow input: missing required_field",
                {"received_data": data},
                type="ValidationError",
                non_retryable=True,
            )
        return "Success"


async def test_validation_fails_the_workflow(client: Client) -> None:
    """Seed 001, lines 7221-7235: message, type, details and flag reach the client."""
    async with worker(client, [ValidationWorkflow]) as queue:
        good = await client.execute_workflow(
            ValidationWorkflow.run, {"required_field": 1}, id=unique("valid"), task_queue=queue
        )
        assert good == "Success"
        with pytest.raises(WorkflowFailureError) as caught:
            await client.execute_workflow(
                ValidationWorkflow.run, {"other": 1}, id=unique("invalid"), task_queue=queue
            )
    failure = caught.value.cause
    assert isinstance(failure, ApplicationError)
    assert failure.message == "Invalid workflow input: missing required_field"
    assert (failure.type, failure.non_retryable) == ("ValidationError", True)
    assert list(failure.details) == [{"received_data": {"other": 1}}]


@activity.defn
async def four_failures() -> str:
    if attempts.count() < 5:
        raise ValueError("not yet")
    return "fifth"


@workflow.defn
class FiveAttempts:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity(
            four_failures,
            start_to_close_timeout=SHORT,
            retry_policy=RetryPolicy(
                backoff_coefficient=2.0,
                maximum_attempts=5,
                initial_interval=timedelta(milliseconds=200),
                maximum_interval=timedelta(milliseconds=400),
            ),
        )


async def test_backoff_grows_to_the_maximum(client: Client) -> None:
    """Seed 002, lines 1208-1224: waits of 1, 2, 2 and 2 units (a fifth of a second each here)."""
    async with worker(client, [FiveAttempts], [four_failures]) as queue:
        handle = await client.start_workflow(
            FiveAttempts.run, id=unique("backoff"), task_queue=queue
        )
        assert await handle.result() == "fifth"
        (started,) = await all_of(handle, "ActivityTaskStarted")
        assert (started.attempt, started.last_failure.message) == (5, "not yet")
        assert started.last_failure.application_failure_info.type == "ValueError"
        events = {event.event_id: event for event in (await handle.fetch_history()).events}
        (done,) = await all_of(handle, "ActivityTaskCompleted")
        waited_ns = (
            events[done.started_event_id].event_time.ToNanoseconds()
            - events[done.scheduled_event_id].event_time.ToNanoseconds()
        )
        assert waited_ns >= 1_400_000_000, "the four waits add up to 1.4 s"


@workflow.defn
class FailsTwice:
    @workflow.run
    async def run(self) -> int:
        if workflow.info().attempt < 3:
            raise ApplicationError("again")
        return workflow.info().attempt


async def test_workflow_retry_policy(client: Client) -> None:
    """Seed 002, lines 1234-1243, and seed 001, lines 6685-6697: each attempt is a run of its own,
    and the client follows the chain to the result."""
    async with worker(client, [FailsTwice]) as queue:
        handle = await client.start_workflow(
            FailsTwice.run,
            id=unique("retried"),
            task_queue=queue,
            retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=2)),
        )
        assert await handle.result() == 3
        first = client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
        failed = await one_of(first, "WorkflowExecutionFailed")
        assert failed.retry_state == RetryState.RETRY_STATE_IN_PROGRESS
        second = client.get_workflow_handle(handle.id, run_id=failed.new_execution_run_id)
        started = await one_of(second, "WorkflowExecutionStarted")
        assert started.attempt == 2
        assert started.continued_failure.message == "again"
        assert started.first_execution_run_id == handle.first_execution_run_id


@workflow.defn
class FansIn:
    @workflow.run
    async def run(self) -> list[str]:
        outcomes = await asyncio.gather(
            *(
                workflow.execute_activity(
                    process_item, item, start_to_close_timeout=SHORT, retry_policy=ONCE
                )
                for item in ("a", "bad", "b")
            ),
            return_exceptions=True,
        )
        return [type(outcome).__name__ for outcome in outcomes]


async def test_gather_with_exceptions(client: Client) -> None:
    """Seed 001, lines 9248-9260."""
    async with worker(client, [FansIn], [process_item]) as queue:
        result = await client.execute_workflow(FansIn.run, id=unique("gather"), task_queue=queue)
    assert result == ["str", "ActivityError", "str"]
