"""The timeouts of activities and of workflows, each of them expiring."""

import asyncio
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.api.enums.v1 import RetryState
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, TimeoutError, TimeoutType

from harness.history import all_of, names_of, one_of
from harness.workers import attempts, unique, worker

NOT_ENOUGH_TIME = (
    "Not enough time to schedule next retry before activity ScheduleToClose timeout, "
    "giving up retrying"
)


@activity.defn
async def quick() -> str:
    return "quick"


@activity.defn
async def silent() -> str:
    attempts.count()
    await asyncio.sleep(3600)
    return "never"


@activity.defn
async def beats_once() -> str:
    attempts.count()
    activity.heartbeat("last words")
    await asyncio.sleep(3600)
    return "never"


@workflow.defn
class TimeoutDemoWorkflow:
    @workflow.run
    async def run(self) -> list[str]:
        combinations = [
            {
                "start_to_close_timeout": timedelta(seconds=5),
                "schedule_to_close_timeout": timedelta(seconds=30),
            },
            {
                "start_to_close_timeout": timedelta(minutes=30),
                "heartbeat_timeout": timedelta(seconds=30),
                "schedule_to_close_timeout": timedelta(hours=2),
            },
            {
                "start_to_close_timeout": timedelta(seconds=10),
                "schedule_to_start_timeout": timedelta(minutes=5),
                "schedule_to_close_timeout": timedelta(minutes=10),
            },
        ]
        return [await workflow.execute_activity(quick, **timeouts) for timeouts in combinations]


async def test_three_combinations(client: Client) -> None:
    """Seed 001, lines 7021-7046: all met; the events carry them, the unset ones filled in."""
    async with worker(client, [TimeoutDemoWorkflow], [quick]) as queue:
        handle = await client.start_workflow(
            TimeoutDemoWorkflow.run, id=unique("timeouts"), task_queue=queue
        )
        assert await handle.result() == ["quick"] * 3
        api, batch, scalable = await all_of(handle, "ActivityTaskScheduled")
        assert (api.start_to_close_timeout.seconds, api.schedule_to_start_timeout.seconds) == (
            5,
            30,
        )
        assert (batch.heartbeat_timeout.seconds, batch.schedule_to_close_timeout.seconds) == (
            30,
            7200,
        )
        assert (scalable.schedule_to_start_timeout.seconds, scalable.heartbeat_timeout.seconds) == (
            300,
            0,
        )


@workflow.defn
class OneActivity:
    @workflow.run
    async def run(
        self, name: str, timeouts_s: dict[str, float], tries: int, queue: str | None
    ) -> str:
        return await workflow.execute_activity(
            name,
            task_queue=queue,
            retry_policy=RetryPolicy(maximum_attempts=tries),
            **{key: timedelta(seconds=seconds) for key, seconds in timeouts_s.items()},
        )


async def fails_with(handle) -> tuple[ActivityError, TimeoutError]:
    """The activity error and the timeout that the workflow failed with."""
    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result()
    error = caught.value.cause
    assert isinstance(error, ActivityError)
    assert isinstance(error.cause, TimeoutError)
    return error, error.cause


async def test_start_to_close_is_retried(client: Client) -> None:
    """Seed 001, lines 635-676, seed 002, lines 937-967: each of two attempts gets the time."""
    async with worker(client, [OneActivity], [silent]) as queue:
        handle = await client.start_workflow(
            OneActivity.run,
            args=["silent", {"start_to_close_timeout": 0.5}, 2, None],
            id=unique("timeout"),
            task_queue=queue,
        )
        error, timeout = await fails_with(handle)
        assert timeout.type == TimeoutType.START_TO_CLOSE
        assert timeout.message == "activity StartToClose timeout"
        assert error.retry_state is not None
        assert error.retry_state.name == "MAXIMUM_ATTEMPTS_REACHED"
        assert attempts.of(handle.id, "silent") == 2


async def test_schedule_to_start_without_a_worker(client: Client) -> None:
    """Seed 001, lines 648-660: nobody polls the activity's queue; not retried, no Started event."""
    async with worker(client, [OneActivity]) as queue:
        handle = await client.start_workflow(
            OneActivity.run,
            args=[
                "silent",
                {"schedule_to_start_timeout": 0.5, "start_to_close_timeout": 5},
                5,
                unique("nobody"),
            ],
            id=unique("timeout"),
            task_queue=queue,
        )
        error, timeout = await fails_with(handle)
        assert timeout.type == TimeoutType.SCHEDULE_TO_START
        assert timeout.message == "activity ScheduleToStart timeout"
        assert error.started_event_id == 0
        assert "ActivityTaskStarted" not in await names_of(handle)


