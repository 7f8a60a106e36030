"""A durable server, killed and started again on the same data: everything goes on."""

import asyncio
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import RetryPolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from harness.history import assert_sound, events_of, name_of, names_of
from harness.server import Server
from harness.workers import attempts, unique, until, worker

SHORT = timedelta(seconds=10)
TOKENS: dict[str, bytes] = {}


@activity.defn
async def double(number: int) -> int:
    attempts.count()
    return 2 * number


@activity.defn
async def finished_later() -> str:
    TOKENS[activity.info().workflow_id or ""] = activity.info().task_token
    activity.raise_complete_async()


@workflow.defn
class LongLived:
    """An activity, a timer, an activity that is completed from outside, and a signal."""

    def __init__(self) -> None:
        self.signals: list[int] = []

    @workflow.run
    async def run(self, timer_s: float) -> list:
        first = await workflow.execute_activity(double, 21, start_to_close_timeout=SHORT)
        outside = workflow.start_activity(
            finished_later,
            activity_id="later",
            start_to_close_timeout=timedelta(minutes=10),
            retry_policy=RetryPolicy(maximum_attempts=1),
        )
        await asyncio.sleep(timer_s)
        second = await outside
        await workflow.wait_condition(lambda: len(self.signals) >= 2)
        return [first, second, *self.signals]

    @workflow.signal
    def add(self, number: int) -> None:
        self.signals.append(number)

    @workflow.query
    def received(self) -> list[int]:
        return self.signals


async def test_open_run_goes_on(durable: Server) -> None:
    """Killed while a timer and an outside activity are pending and one signal has come: after the
    restart the history is what it was, the timer fires, the old token still completes."""
    client = await durable.start()
    queue = unique("queue")
    async with worker(client, [LongLived], [double, finished_later], queue=queue):
        handle = await client.start_workflow(
            LongLived.run, 2.0, id=unique("long-lived"), task_queue=queue
        )
        await handle.signal(LongLived.add, 1)
        await until(lambda: handle.id in TOKENS)

        async def timer_started() -> bool:
            return "TimerStarted" in await names_of(handle)

        await until(timer_started)
    before = await events_of(handle)

    client = await durable.restart()
    handle = client.get_workflow_handle(handle.id, run_id=handle.result_run_id)
    after = await events_of(handle)
    assert list(after)[: len(before)] == list(before)
    async with worker(client, [LongLived], [double, finished_later], queue=queue):
        remote = client.get_async_activity_handle(task_token=TOKENS[handle.id])
        await remote.complete("from outside")
        await handle.signal(LongLived.add, 2)
        assert await handle.result() == [42, "from outside", 1, 2]
        assert await handle.query(LongLived.received) == [1, 2]
    events = await events_of(handle)
    assert_sound(events)
    assert [name_of(event) for event in events].count("TimerFired") == 1
    assert attempts.of(handle.id, "double") == 1


