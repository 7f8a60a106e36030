"""The clients of the load: each starts a run, signals and queries it, and waits for its end."""

import asyncio
import random
import uuid
from datetime import timedelta

from temporalio.api.common.v1 import WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import HistoryEventFilterType
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryRequest,
    QueryWorkflowRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from crash.calls import CALL_TIMEOUT, PAUSE_S, POLL_TIMEOUT, insist
from crash.ledger import SIGNALS, Run
from crash.workflow import QUEUE, TASK_TIMEOUT_S, text

QUERY_TIMEOUT = timedelta(seconds=4)
"""Short, because a query whose worker was killed is only answered when it is asked again."""
SIGNAL_PAUSE_S = 0.2
TIMER_MS = (10, 400)


class Clients:
    """So many runs at once, one after another, until they are told to stop."""

    def __init__(self, client: Client, runs: dict[str, Run], seed: int) -> None:
        self._service = client.workflow_service
        self._runs = runs
        self._random = random.Random(seed)
        self._stopping = False

    def stop(self) -> None:
        """Lets no further run begin."""
        self._stopping = True

    async def one(self) -> None:
        """One client: run after run."""
        while not self._stopping:
            run = Run(f"crash-{uuid.uuid4().hex}")
            await self._begin(run)
            try:
                for number in range(SIGNALS):
                    await asyncio.sleep(self._random.random() * SIGNAL_PAUSE_S)
                    await self._signal(run, number)
                    await self._query(run, sent=number + 1)
                await self._await_close(run)
            except RPCError as error:
                # Nothing that is done to an acknowledged run can be refused.
                run.refusals.append(f"{error.status.name}: {error.message}")

    async def _begin(self, run: Run) -> None:
        request = StartWorkflowExecutionRequest(
            namespace="default",
            workflow_id=run.workflow_id,
            workflow_type=WorkflowType(name="crash"),
            task_queue=TaskQueue(name=QUEUE),
            request_id=uuid.uuid4().hex,
            input=text(self._random.randrange(*TIMER_MS)),
        )
        request.workflow_task_timeout.seconds = TASK_TIMEOUT_S
        answer = await insist(
            lambda: self._service.start_workflow_execution(request, timeout=CALL_TIMEOUT)
        )
        # A worker may have been told of the run before its client was.
        known = self._runs.setdefault(run.workflow_id, run)
        run.run_id = known.run_id = answer.run_id
        run.activities, run.completed_tasks = known.activities, known.completed_tasks
        self._runs[run.workflow_id] = run

    async def _signal(self, run: Run, number: int) -> None:
        request = SignalWorkflowExecutionRequest(
            namespace="default", signal_name="s", request_id=uuid.uuid4().hex, input=text(number)
        )
        request.workflow_execution.workflow_id = run.workflow_id
        request.workflow_execution.run_id = run.run_id
        try:
            await insist(
                lambda: self._service.signal_workflow_execution(request, timeout=CALL_TIMEOUT)
            )
        except RPCError as error:
            # An earlier try was done though its answer was lost, and let the run come to its end.
            if "already completed" not in error.message:
                raise
            return
        run.signals.append(number)

    async def _query(self, run: Run, sent: int) -> None:
        """Asks how many signals there were: no fewer than were acknowledged before."""
        request = QueryWorkflowRequest(
            namespace="default",
            execution=WorkflowExecution(workflow_id=run.workflow_id, run_id=run.run_id),
            query=WorkflowQuery(query_type="signals"),
        )
        acknowledged = len(run.signals)
        while True:
            try:
                answer = await insist(
                    lambda: self._service.query_workflow(request, timeout=QUERY_TIMEOUT)
                )
                break
            except RPCError as error:
                # No workflow task is completed yet.
                if error.status != RPCStatusCode.FAILED_PRECONDITION:
                    raise
            await asyncio.sleep(PAUSE_S)
        count = int(answer.query_result.payloads[0].data)
        run.queries += 1
        if not acknowledged <= count <= sent:
            run.refusals.append(f"a query saw {count} signals of {acknowledged} to {sent}")

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
