"""A worker of the load in a process of its own, to be killed.

    python worker.py ADDRESS POLLERS

Writes a line of JSON for each task whose answer the server confirmed. Ends with its input.
"""

import asyncio
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from temporalio.api.enums.v1 import QueryResultType
from temporalio.api.query.v1 import WorkflowQueryResult
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    PollActivityTaskQueueRequest,
    PollWorkflowTaskQueueRequest,
    RespondActivityTaskCompletedRequest,
    RespondQueryTaskCompletedRequest,
    RespondWorkflowTaskCompletedRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError

from crash.calls import BENIGN, CALL_TIMEOUT, PAUSE_S, POLL_TIMEOUT, failures, insist
from crash.workflow import QUEUE, decide, signals_in, text

ANSWERED = QueryResultType.QUERY_RESULT_TYPE_ANSWERED


def report(done: Any, **what: Any) -> None:
    """A line, written at once and whole."""
    execution = done.workflow_execution
    line = {"workflow_id": execution.workflow_id, "run_id": execution.run_id}
    line |= {"at": time.monotonic(), "broken": sum(n for k, n in failures.items() if " by " in k)}
    os.write(1, json.dumps(line | what).encode() + b"\n")


async def answered(respond: Any, request: Any) -> bool:
    """Whether the answer to a task was taken."""
    try:
        await insist(lambda: respond(request, timeout=CALL_TIMEOUT))
    except RPCError as error:
        # The task timed out, or an earlier try was done though its answer was lost.
        if error.status not in BENIGN:
            raise
        return False
    return True


async def workflow_tasks(service: Any) -> None:
    """Polls for workflow tasks and queries, and answers them."""
    poll = PollWorkflowTaskQueueRequest(namespace="default", task_queue=TaskQueue(name=QUEUE))
    while True:
        task = await insist(lambda: service.poll_workflow_task_queue(poll, timeout=POLL_TIMEOUT))
        if not task.task_token:
            continue
        assert not task.next_page_token, "histories of the rig fit one page"
        events = list(task.history.events)
        count = text(signals_in(events))
        if task.HasField("query"):
            query = RespondQueryTaskCompletedRequest(
                namespace="default",
                task_token=task.task_token,
                completed_type=ANSWERED,
                query_result=count,
            )
            await answered(service.respond_query_task_completed, query)
            continue
        started = events[0].workflow_execution_started_event_attributes
        answer = RespondWorkflowTaskCompletedRequest(
            namespace="default",
            task_token=task.task_token,
            commands=decide(events, int(started.input.payloads[0].data)),
            query_results={
                name: WorkflowQueryResult(result_type=ANSWERED, answer=count)
                for name in task.queries
            },
        )
        if await answered(service.respond_workflow_task_completed, answer):
            report(task, task=task.started_event_id)


async def activity_tasks(service: Any) -> None:
    """Polls for activity tasks and completes them."""
    poll = PollActivityTaskQueueRequest(namespace="default", task_queue=TaskQueue(name=QUEUE))
    while True:
        task = await insist(lambda: service.poll_activity_task_queue(poll, timeout=POLL_TIMEOUT))
        if not task.task_token:
            continue
        answer = RespondActivityTaskCompletedRequest(
            namespace="default", task_token=task.task_token, result=text(task.attempt)
        )
        if await answered(service.respond_activity_task_completed, answer):
            report(task, activity=task.activity_id)


async def connected(address: str) -> Client:
    """A client, as soon as there is a server."""
    while True:
        try:
            return await Client.connect(address)
        except RuntimeError:
            await asyncio.sleep(PAUSE_S)


def end_with_input() -> None:
    """Whoever started this process has gone."""
    sys.stdin.read()
    os._exit(0)


async def main(address: str, pollers: str) -> None:
    threading.Thread(target=end_with_input, daemon=True).start()
    service = (await connected(address)).workflow_service
    await asyncio.gather(
        *(loop(service) for loop in [workflow_tasks, activity_tasks] * int(pollers))
    )


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
