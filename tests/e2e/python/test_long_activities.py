"""Activities that take long: heartbeats, resuming, cancellation, completion from outside, and
local activities."""

import asyncio
import contextlib
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import AsyncActivityCancelledError, Client, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError

from harness.history import all_of, names_of, one_of
from harness.workers import attempts, unique, until, worker

SHORT = timedelta(seconds=20)
QUICK = timedelta(milliseconds=20)


@activity.defn
async def resumable_batch(total: int) -> str:
    details = activity.info().heartbeat_details
    start = details[0]["processed"] if details else 0
    for number in range(start, total):
        activity.heartbeat({"processed": number + 1})
        if attempts.count() == 3:
            raise ApplicationError("power cut")
    return f"Processed {total} items (resumed from {start})"


@workflow.defn
class BatchWorkflow:
    @workflow.run
    async def run(self, total: int) -> str:
        return await workflow.execute_activity(
            resumable_batch,
            total,
            start_to_close_timeout=timedelta(minutes=30),
            heartbeat_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(maximum_attempts=3, initial_interval=QUICK),
        )


async def test_next_attempt_resumes_from_the_heartbeat(client: Client) -> None:
    """Seed 001, lines 6917-6957: fails after the third item; the details of the last heartbeat are
    there in the second attempt."""
    async with worker(client, [BatchWorkflow], [resumable_batch]) as queue:
        handle = await client.start_workflow(
            BatchWorkflow.run, 6, id=unique("batch"), task_queue=queue
        )
        assert await handle.result() == "Processed 6 items (resumed from 3)"
        started = await one_of(handle, "ActivityTaskStarted")
        assert (started.attempt, started.last_failure.message) == (2, "power cut")


@activity.defn
async def cancellable(marker: str) -> str:
    try:
        while True:
            activity.heartbeat(marker)
            await asyncio.sleep(0.05)
    except asyncio.CancelledError:
        attempts.count()
        raise


