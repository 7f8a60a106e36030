"""A worker in a process of its own, to be killed.

    python worker_process.py ADDRESS QUEUE DIRECTORY [HANG]

Activities leave a line per call in DIRECTORY/calls. With HANG naming a place, the process hangs
there: `activity` in the second of three activities, `task` in the middle of a workflow task.
"""

import asyncio
import sys
import time
from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

STICKY_TIMEOUT_S = 2


class Place:
    """Where this process hangs and where it writes; set from the command line."""

    directory = Path()
    hang = ""


def note(line: str) -> None:
    """Adds a line to the file of calls, whole even if other processes write too."""
    with (Place.directory / "calls").open("a") as calls:
        calls.write(line + "\n")


@activity.defn
async def step(number: int) -> int:
    info = activity.info()
    note(f"{info.workflow_id} step{number} attempt{info.attempt}")
    activity.heartbeat(number)
    if number == 2 and Place.hang == "activity":
        note("hanging")
        time.sleep(3600)
    return number


@workflow.defn
class ThreeSteps:
    """Three activities one after another, then a signal; the result adds up."""

    def __init__(self) -> None:
        self.added = 0

    @workflow.run
    async def run(self) -> int:
        total = 0
        for number in (1, 2, 3):
            total += await workflow.execute_activity(
                step,
                number,
                start_to_close_timeout=timedelta(seconds=30),
                heartbeat_timeout=timedelta(seconds=1),
                retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=50)),
            )
            if number == 1 and Place.hang == "task":
                note("hanging")
                time.sleep(3600)
        await workflow.wait_condition(lambda: self.added > 0)
        return total + self.added

    @workflow.signal
    def add(self, number: int) -> None:
        self.added += number


async def main(address: str, queue: str, directory: str, hang: str = "") -> None:
    Place.directory, Place.hang = Path(directory), hang
    client = await Client.connect(address)
    async with Worker(
        client,
        task_queue=queue,
        workflows=[ThreeSteps],
        activities=[step],
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=STICKY_TIMEOUT_S),
        # A hanging task must look like a dead worker, not like a deadlock that is reported.
        debug_mode=True,
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
