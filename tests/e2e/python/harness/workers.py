"""Workers and names: every test polls a task queue of its own."""

import asyncio
import contextlib
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

RUNNER = SandboxedWorkflowRunner(
    restrictions=SandboxRestrictions.default.with_passthrough_modules("pytest", "harness")
)


def unique(prefix: str) -> str:
    """A name that no other test uses."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


@contextlib.asynccontextmanager
async def worker(
    client: Client,
    workflows: Sequence[type],
    activities: Sequence[Callable[..., Any]] = (),
    queue: str | None = None,
    **options: Any,
) -> AsyncIterator[str]:
    """Polls a task queue for as long as the block runs and yields the queue's name."""
    queue = queue or unique("queue")
    async with Worker(
        client,
        task_queue=queue,
        workflows=workflows,
        activities=activities,
        workflow_runner=RUNNER,
        **options,
    ):
        yield queue


class Attempts:
    """How often each activity of each workflow was called, counted by the activities themselves."""

    def __init__(self) -> None:
        self._calls: Counter[tuple[str, str]] = Counter()

    def count(self) -> int:
        """Called inside an activity: counts this call and returns how many there were."""
        info = activity.info()
        key = (info.workflow_id or "", info.activity_type)
        self._calls[key] += 1
        return self._calls[key]

    def of(self, workflow_id: str, activity_type: str) -> int:
        """The calls of one activity by one workflow."""
        return self._calls[(workflow_id, activity_type)]


attempts = Attempts()


async def until(condition: Callable[[], Any], timeout_s: float = 30.0) -> Any:
    """Awaits a condition (plain or async) until it is truthy, and returns its value."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    while True:
        value = condition()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        if asyncio.get_running_loop().time() > deadline:
            raise TimeoutError(f"{condition} did not hold within {timeout_s} s")
        await asyncio.sleep(0.02)
