"""The load: clients that start and signal workflows, and workers that decide and execute, all of
them in plain calls that are repeated until the server answers."""

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Payload, Payloads, WorkflowType
from temporalio.api.enums.v1 import CommandType, EventType, HistoryEventFilterType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryRequest,
    PollActivityTaskQueueRequest,
    PollWorkflowTaskQueueRequest,
    RespondActivityTaskCompletedRequest,
    RespondWorkflowTaskCompletedRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from crash.ledger import SIGNALS, Run

QUEUE = "crash"
TASK_TIMEOUT_S = 2
CALL_TIMEOUT = timedelta(seconds=10)
POLL_TIMEOUT = timedelta(seconds=20)
PAUSE_S = 0.02
BENIGN = (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT)


def text(value: Any) -> Payloads:
    """One small payload."""
    return Payloads(
        payloads=[Payload(metadata={"encoding": b"json/plain"}, data=str(value).encode())]
    )


async def insist(call: Callable[[], Awaitable[Any]]) -> Any:
    """Repeats a call until the server answers it, one way or the other. A refusal is raised."""
    while True:
        try:
            return await call()
        except RPCError as error:
            if error.status in (
                *BENIGN,
                RPCStatusCode.ALREADY_EXISTS,
                RPCStatusCode.FAILED_PRECONDITION,
            ):
                raise
        await asyncio.sleep(PAUSE_S)


def decide(events: list[HistoryEvent], timer_ms: int) -> list[Command]:
    """The workflow, as a function of its history: twice an activity beside a timer, then wait for
    all signals, then complete."""
    scheduled: dict[int, str] = {}
    done: set[str] = set()
    signals = 0
    for event in events:
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            scheduled[event.event_id] = event.activity_task_scheduled_event_attributes.activity_id
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            done.add(scheduled[event.activity_task_completed_event_attributes.scheduled_event_id])
        elif event.event_type == EventType.EVENT_TYPE_TIMER_FIRED:
            done.add(event.timer_fired_event_attributes.timer_id)
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
            signals += 1
    for stage in (0, 1):
        if f"a{stage}" not in scheduled.values():
            return [_activity(f"a{stage}"), _timer(f"t{stage}", timer_ms)]
        if not {f"a{stage}", f"t{stage}"} <= done:
            return []
    if signals < SIGNALS:
        return []
    close = Command(command_type=CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION)
    close.complete_workflow_execution_command_attributes.result.CopyFrom(text(signals))
    return [close]


def _activity(name: str) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK)
    attributes = command.schedule_activity_task_command_attributes
    attributes.activity_id = attributes.activity_type.name = name
    attributes.task_queue.name = QUEUE
    attributes.start_to_close_timeout.seconds = TASK_TIMEOUT_S
    attributes.retry_policy.initial_interval.FromMilliseconds(50)
    attributes.retry_policy.backoff_coefficient = 1
    return command


def _timer(name: str, fire_ms: int) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_START_TIMER)
    command.start_timer_command_attributes.timer_id = name
    command.start_timer_command_attributes.start_to_fire_timeout.FromMilliseconds(fire_ms)
    return command


