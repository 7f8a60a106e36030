"""How long a server with very many open runs takes from its start to new progress."""

import asyncio
import time
import uuid
from datetime import timedelta
from pathlib import Path

from temporalio.api.common.v1 import WorkflowType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    PollWorkflowTaskQueueRequest,
    RespondWorkflowTaskCompletedRequest,
    StartWorkflowExecutionRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError

from crash.calls import CALL_TIMEOUT, POLL_TIMEOUT, insist
from crash.workflow import timer
from harness.server import Server

HOUR_MS = 3_600_000
SAMPLE = 500
"""So many of the open runs are looked at after the restart."""


def start_request(workflow_id: str, queue: str, eager: bool) -> StartWorkflowExecutionRequest:
    return StartWorkflowExecutionRequest(
        namespace="default",
        workflow_id=workflow_id,
        workflow_type=WorkflowType(name="idle"),
        task_queue=TaskQueue(name=queue),
        request_id=uuid.uuid4().hex,
        request_eager_execution=eager,
    )


async def open_one(client: Client, workflow_id: str) -> None:
    """A run that has done its first task and waits for a timer of an hour."""
    answer = await client.workflow_service.start_workflow_execution(
        start_request(workflow_id, "idle", eager=True), timeout=CALL_TIMEOUT
    )
    await client.workflow_service.respond_workflow_task_completed(
        RespondWorkflowTaskCompletedRequest(
            namespace="default",
            task_token=answer.eager_workflow_task.task_token,
            commands=[timer("t", HOUR_MS)],
        ),
        timeout=CALL_TIMEOUT,
    )


async def new_progress(client: Client) -> None:
    """Starts a workflow, takes its task and completes it, all repeated until answered."""
    queue = f"fresh-{uuid.uuid4().hex}"
    service = client.workflow_service
    start = start_request(f"fresh-{uuid.uuid4().hex}", queue, eager=False)
    await insist(lambda: service.start_workflow_execution(start, timeout=timedelta(seconds=2)))
    poll = PollWorkflowTaskQueueRequest(namespace="default", task_queue=TaskQueue(name=queue))
    task = await insist(lambda: service.poll_workflow_task_queue(poll, timeout=POLL_TIMEOUT))
    answer = RespondWorkflowTaskCompletedRequest(
        namespace="default", task_token=task.task_token, commands=[timer("t", HOUR_MS)]
    )
    await insist(lambda: service.respond_workflow_task_completed(answer, timeout=CALL_TIMEOUT))


async def still_open(client: Client, workflow_id: str) -> bool:
    """Whether the run is there, open, and has its timer (five events)."""
    request = DescribeWorkflowExecutionRequest(namespace="default")
    request.execution.workflow_id = workflow_id
    try:
        answer = await client.workflow_service.describe_workflow_execution(
            request, timeout=CALL_TIMEOUT
        )
    except RPCError:
        return False
    info = answer.workflow_execution_info
    return info.status == 1 and info.history_length == 5


async def measure(directory: Path, count: int, clients: int = 64) -> dict:
    """Opens `count` runs, kills the server, starts it and measures. Seconds throughout."""
    server = Server(directory / "server.log", db_file=directory / "abide.db")
    try:
        await server.start()
        client = await Client.connect(server.address)
        ids = [f"idle-{number}" for number in range(count)]
        waiting = iter(ids)

        async def opener() -> None:
            for workflow_id in waiting:
                await open_one(client, workflow_id)

        begun = time.monotonic()
        await asyncio.gather(*(opener() for _ in range(clients)))
        opened_s = time.monotonic() - begun
        server.kill()

        fresh = await server.start()
        ready_s = time.monotonic() - server.spawned_at
        await new_progress(fresh)
        progress_s = time.monotonic() - server.spawned_at
        step = max(1, count // SAMPLE)
        looked_at = ids[::step]
        alive = await asyncio.gather(*(still_open(fresh, workflow_id) for workflow_id in looked_at))
        return {
            "open_runs": count,
            "opened_in_s": round(opened_s, 1),
            "start_to_answer_s": round(ready_s, 3),
            "start_to_new_progress_s": round(progress_s, 3),
            "looked_at": len(looked_at),
            "lost": len(looked_at) - sum(alive),
        }
    finally:
        server.kill()