async def test_schedule_to_close_covers_all_attempts(client: Client) -> None:
    """Seed 001, lines 640-646: one second for everything; it is not retried."""
    async with worker(client, [OneActivity], [silent]) as queue:
        handle = await client.start_workflow(
            OneActivity.run,
            args=["silent", {"schedule_to_close_timeout": 1}, 0, None],
            id=unique("timeout"),
            task_queue=queue,
        )
        _, timeout = await fails_with(handle)
        assert timeout.type == TimeoutType.SCHEDULE_TO_CLOSE
        assert timeout.message == NOT_ENOUGH_TIME
        assert attempts.of(handle.id, "silent") == 1


async def test_silent_activity_gives_up_in_time(client: Client) -> None:
    """Seed 002, lines 1059-1065: heartbeat timeout 1 s, schedule-to-close 5 s, default policy. Two
    attempts time out; a third would start too late, so the type becomes schedule-to-close."""
    async with worker(client, [OneActivity], [silent]) as queue:
        handle = await client.start_workflow(
            OneActivity.run,
            args=["silent", {"schedule_to_close_timeout": 5, "heartbeat_timeout": 1}, 0, None],
            id=unique("timeout"),
            task_queue=queue,
        )
        error, timeout = await fails_with(handle)
        assert timeout.type == TimeoutType.SCHEDULE_TO_CLOSE
        assert timeout.message == NOT_ENOUGH_TIME
        assert error.retry_state is not None
        assert error.retry_state.name == "TIMEOUT"
        assert attempts.of(handle.id, "silent") == 2
        timed_out = await one_of(handle, "ActivityTaskTimedOut")
        assert timed_out.retry_state == RetryState.RETRY_STATE_TIMEOUT


async def test_heartbeat_timeout_keeps_the_last_details(client: Client) -> None:
    """Seed 001, lines 6390-6402: the error carries the details of the last heartbeat."""
    async with worker(client, [OneActivity], [beats_once]) as queue:
        handle = await client.start_workflow(
            OneActivity.run,
            args=["beats_once", {"start_to_close_timeout": 60, "heartbeat_timeout": 0.5}, 1, None],
            id=unique("timeout"),
            task_queue=queue,
        )
        _, timeout = await fails_with(handle)
        assert timeout.type == TimeoutType.HEARTBEAT
        assert timeout.message == "activity Heartbeat timeout"
        assert list(timeout.last_heartbeat_details) == ["last words"]


@workflow.defn
class Waits:
    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: False)
        return "never"


async def times_out(client: Client, handle) -> None:
    """The run ends as timed out, and the client is told so."""
    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result()
    assert isinstance(caught.value.cause, TimeoutError)
    assert (await handle.describe()).status == WorkflowExecutionStatus.TIMED_OUT
    assert (await names_of(handle))[-1] == "WorkflowExecutionTimedOut"


async def test_execution_timeout(client: Client) -> None:
    """Seed 002, lines 482-494: two seconds for the whole chain."""
    async with worker(client, [Waits]) as queue:
        handle = await client.start_workflow(
            Waits.run, id=unique("waits"), task_queue=queue, execution_timeout=timedelta(seconds=2)
        )
        await times_out(client, handle)
        timed_out = await one_of(handle, "WorkflowExecutionTimedOut")
        assert timed_out.retry_state == RetryState.RETRY_STATE_TIMEOUT


async def test_execution_timeout_without_a_worker(client: Client) -> None:
    """Seed 002, lines 482-494: the same when nobody polls the queue."""
    handle = await client.start_workflow(
        Waits.run,
        id=unique("waits"),
        task_queue=unique("nobody"),
        execution_timeout=timedelta(seconds=1),
    )
    await times_out(client, handle)
    assert await names_of(handle) == [
        "WorkflowExecutionStarted",
        "WorkflowTaskScheduled",
        "WorkflowExecutionTimedOut",
    ]


async def test_run_timeout_is_retried(client: Client) -> None:
    """Seed 002, lines 456-470 and 1234-1243: a run timeout counts as an attempt of the workflow."""
    async with worker(client, [Waits]) as queue:
        handle = await client.start_workflow(
            Waits.run,
            id=unique("waits"),
            task_queue=queue,
            run_timeout=timedelta(seconds=1),
            retry_policy=RetryPolicy(
                maximum_attempts=2, initial_interval=timedelta(milliseconds=100)
            ),
        )
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
        assert isinstance(caught.value.cause, TimeoutError)
        first = client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
        timed_out = await one_of(first, "WorkflowExecutionTimedOut")
        assert timed_out.retry_state == RetryState.RETRY_STATE_IN_PROGRESS
        second = client.get_workflow_handle(handle.id, run_id=timed_out.new_execution_run_id)
        started = await one_of(second, "WorkflowExecutionStarted")
        assert (started.attempt, started.continued_failure.message) == (2, "workflow timeout")