@workflow.defn
class CancellableWorkflow:
    def __init__(self) -> None:
        self.caught = ""

    @workflow.run
    async def run(self, timeout_s: float) -> str:
        handle = workflow.start_activity(
            cancellable,
            "working",
            start_to_close_timeout=timedelta(minutes=30),
            heartbeat_timeout=timedelta(seconds=1),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        try:
            return await asyncio.wait_for(asyncio.shield(handle), timeout=timeout_s)
        except TimeoutError:
            handle.cancel()
            try:
                await handle
            except ActivityError as error:
                assert isinstance(error.cause, CancelledError)
            return "Operation timed out and was cancelled"


async def test_activity_is_cancelled_after_a_timeout(client: Client) -> None:
    """Seed 001, lines 7060-7136: the request reaches the activity by its heartbeat, it cleans up,
    and the history tells requested from canceled."""
    async with worker(client, [CancellableWorkflow], [cancellable]) as queue:
        handle = await client.start_workflow(
            CancellableWorkflow.run, 0.3, id=unique("cancellable"), task_queue=queue
        )
        assert await handle.result() == "Operation timed out and was cancelled"
        assert attempts.of(handle.id, "cancellable") == 1
        requested = await one_of(handle, "ActivityTaskCancelRequested")
        canceled = await one_of(handle, "ActivityTaskCanceled")
        assert requested.scheduled_event_id == canceled.scheduled_event_id == 5


async def test_workflow_is_cancelled_by_the_client(client: Client) -> None:
    """Seed 001, lines 7137-7154: cancel reaches the workflow, the workflow its activity; the
    result raises with a CancelledError as cause."""
    async with worker(client, [CancellableWorkflow], [cancellable]) as queue:
        handle = await client.start_workflow(
            CancellableWorkflow.run, 600.0, id=unique("cancelled"), task_queue=queue
        )

        async def heartbeating() -> bool:
            pending = (await handle.describe()).raw_description.pending_activities
            return bool(pending) and bool(pending[0].heartbeat_details.payloads)

        await until(heartbeating)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
        assert isinstance(caught.value.cause, CancelledError)
        names = await names_of(handle)
        assert names.count("WorkflowExecutionCancelRequested") == 1
        assert names[-1] == "WorkflowExecutionCanceled"
        await handle.cancel()
        assert await names_of(handle) == names, "a second request is accepted and does nothing"


@workflow.defn
class CleansUp:
    @workflow.run
    async def run(self) -> str:
        try:
            await workflow.wait_condition(lambda: False)
        except asyncio.CancelledError:
            return await workflow.execute_activity(clean_up, start_to_close_timeout=SHORT)
        return "never"


@activity.defn
async def clean_up() -> str:
    return "cleaned up"


async def test_cancelled_workflow_may_complete(client: Client) -> None:
    """Seed 001, lines 7080-7107: the workflow catches the cancellation and finishes its way."""
    async with worker(client, [CleansUp], [clean_up]) as queue:
        handle = await client.start_workflow(CleansUp.run, id=unique("cleanup"), task_queue=queue)
        await handle.cancel()
        assert await handle.result() == "cleaned up"


class Outside:
    """Hands task tokens from the activity to the test, which plays the outside system."""

    def __init__(self) -> None:
        self.tokens: dict[str, bytes] = {}


outside = Outside()


@activity.defn
async def completed_elsewhere() -> str:
    info = activity.info()
    outside.tokens[info.workflow_id or ""] = info.task_token
    activity.raise_complete_async()


@workflow.defn
class WaitsForOutside:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity(
            completed_elsewhere,
            activity_id="outside",
            start_to_close_timeout=timedelta(minutes=5),
            heartbeat_timeout=timedelta(minutes=1),
            retry_policy=RetryPolicy(maximum_attempts=1),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )


@contextlib.asynccontextmanager
async def waiting_for_outside(client: Client):
    """A run whose activity has returned without a result and waits for the outside system."""
    async with worker(client, [WaitsForOutside], [completed_elsewhere]) as queue:
        handle = await client.start_workflow(
            WaitsForOutside.run, id=unique("outside"), task_queue=queue
        )
        await until(lambda: handle.id in outside.tokens)
        yield handle


async def test_completion_by_token(client: Client) -> None:
    """Seed 002, lines 1080-1115: heartbeat and complete with the captured token."""
    async with waiting_for_outside(client) as handle:
        remote = client.get_async_activity_handle(task_token=outside.tokens[handle.id])
        await remote.heartbeat("half way")
        (pending,) = (await handle.describe()).raw_description.pending_activities
        assert pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
        assert await client.data_converter.decode(pending.heartbeat_details.payloads) == [
            "half way"
        ]
        await remote.complete("Completion value.")
        assert await handle.result() == "Completion value."
        completed = await one_of(handle, "ActivityTaskCompleted")
        assert await client.data_converter.decode(completed.result.payloads) == [
            "Completion value."
        ]


async def test_completion_by_id(client: Client) -> None:
    """Seed 002, lines 1093 and 1158-1165: ids of workflow, run and activity instead of a token."""
    async with waiting_for_outside(client) as handle:
        remote = client.get_async_activity_handle(
            workflow_id=handle.id, run_id=handle.result_run_id, activity_id="outside"
        )
        await remote.complete("by id")
        assert await handle.result() == "by id"


async def test_failure_from_outside(client: Client) -> None:
    """Seed 002, line 1111: the outside system fails the activity."""
    async with waiting_for_outside(client) as handle:
        remote = client.get_async_activity_handle(task_token=outside.tokens[handle.id])
        await remote.fail(ApplicationError("outside failed", type="Outside"))
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
        assert isinstance(caught.value.cause, ActivityError)
        assert isinstance(caught.value.cause.cause, ApplicationError)
        assert caught.value.cause.cause.type == "Outside"


async def test_cancellation_reported_from_outside(client: Client) -> None:
    """Seed 002, lines 1080-1111: the heartbeat tells of the request, the outside system reports
    that it stopped."""
    async with waiting_for_outside(client) as handle:
        remote = client.get_async_activity_handle(task_token=outside.tokens[handle.id])
        await handle.cancel()

        async def told() -> bool:
            try:
                await remote.heartbeat()
                return False
            except AsyncActivityCancelledError:
                return True

        await until(told)
        await remote.report_cancellation()
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
        assert isinstance(caught.value.cause, CancelledError)
        assert (await names_of(handle)).count("ActivityTaskCanceled") == 1


CHARGED: set[str] = set()


@activity.defn
async def charge_once(amount: float, key: str) -> bool:
    """True the first time that a key is seen; fails once after having charged."""
    first = key not in CHARGED
    CHARGED.add(key)
    if attempts.count() == 1:
        raise ApplicationError("lost the answer")
    return first


@workflow.defn(name="PaymentWorkflow")
class LocalPayment:
    @workflow.run
    async def run(self, amount: float) -> bool:
        return await workflow.execute_local_activity(
            charge_once,
            args=[amount, f"{workflow.info().workflow_id}-payment"],
            start_to_close_timeout=timedelta(seconds=5),
            retry_policy=RetryPolicy(initial_interval=QUICK),
        )


async def test_local_activity_leaves_a_marker(client: Client) -> None:
    """Seed 001, lines 14605-14655: tried twice, charged once thanks to the key; in the history it
    is one marker and no activity event."""
    async with worker(client, [LocalPayment], [charge_once]) as queue:
        handle = await client.start_workflow(
            LocalPayment.run, 10.0, id=unique("payment"), task_queue=queue
        )
        assert await handle.result() is False
        assert attempts.of(handle.id, "charge_once") == 2
        marker = await one_of(handle, "MarkerRecorded")
        assert marker.marker_name == "core_local_activity"
        assert not any(name.startswith("ActivityTask") for name in await names_of(handle))


@activity.defn
async def slow_local() -> str:
    await asyncio.sleep(2.5)
    return "at last"


@workflow.defn
class SlowLocal:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_local_activity(slow_local, start_to_close_timeout=SHORT)


async def test_long_local_activity_extends_its_task(client: Client) -> None:
    """Seed 002, lines 1182-1188: at 80 % of the task timeout (one second here) the worker asks for
    another workflow task; each costs three events and the run goes on."""
    async with worker(client, [SlowLocal], [slow_local]) as queue:
        handle = await client.start_workflow(
            SlowLocal.run, id=unique("local"), task_queue=queue, task_timeout=timedelta(seconds=1)
        )
        assert await handle.result() == "at last"
        names = await names_of(handle)
        assert names.count("WorkflowTaskCompleted") >= 3
        assert "WorkflowTaskTimedOut" not in names
        assert len(await all_of(handle, "MarkerRecorded")) == 1
