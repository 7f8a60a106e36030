"""Durable timers and waits with a timeout. The days of the samples are parameters here."""

import asyncio
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowExecutionStatus

from harness.history import all_of, names_of, one_of
from harness.workers import unique, until, worker

SHORT = timedelta(seconds=10)
MONTH_S = 60 * 60 * 24 * 30


@workflow.defn
class DelayWorkflow:
    @workflow.run
    async def run(self, first_s: float, second_s: float) -> str:
        await asyncio.sleep(first_s)
        await asyncio.sleep(second_s)
        return "Timers completed"


async def test_two_delays(client: Client) -> None:
    """Seed 001, lines 3386-3397: two timers, one after the other."""
    async with worker(client, [DelayWorkflow]) as queue:
        handle = await client.start_workflow(
            DelayWorkflow.run, args=[0.3, 0.1], id=unique("delay"), task_queue=queue
        )
        assert await handle.result() == "Timers completed"
        started = await all_of(handle, "TimerStarted")
        assert [timer.start_to_fire_timeout.ToMilliseconds() for timer in started] == [300, 100]
        fired = await all_of(handle, "TimerFired")
        assert [timer.timer_id for timer in fired] == [timer.timer_id for timer in started]


async def test_a_month_of_sleep_costs_nothing(client: Client) -> None:
    """Seed 001, lines 3392-3394: the second timer of 30 days is simply pending."""
    async with worker(client, [DelayWorkflow]) as queue:
        handle = await client.start_workflow(
            DelayWorkflow.run, args=[0.05, MONTH_S], id=unique("delay"), task_queue=queue
        )

        async def both_started() -> bool:
            return len(await all_of(handle, "TimerStarted")) == 2

        await until(both_started)
        _, month = await all_of(handle, "TimerStarted")
        assert month.start_to_fire_timeout.ToSeconds() == MONTH_S
        assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING
        await handle.terminate()


@activity.defn
async def reject_order(order_id: str) -> str:
    return order_id


@workflow.defn
class TimeoutWorkflow:
    def __init__(self) -> None:
        self.approval_received = False

    @workflow.run
    async def run(self, order_id: str, wait_s: float) -> dict:
        try:
            await workflow.wait_condition(
                lambda: self.approval_received, timeout=timedelta(seconds=wait_s)
            )
            return {"status": "approved", "order_id": order_id}
        except TimeoutError:
            await workflow.execute_activity(reject_order, order_id, start_to_close_timeout=SHORT)
            return {"status": "rejected_timeout", "order_id": order_id}

    @workflow.signal
    def approve(self) -> None:
        self.approval_received = True


async def test_approval_before_the_timeout(client: Client) -> None:
    """Seed 001, lines 3400-3413: the timer of 24 hours is cancelled when the signal comes."""
    async with worker(client, [TimeoutWorkflow], [reject_order]) as queue:
        handle = await client.start_workflow(
            TimeoutWorkflow.run, args=["o1", 86_400.0], id=unique("approval"), task_queue=queue
        )
        await handle.signal(TimeoutWorkflow.approve)
        assert await handle.result() == {"status": "approved", "order_id": "o1"}
        names = await names_of(handle)
        assert "ActivityTaskScheduled" not in names
        assert "TimerFired" not in names


async def test_timeout_rejects(client: Client) -> None:
    """Seed 001, lines 3414-3421."""
    async with worker(client, [TimeoutWorkflow], [reject_order]) as queue:
        handle = await client.start_workflow(
            TimeoutWorkflow.run, args=["o2", 0.1], id=unique("approval"), task_queue=queue
        )
        assert await handle.result() == {"status": "rejected_timeout", "order_id": "o2"}
        assert (await one_of(handle, "TimerFired")).timer_id


@workflow.defn
class CancellableTimerWorkflow:
    def __init__(self) -> None:
        self.timer_cancelled = False

    @workflow.run
    async def run(self, seconds: float) -> str:
        sleeping = asyncio.create_task(asyncio.sleep(seconds))
        await workflow.wait_condition(lambda: self.timer_cancelled or sleeping.done())
        if not self.timer_cancelled:
            return "Timer completed normally"
        sleeping.cancel()
        try:
            await sleeping
        except asyncio.CancelledError:
            await workflow.execute_activity(reject_order, "late", start_to_close_timeout=SHORT)
        return "Timer was cancelled"

    @workflow.signal
    def cancel_timer(self) -> None:
        self.timer_cancelled = True