class Load:
    """Clients and workers on one server, and the ledger of what they were told."""

    def __init__(self, client: Client, seed: int) -> None:
        self.runs: dict[str, Run] = {}
        self.last_progress = 0.0
        """Monotonic time of the last acknowledged completion of a task."""
        self._random = random.Random(seed)
        self._service = client.workflow_service
        self._tasks: list[asyncio.Task[None]] = []
        self._clients: list[asyncio.Task[None]] = []
        self._stopping = False

    def start(self, concurrency: int) -> None:
        """Starts so many clients, and half as many pollers of each kind."""
        self._clients = [asyncio.create_task(self._client()) for _ in range(concurrency)]
        for _ in range(max(2, concurrency // 2)):
            self._tasks.append(asyncio.create_task(self._poll_workflow_tasks()))
            self._tasks.append(asyncio.create_task(self._poll_activity_tasks()))

    async def drain(self, timeout_s: float) -> None:
        """Lets every run that was begun come to its end, for at most so long, then stops."""
        self._stopping = True
        await asyncio.wait(self._clients, timeout=timeout_s)
        for task in (*self._tasks, *self._clients):
            task.cancel()
        outcomes = await asyncio.gather(*self._tasks, *self._clients, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome

    async def _client(self) -> None:
        while not self._stopping:
            run = Run(f"crash-{uuid.uuid4().hex}")
            await self._begin(run)
            for number in range(SIGNALS):
                await self._signal(run, number)
            await self._await_close(run)

    async def _begin(self, run: Run) -> None:
        request = StartWorkflowExecutionRequest(
            namespace="default",
            workflow_id=run.workflow_id,
            workflow_type=WorkflowType(name="crash"),
            task_queue=TaskQueue(name=QUEUE),
            request_id=uuid.uuid4().hex,
            input=text(self._random.randrange(10, 400)),
        )
        request.workflow_task_timeout.seconds = TASK_TIMEOUT_S
        answer = await insist(
            lambda: self._service.start_workflow_execution(request, timeout=CALL_TIMEOUT)
        )
        run.run_id = answer.run_id
        self.runs[run.workflow_id] = run

    async def _signal(self, run: Run, number: int) -> None:
        request = SignalWorkflowExecutionRequest(
            namespace="default", signal_name="s", request_id=uuid.uuid4().hex, input=text(number)
        )
        request.workflow_execution.workflow_id = run.workflow_id
        request.workflow_execution.run_id = run.run_id
        await asyncio.sleep(self._random.random() * 0.2)
        await insist(lambda: self._service.signal_workflow_execution(request, timeout=CALL_TIMEOUT))
        run.signals.append(number)

    async def _await_close(self, run: Run) -> None:
        request = GetWorkflowExecutionHistoryRequest(
            namespace="default",
            wait_new_event=True,
            history_event_filter_type=HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
        )
        request.execution.workflow_id, request.execution.run_id = run.workflow_id, run.run_id
        while not run.closed:
            page = await insist(
                lambda: self._service.get_workflow_execution_history(request, timeout=POLL_TIMEOUT)
            )
            run.closed = bool(page.history.events)
            request.next_page_token = page.next_page_token

    async def _poll_workflow_tasks(self) -> None:
        request = PollWorkflowTaskQueueRequest(
            namespace="default", task_queue=TaskQueue(name=QUEUE)
        )
        while True:
            task = await insist(
                lambda: self._service.poll_workflow_task_queue(request, timeout=POLL_TIMEOUT)
            )
            if task.task_token:
                await self._complete_workflow_task(task)

    async def _complete_workflow_task(self, task: Any) -> None:
        events = list(task.history.events)
        assert not task.next_page_token, "histories of the rig fit one page"
        started = events[0].workflow_execution_started_event_attributes
        timer_ms = int(started.input.payloads[0].data)
        answer = RespondWorkflowTaskCompletedRequest(
            namespace="default", task_token=task.task_token, commands=decide(events, timer_ms)
        )
        try:
            await insist(
                lambda: self._service.respond_workflow_task_completed(answer, timeout=CALL_TIMEOUT)
            )
        except RPCError as error:
            # The task timed out, or an earlier try was done though its answer was lost.
            if error.status not in BENIGN:
                raise
            return
        self.last_progress = time.monotonic()
        self._run_of(task).completed_tasks.add(task.started_event_id)

    async def _poll_activity_tasks(self) -> None:
        request = PollActivityTaskQueueRequest(
            namespace="default", task_queue=TaskQueue(name=QUEUE)
        )
        while True:
            task = await insist(
                lambda: self._service.poll_activity_task_queue(request, timeout=POLL_TIMEOUT)
            )
            if not task.task_token:
                continue
            answer = RespondActivityTaskCompletedRequest(
                namespace="default", task_token=task.task_token, result=text(task.attempt)
            )
            try:
                await insist(
                    lambda answer=answer: self._service.respond_activity_task_completed(
                        answer, timeout=CALL_TIMEOUT
                    )
                )
            except RPCError as error:
                if error.status not in BENIGN:
                    raise
                continue
            self.last_progress = time.monotonic()
            self._run_of(task).activities.add(task.activity_id)

    def _run_of(self, task: Any) -> Run:
        """The ledger's entry; a task may come before the answer to its start has."""
        workflow_id = task.workflow_execution.workflow_id
        run = self.runs.get(workflow_id)
        if run is None:
            run = self.runs[workflow_id] = Run(workflow_id, task.workflow_execution.run_id)
        return run
