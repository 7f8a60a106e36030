"""Calls below the SDK: polls and answers as a worker would send them, and refusals taken apart."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.message import Message
from temporalio.api.command.v1 import Command, ScheduleActivityTaskCommandAttributes
from temporalio.api.common.v1 import ActivityType, Payload, Payloads, WorkflowType
from temporalio.api.enums.v1 import CommandType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    PollActivityTaskQueueRequest,
    PollActivityTaskQueueResponse,
    PollWorkflowTaskQueueResponse,
    RespondWorkflowTaskCompletedRequest,
    StartWorkflowExecutionRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from harness.workers import unique

IDENTITY = "raw"
POLL_TIMEOUT = timedelta(seconds=30)


def payloads_of(size_bytes: int) -> Payloads:
    """One binary payload of that many bytes."""
    payload = Payload(metadata={"encoding": b"binary/plain"}, data=b"x" * size_bytes)
    return Payloads(payloads=[payload])


def start_request(queue: str, **fields: Any) -> StartWorkflowExecutionRequest:
    """A start that the server accepts, with the given fields instead."""
    defaults = {
        "namespace": "default",
        "workflow_id": unique("raw"),
        "workflow_type": WorkflowType(name="raw"),
        "task_queue": TaskQueue(name=queue),
        "request_id": unique("request"),
        "identity": IDENTITY,
    }
    return StartWorkflowExecutionRequest(**{**defaults, **fields})


async def first_task(client: Client, queue: str) -> tuple[str, PollWorkflowTaskQueueResponse]:
    """Starts a run and takes its first workflow task along: (workflow id, task)."""
    request = start_request(queue, request_eager_execution=True)
    answer = await client.workflow_service.start_workflow_execution(request)
    assert answer.eager_workflow_task.task_token, "no eager task"
    return request.workflow_id, answer.eager_workflow_task


async def complete(client: Client, task: PollWorkflowTaskQueueResponse, *commands: Command) -> None:
    """Completes a workflow task with these commands."""
    await client.workflow_service.respond_workflow_task_completed(
        RespondWorkflowTaskCompletedRequest(
            namespace="default", task_token=task.task_token, identity=IDENTITY, commands=commands
        )
    )


async def activity_task(client: Client, queue: str) -> tuple[str, PollActivityTaskQueueResponse]:
    """A run with one activity, already polled: (workflow id, activity task)."""
    workflow_id, task = await first_task(client, queue)
    schedule = ScheduleActivityTaskCommandAttributes(
        activity_id="one",
        activity_type=ActivityType(name="raw"),
        task_queue=TaskQueue(name=queue),
        start_to_close_timeout={"seconds": 60},
    )
    command = Command(
        command_type=CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
        schedule_activity_task_command_attributes=schedule,
    )
    await complete(client, task, command)
    polled = await client.workflow_service.poll_activity_task_queue(
        PollActivityTaskQueueRequest(
            namespace="default", task_queue=TaskQueue(name=queue), identity=IDENTITY
        ),
        timeout=POLL_TIMEOUT,
    )
    assert polled.task_token, "no activity task"
    return workflow_id, polled


async def refused(
    call: Awaitable[Any], status: RPCStatusCode, text: str, detail: type[Message] | None = None
) -> Message | None:
    """Awaits a call that must fail with this status, text and detail; returns the detail."""
    with pytest.raises(RPCError) as caught:
        await call
    assert caught.value.status == status, caught.value
    assert caught.value.message == text
    details = caught.value.grpc_status.details
    if detail is None:
        assert not details, f"unexpected detail {details}"
        return None
    assert len(details) == 1, f"{len(details)} details"
    message = detail()
    assert details[0].Unpack(message), f"not a {detail.__name__}: {details[0].type_url}"
    return message