@workflow.defn
class Sleeps:
    @workflow.run
    async def run(self, seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds


async def test_timers_that_came_due_while_the_server_was_down(durable: Server) -> None:
    """Fifty timers of one second; the server is dead when they come due. Each fires once."""
    client = await durable.start()
    queue = unique("queue")
    async with worker(client, [Sleeps], queue=queue):
        handles = [
            await client.start_workflow(Sleeps.run, 1.0, id=unique("sleeps"), task_queue=queue)
            for _ in range(50)
        ]

        async def all_started() -> bool:
            return all(["TimerStarted" in await names_of(handle) for handle in handles])

        await until(all_started)
        durable.kill()
        await asyncio.sleep(1.2)  # the very thing tested: the time passes while nobody counts it
        client = await durable.start()
    async with worker(client, [Sleeps], queue=queue):
        for old in handles:
            handle = client.get_workflow_handle(old.id, run_id=old.result_run_id, result_type=float)
            assert await handle.result() == 1.0
            names = await names_of(handle)
            assert (names.count("TimerStarted"), names.count("TimerFired")) == (1, 1)


async def test_closed_runs_and_ids_are_remembered(durable: Server) -> None:
    """Results, statuses and ids of before: a closed run can be read and queried, an open id is
    still taken, a terminated run stays terminated."""
    client = await durable.start()
    queue = unique("queue")
    async with worker(client, [Sleeps], queue=queue):
        closed = await client.start_workflow(
            Sleeps.run, 0.01, id=unique("closed"), task_queue=queue
        )
        assert await closed.result() == 0.01
        opened = await client.start_workflow(Sleeps.run, 600.0, id=unique("open"), task_queue=queue)
        ended = await client.start_workflow(Sleeps.run, 600.0, id=unique("ended"), task_queue=queue)
        await ended.terminate(reason="enough")
    histories = {handle.id: await names_of(handle) for handle in (closed, ended)}

    client = await durable.restart()
    for workflow_id, names in histories.items():
        assert await names_of(client.get_workflow_handle(workflow_id)) == names
    assert await client.get_workflow_handle(closed.id, result_type=float).result() == 0.01
    expected = [
        (closed, WorkflowExecutionStatus.COMPLETED),
        (opened, WorkflowExecutionStatus.RUNNING),
        (ended, WorkflowExecutionStatus.TERMINATED),
    ]
    for handle, status in expected:
        assert (await client.get_workflow_handle(handle.id).describe()).status == status
    with pytest.raises(WorkflowAlreadyStartedError):
        await client.start_workflow(Sleeps.run, 1.0, id=opened.id, task_queue=queue)
    again = await client.start_workflow(Sleeps.run, 0.01, id=closed.id, task_queue=queue)
    assert again.result_run_id != closed.result_run_id


@activity.defn
async def fails_until_told(workflow_id: str) -> str:
    if attempts.count() < 3:
        raise RuntimeError("not yet")
    return "third time"


@workflow.defn
class Retries:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity(
            fails_until_told,
            workflow.info().workflow_id,
            start_to_close_timeout=SHORT,
            retry_policy=RetryPolicy(
                initial_interval=timedelta(seconds=1), backoff_coefficient=1.0
            ),
        )


async def test_attempts_are_counted_across_the_restart(durable: Server) -> None:
    """Killed during the back-off after the first attempt: the second attempt is number two."""
    client = await durable.start()
    queue = unique("queue")
    async with worker(client, [Retries], [fails_until_told], queue=queue):
        handle = await client.start_workflow(Retries.run, id=unique("retries"), task_queue=queue)

        async def first_failed() -> bool:
            pending = (await handle.describe()).raw_description.pending_activities
            return bool(pending) and pending[0].attempt == 2

        await until(first_failed)
    client = await durable.restart()
    async with worker(client, [Retries], [fails_until_told], queue=queue):
        handle = client.get_workflow_handle(handle.id, result_type=str)
        assert await handle.result() == "third time"
        assert attempts.of(handle.id, "fails_until_told") == 3
        events = await events_of(handle)
        started = [event for event in events if name_of(event) == "ActivityTaskStarted"]
        assert [event.activity_task_started_event_attributes.attempt for event in started] == [3]


async def test_worker_and_waiting_client_live_through_the_restart(durable: Server) -> None:
    """The same worker and the same `result()` call: both reconnect by themselves."""
    client = await durable.start()
    async with worker(client, [Sleeps]) as queue:
        handle = await client.start_workflow(Sleeps.run, 1.5, id=unique("sleeps"), task_queue=queue)
        waiting = asyncio.create_task(handle.result())

        async def timer_started() -> bool:
            return "TimerStarted" in await names_of(handle)

        await until(timer_started)
        other: Client = await durable.restart()
        assert await waiting == 1.5
        assert (await names_of(other.get_workflow_handle(handle.id)))[
            -1
        ] == "WorkflowExecutionCompleted"


async def test_an_id_too_long_for_any_key_is_unknown(durable: Server) -> None:
    """What is stored on disk has a bound that no id may reach; the server and its other runs do not notice."""
    client = await durable.start()
    with pytest.raises(RPCError) as refused:
        await client.get_workflow_handle("x" * 70_000).describe()
    assert refused.value.status == RPCStatusCode.NOT_FOUND
    assert refused.value.message.startswith("workflow not found for ID: xxx")
    assert len(refused.value.message) <= 4_000