async def test_timer_is_cancelled_by_a_signal(client: Client) -> None:
    """Seed 001, lines 3481-3502. One activity follows, so that the cancel command is sent: a close
    alone would drop the timer without an event."""
    async with worker(client, [CancellableTimerWorkflow], [reject_order]) as queue:
        handle = await client.start_workflow(
            CancellableTimerWorkflow.run, 3600.0, id=unique("timer"), task_queue=queue
        )

        async def waiting() -> bool:
            return "TimerStarted" in await names_of(handle)

        await until(waiting)
        await handle.signal(CancellableTimerWorkflow.cancel_timer)
        assert await handle.result() == "Timer was cancelled"
        started = await one_of(handle, "TimerStarted")
        canceled = await one_of(handle, "TimerCanceled")
        assert canceled.timer_id == started.timer_id
        assert canceled.started_event_id == 5


async def test_timer_completes_normally(client: Client) -> None:
    """Seed 001, lines 3500-3502: nobody cancels it."""
    async with worker(client, [CancellableTimerWorkflow], [reject_order]) as queue:
        result = await client.execute_workflow(
            CancellableTimerWorkflow.run, 0.1, id=unique("timer"), task_queue=queue
        )
    assert result == "Timer completed normally"


@activity.defn
async def send_email(text: str) -> str:
    return text


@workflow.defn
class NotificationWorkflow:
    def __init__(self) -> None:
        self.reminded = False

    @workflow.run
    async def run(self, user_id: str, pause_s: float) -> list[str]:
        first = await workflow.execute_activity(
            send_email, f"hello {user_id}", start_to_close_timeout=SHORT
        )
        await asyncio.sleep(pause_s)
        second = await workflow.execute_activity(
            send_email, f"reminder {user_id}", start_to_close_timeout=SHORT
        )
        self.reminded = True
        return [first, second]

    @workflow.query
    def reminder_sent(self) -> bool:
        return self.reminded


async def test_reminder_after_a_pause(client: Client) -> None:
    """Seed 001, lines 13086-13127: first mail, three days (half a second) of sleep, reminder; the
    query sees which of the two was sent."""
    async with worker(client, [NotificationWorkflow], [send_email]) as queue:
        handle = await client.start_workflow(
            NotificationWorkflow.run, args=["u1", 0.5], id=unique("notify"), task_queue=queue
        )

        async def sleeping() -> bool:
            return "TimerStarted" in await names_of(handle)

        await until(sleeping)
        assert await handle.query(NotificationWorkflow.reminder_sent) is False
        assert await handle.result() == ["hello u1", "reminder u1"]
        assert await handle.query(NotificationWorkflow.reminder_sent) is True


@activity.defn
async def read_file(path: str) -> str:
    return f"contents of {path}"


@workflow.defn
class GoodWorkflow:
    @workflow.run
    async def run(self, pause_s: float) -> dict:
        before = workflow.time()
        await workflow.sleep(timedelta(seconds=pause_s))
        data = await workflow.execute_activity(read_file, "file.txt", start_to_close_timeout=SHORT)
        return {"slept_s": workflow.time() - before, "data": data}


async def test_clock_of_the_workflow_sees_the_sleep(client: Client) -> None:
    """Seed 001, lines 485-502: the workflow's clock comes from the server's event times."""
    async with worker(client, [GoodWorkflow], [read_file]) as queue:
        result = await client.execute_workflow(
            GoodWorkflow.run, 0.4, id=unique("good"), task_queue=queue
        )
    assert result["data"] == "contents of file.txt"
    assert result["slept_s"] >= 0.4


@workflow.defn
class TimersInOrder:
    @workflow.run
    async def run(self, delays_s: list[float]) -> list[float]:
        fired: list[float] = []

        async def one(delay_s: float) -> None:
            await asyncio.sleep(delay_s)
            fired.append(delay_s)

        await asyncio.gather(*(one(delay_s) for delay_s in delays_s))
        return fired


@pytest.mark.parametrize("delays_s", [[0.6, 0.2, 0.4], [0.05] * 10])
async def test_timers_fire_by_deadline(client: Client, delays_s: list[float]) -> None:
    """Seed 001, lines 3381-3397: many at once; each fires once and in the order of deadlines."""
    async with worker(client, [TimersInOrder]) as queue:
        handle = await client.start_workflow(
            TimersInOrder.run, delays_s, id=unique("timers"), task_queue=queue
        )
        assert await handle.result() == sorted(delays_s)
        names = await names_of(handle)
        assert names.count("TimerFired") == len(delays_s)
