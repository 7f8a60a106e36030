"""Failures, retries and what workflows make of them: fallbacks, circuit breakers, dead letters."""

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
        raise ApplicationError(f"cannot process {item}", type="InvalidInput" if "input" in item else None)
    return item.upper()


@workflow.defn(name="ErrorHandlingWorkflow")
class CarriesOn:
    @workflow.run
    async def run(self, items: list[str]) -> dict:
        successful, failed = [], []
        for item in items:
            try:
                policy = RetryPolicy(
                    initial_interval=QUICK, maximum_attempts=3, non_retryable_error_types=["InvalidInput"]
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
        handle = await client.start_workflow(FallsBack.run, "x", id=unique("fallback"), task_queue=queue)
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
                    return {"success": False, "reason": "invalid_data", "details": error.cause.details[0]}
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
async def test_errors_by_category(client: Client, order_id: str, expected: dict, calls: int) -> None:
    """Seed 001, lines 6488-6494 and 6524-6556: the error's own delay beats the policy's hour."""
    async with worker(client, [SmartOrderWorkflow], [smart_error_handling, notify_customer]) as queue:
        handle = await client.start_workflow(
            SmartOrderWorkflow.run, order_id, id=unique("smart"), task_queue=queue
        )
        assert await handle.result() == expected
        assert attempts.of(handle.id, "smart_error_handling") == calls


async def test_unhandled_category_fails_the_workflow(client: Client) -> None:
    """Seed 001, lines 6555-6556: the activity's error, raised again, fails the workflow."""
    async with worker(client, [SmartOrderWorkflow], [smart_error_handling, notify_customer]) as queue:
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
                await workflow.execute_activity(send_notification, declined, start_to_close_timeout=SHORT)
            return {"success": False, "error": cause.type, "details": list(cause.details)}


@pytest.mark.parametrize(
    ("card", "expected", "notified"),
    [
        ("visa", {"success": True, "transaction_id": "txn_visa"}, 0),
        ("empty", {"success": False, "error": "InsufficientFundsError", "details": [{"missing": 5.0}]}, 1),
        ("stolen", {"success": False, "error": "CardDeclinedError", "details": ["call the bank"]}, 0),
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
async def external_service_call(request: str) -> str:
    if request.startswith("down"):
        raise ApplicationError("service down")
    return f"ok:{request}"


@workflow.defn
class CircuitBreakerWorkflow:
    def __init__(self) -> None:
        self.state, self.failures, self.successes = "closed", 0, 0
        self.last_failure = 0.0

    @workflow.run
    async def run(self, requests: list[str], threshold: int, timeout_s: float) -> dict:
        results = []
        for request in requests:
            if request == "wait":
                await workflow.sleep(timeout_s)
                continue
            try:
                results.append(await self.guarded(request, threshold, timeout_s))
            except ApplicationError as error:
                results.append(error.type or "failed")
            except ActivityError:
                results.append("failed")
        return {"results": results, "state": self.state}

    async def guarded(self, request: str, threshold: int, timeout_s: float) -> str:
        if self.state == "open":
            if workflow.time() - self.last_failure < timeout_s:
                raise ApplicationError("Circuit breaker is OPEN", type="CircuitBreakerOpen")
            self.state, self.successes = "half_open", 0
        try:
            result = await workflow.execute_activity(
                external_service_call, request, start_to_close_timeout=SHORT, retry_policy=ONCE
            )
        except ActivityError:
            self.failures += 1
            self.last_failure = workflow.time()
            if self.state == "half_open" or self.failures >= threshold:
                self.state = "open"
            raise
        self.successes += 1
        if self.state == "half_open" and self.successes >= 2:
            self.state, self.failures = "closed", 0
        return result


async def test_circuit_breaker(client: Client) -> None:
    """Seed 001, lines 7513-7594: opens after the threshold, half-opens after the timeout, closes
    after two good calls. The sample's 60 s are 1 s here."""
    requests = ["a", "down1", "down2", "b", "wait", "c", "d"]
    async with worker(client, [CircuitBreakerWorkflow], [external_service_call]) as queue:
        handle = await client.start_workflow(
            CircuitBreakerWorkflow.run, args=[requests, 2, 1.0], id=unique("breaker"), task_queue=queue
        )
        assert await handle.result() == {
            "results": ["ok:a", "failed", "failed", "CircuitBreakerOpen", "ok:c", "ok:d"],
            "state": "closed",
        }
        assert len(await activities_of(handle)) == 5, "an open circuit calls nothing"


@activity.defn
async def write_to_dlq(items: list[str]) -> int:
    return len(items)


@workflow.defn
class DLQWorkflow:
    @workflow.run
    async def run(self, items: list[str], base_s: float) -> dict:
        successful, dead = [], []
        for item in items:
            try:
                successful.append(await self.process(item, base_s))
            except ApplicationError as error:
                dead.append(error.details[0])
        written = 0
        if dead:
            written = await workflow.execute_activity(write_to_dlq, dead, start_to_close_timeout=SHORT)
        return {"successful": successful, "dlq_count": written}

    async def process(self, item: str, base_s: float) -> str:
        for retry in range(1, 4):
            try:
                return await workflow.execute_activity(
                    process_item, item, start_to_close_timeout=SHORT, retry_policy=ONCE
                )
            except ActivityError:
                if retry < 3:
                    await workflow.sleep(base_s * 2**retry)
        raise ApplicationError(f"{item} sent to DLQ after 3 failures", item, type="MaxRetriesExceeded")


async def test_dead_letter_queue(client: Client) -> None:
    """Seed 001, lines 7624-7693: three attempts with timers between, then the dead-letter activity."""
    async with worker(client, [DLQWorkflow], [process_item, write_to_dlq]) as queue:
        handle = await client.start_workflow(
            DLQWorkflow.run, args=[["a", "bad", "b"], 0.05], id=unique("dlq"), task_queue=queue
        )
        assert await handle.result() == {"successful": ["A", "B"], "dlq_count": 1}
        assert attempts.of(handle.id, "process_item") == 3
        waits = [timer.start_to_fire_timeout.ToMilliseconds() for timer in await all_of(handle, "TimerStarted")]
        assert waits == [100, 200]


@activity.defn
async def get_ml_recommendations(user_id: str) -> list[str]:
    attempts.count()
    if user_id != "ml":
        raise ApplicationError("model offline")
    return ["learned"]


@activity.defn
async def get_rule_based_recommendations(user_id: str) -> list[str]:
    if user_id == "nothing":
        raise ApplicationError("no rules")
    return ["by rule"]


@activity.defn
async def get_popular_items() -> list[str]:
    return ["popular"]


@workflow.defn
class GracefulDegradationWorkflow:
    @workflow.run
    async def run(self, user_id: str) -> dict:
        twice = RetryPolicy(maximum_attempts=2, initial_interval=QUICK)
        sources = [(get_ml_recommendations, "ml"), (get_rule_based_recommendations, "rules")]
        for source, name in sources:
            try:
                found = await workflow.execute_activity(
                    source, user_id, start_to_close_timeout=SHORT, retry_policy=twice
                )
                return {"recommendations": found, "source": name, "degraded": name != "ml"}
            except ActivityError:
                workflow.logger.info("falling back from %s", name)
        found = await workflow.execute_activity(get_popular_items, start_to_close_timeout=SHORT)
        return {"recommendations": found, "source": "popular", "degraded": True}


@pytest.mark.parametrize(
    ("user_id", "expected"),
    [("ml", ("ml", False)), ("rules", ("rules", True)), ("nothing", ("popular", True))],
)
async def test_graceful_degradation(client: Client, user_id: str, expected: tuple[str, bool]) -> None:
    """Seed 001, lines 9589-9646."""
    sources = [get_ml_recommendations, get_rule_based_recommendations, get_popular_items]
    async with worker(client, [GracefulDegradationWorkflow], sources) as queue:
        handle = await client.start_workflow(
            GracefulDegradationWorkflow.run, user_id, id=unique("degrade"), task_queue=queue
        )
        result = await handle.result()
        assert (result["source"], result["degraded"]) == expected
        assert attempts.of(handle.id, "get_ml_recommendations") == (1 if user_id == "ml" else 2)


@activity.defn
async def call_primary_service(request: str) -> str:
    if request.startswith("down"):
        raise ApplicationError("primary down")
    return f"primary:{request}"


@activity.defn
async def call_fallback_service(request: str) -> str:
    return f"fallback:{request}"


@workflow.defn
class CircuitBreakerFallbackWorkflow:
    @workflow.run
    async def run(self, requests: list[str], threshold: int) -> list[str]:
        results, failures = [], 0
        for request in requests:
            if failures < threshold:
                try:
                    results.append(
                        await workflow.execute_activity(
                            call_primary_service, request, start_to_close_timeout=SHORT, retry_policy=ONCE
                        )
                    )
                    failures = 0
                    continue
                except ActivityError:
                    failures += 1
            results.append(
                await workflow.execute_activity(
                    call_fallback_service, request, start_to_close_timeout=SHORT
                )
            )
        return results


async def test_circuit_breaker_with_fallback(client: Client) -> None:
    """Seed 001, lines 9662-9740: once the circuit is open the primary is not asked any more."""
    services = [call_primary_service, call_fallback_service]
    async with worker(client, [CircuitBreakerFallbackWorkflow], services) as queue:
        handle = await client.start_workflow(
            CircuitBreakerFallbackWorkflow.run,
            args=[["a", "down1", "down2", "b"], 2],
            id=unique("breaker"),
            task_queue=queue,
        )
        assert await handle.result() == ["primary:a", "fallback:down1", "fallback:down2", "fallback:b"]
        assert (await activities_of(handle)).count("call_primary_service") == 3


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
        handle = await client.start_workflow(FiveAttempts.run, id=unique("backoff"), task_queue=queue)
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
