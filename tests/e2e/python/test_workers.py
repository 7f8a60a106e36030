"""Workers that die: another one goes on, and what was done is not done again."""

import contextlib
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import TaskQueueKind, TimeoutType
from temporalio.client import Client

from harness.history import all_of, assert_sound, events_of, name_of, names_of
from harness.server import Server
from harness.workers import unique, until
from worker_process import STICKY_TIMEOUT_S, ThreeSteps

SCRIPT = Path(__file__).with_name("worker_process.py")


class WorkerProcesses:
    """Starts worker processes on one queue and kills them."""

    def __init__(self, address: str, directory: Path) -> None:
        self.queue = unique("queue")
        self.directory = directory
        self._address = address
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, hang: str = "") -> subprocess.Popen[bytes]:
        arguments = [self._address, self.queue, str(self.directory), hang]
        process = subprocess.Popen([sys.executable, str(SCRIPT), *arguments])
        self._running.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGKILL)
        process.wait()

    def kill_all(self) -> None:
        for process in self._running:
            with contextlib.suppress(ProcessLookupError):
                self.kill(process)

    def calls(self) -> list[str]:
        """What the activities noted so far."""
        file = self.directory / "calls"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def processes(server: Server, tmp_path: Path) -> Iterator[WorkerProcesses]:
    started = WorkerProcesses(server.address, tmp_path)
    yield started
    started.kill_all()


async def start_run(client: Client, processes: WorkerProcesses):
    return await client.start_workflow(
        ThreeSteps.run,
        id=unique("three-steps"),
        task_queue=processes.queue,
        task_timeout=timedelta(seconds=2),
    )


async def test_killed_in_an_activity(client: Client, processes: WorkerProcesses) -> None:
    """The activity under way times out by its heartbeat and runs again elsewhere; the one that was
    completed does not."""
    doomed = processes.start(hang="activity")
    handle = await start_run(client, processes)
    await until(lambda: "hanging" in processes.calls())
    processes.kill(doomed)
    processes.start()
    await handle.signal(ThreeSteps.add, 100)
    assert await handle.result() == 106
    assert [call.split(" ", 1)[-1] for call in processes.calls() if call != "hanging"] == [
        "step1 attempt1",
        "step2 attempt1",
        "step2 attempt2",
        "step3 attempt1",
    ]
    attempts = [started.attempt for started in await all_of(handle, "ActivityTaskStarted")]
    assert attempts == [1, 2, 1]
    assert_sound(await events_of(handle))


async def test_killed_in_a_workflow_task(client: Client, processes: WorkerProcesses) -> None:
    """The workflow task times out, another worker replays the run and goes on."""
    doomed = processes.start(hang="task")
    handle = await start_run(client, processes)
    await until(lambda: "hanging" in processes.calls())
    processes.kill(doomed)
    processes.start()
    await handle.signal(ThreeSteps.add, 1)
    assert await handle.result() == 7
    calls = Counter(call.split(" ", 1)[-1] for call in processes.calls())
    assert calls == {"hanging": 1, **{f"step{n} attempt1": 1 for n in (1, 2, 3)}}
    timed_out = await all_of(handle, "WorkflowTaskTimedOut")
    assert [event.timeout_type for event in timed_out] == [TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE]


async def test_sticky_queue_falls_back(client: Client, processes: WorkerProcesses) -> None:
    """The run sticks to a worker that is gone: its next task goes to the normal queue at the latest
    after the sticky timeout, and the other worker replays the whole history."""
    doomed = processes.start()
    handle = await start_run(client, processes)

    async def waits_for_the_signal() -> bool:
        return (await names_of(handle)).count("WorkflowTaskCompleted") == 4

    await until(waits_for_the_signal)
    processes.kill(doomed)
    other = processes.start()
    await handle.signal(ThreeSteps.add, 10)
    assert await handle.result() == 16
    assert other.poll() is None
    events = await events_of(handle)
    assert_sound(events)
    names = [name_of(event) for event in events]
    signaled = names.index("WorkflowExecutionSignaled")
    after = events[signaled + 1 :]
    first_scheduled = after[0].workflow_task_scheduled_event_attributes.task_queue
    assert first_scheduled.kind == TaskQueueKind.TASK_QUEUE_KIND_STICKY
    assert first_scheduled.normal_name == processes.queue
    for event in after:
        if name_of(event) == "WorkflowTaskTimedOut":
            kind = event.workflow_task_timed_out_event_attributes.timeout_type
            assert kind == TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START
            waited_ns = event.event_time.ToNanoseconds() - after[0].event_time.ToNanoseconds()
            assert waited_ns < 2 * STICKY_TIMEOUT_S * 1_000_000_000
    assert [call.split(" ", 1)[-1] for call in processes.calls()] == [
        "step1 attempt1",
        "step2 attempt1",
        "step3 attempt1",
    ]


async def test_twenty_runs_survive_the_death_of_one_of_two_workers(
    client: Client, processes: WorkerProcesses
) -> None:
    """Runs are shared by two workers; one is killed half way. Every run completes, and no attempt
    of any activity runs twice."""
    doomed = processes.start()
    processes.start()
    handles = [await start_run(client, processes) for _ in range(20)]
    await until(lambda: len(processes.calls()) >= 20)
    processes.kill(doomed)
    for handle in handles:
        await handle.signal(ThreeSteps.add, 1)
    assert [await handle.result() for handle in handles] == [7] * 20
    assert max(Counter(processes.calls()).values()) == 1
    for handle in handles:
        events = await events_of(handle)
        assert_sound(events)
        assert [name_of(event) for event in events].count("ActivityTaskCompleted") == 3
