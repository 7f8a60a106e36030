"""Users' mistakes: each gets the status, the detail and the text that SDKs know, and the run stays
as it should."""

import asyncio
import re
from dataclasses import dataclass
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.api.command.v1 import Command, CompleteWorkflowExecutionCommandAttributes
from temporalio.api.common.v1 import WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import CommandType, WorkflowTaskFailedCause
from temporalio.api.errordetails.v1 import (
    NamespaceNotFoundFailure,
    NotFoundFailure,
    QueryFailedFailure,
    WorkflowNotReadyFailure,
)
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    QueryWorkflowRequest,
    RecordActivityTaskHeartbeatRequest,
    RequestCancelWorkflowExecutionRequest,
    RespondActivityTaskCompletedByIdRequest,
    RespondActivityTaskCompletedRequest,
    RespondWorkflowTaskCompletedRequest,
    SignalWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
)
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowQueryFailedError
from temporalio.common import RetryPolicy
from temporalio.service import RPCError, RPCStatusCode

from harness.history import all_of, name_of, names_of, one_of
from harness.raw import (
    IDENTITY,
    activity_task,
    complete,
    first_task,
    payloads_of,
    refused,
    start_request,
)
from harness.workers import unique, until, worker

INVALID = RPCStatusCode.INVALID_ARGUMENT
NOT_FOUND = RPCStatusCode.NOT_FOUND
THREE_MB = 3 * 1024 * 1024
TOO_LONG = "x" * 1001
STALE = "invalid activityID or activity already timed out or invoking workflow is completed"


@dataclass
class Order:
    order_id: str


@workflow.defn(name="TakesAnOrder")
class TakesAnOrder:
    @workflow.run
    async def run(self, order: Order) -> str:
        return order.order_id


@workflow.defn(name="TakesAnOrder")
class TakesText:
    @workflow.run
    async def run(self, order: str) -> str:
        return order


async def test_worker_without_the_workflow_type(client: Client) -> None:
    """The worker on the queue knows another type: the task fails, the run stays open, and a worker
    that knows the type completes it."""
    queue = unique("queue")
    handle = await client.start_workflow("TakesAnOrder", "o1", id=unique("order"), task_queue=queue)
    async with worker(client, [Broken], queue=queue):

        async def task_failed() -> bool:
            return "WorkflowTaskFailed" in await names_of(handle)

        await until(task_failed)
        failed = (await all_of(handle, "WorkflowTaskFailed"))[0]
        assert "TakesAnOrder is not registered on this worker" in failed.failure.message
        assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING
    async with worker(client, [TakesText], queue=queue):
        assert await handle.result() == "o1"


async def test_worker_with_wrong_types(client: Client) -> None:
    """The workflow expects a dataclass and gets a text: the task fails until the code is mended."""
    queue = unique("queue")
    handle = await client.start_workflow("TakesAnOrder", "o1", id=unique("order"), task_queue=queue)
    async with worker(client, [TakesAnOrder], queue=queue):

        async def task_failed() -> bool:
            return "WorkflowTaskFailed" in await names_of(handle)

        await until(task_failed)
        assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING
    async with worker(client, [TakesText], queue=queue):
        assert await handle.result() == "o1"


@activity.defn
async def hangs() -> None:
    await asyncio.sleep(3600)


@workflow.defn
class CallsActivity:
    @workflow.run
    async def run(self, name: str) -> str:
        return await workflow.execute_activity(
            name,
            start_to_close_timeout=timedelta(minutes=1),
            heartbeat_timeout=timedelta(seconds=1),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=50)),
        )


async def test_activity_type_nobody_knows(client: Client) -> None:
    """The worker refuses the activity, the server tries again; the workflow is not failed."""
    async with worker(client, [CallsActivity], [hangs]) as queue:
        handle = await client.start_workflow(
            CallsActivity.run, "nobody_knows_me", id=unique("unknown"), task_queue=queue
        )

        async def third_attempt():
            pending = (await handle.describe()).raw_description.pending_activities
            return pending and pending[0].attempt >= 3 and pending[0]

        pending = await until(third_attempt)
        assert "nobody_knows_me" in pending.last_failure.message
        assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING
        assert not await all_of(handle, "ActivityTaskFailed")
        await handle.terminate()


async def test_activity_that_never_heartbeats(client: Client) -> None:
    """Each attempt is ended by the heartbeat timeout and tried again."""
    async with worker(client, [CallsActivity], [hangs]) as queue:
        handle = await client.start_workflow(
            CallsActivity.run, "hangs", id=unique("silent"), task_queue=queue
        )

        async def second_attempt():
            pending = (await handle.describe()).raw_description.pending_activities
            return pending and pending[0].attempt >= 2 and pending[0]

        pending = await until(second_attempt)
        assert pending.last_failure.message == "activity Heartbeat timeout"
        assert pending.last_failure.HasField("timeout_failure_info")
        assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING
        await handle.terminate()


@workflow.defn
class Broken:
    def __init__(self) -> None:
        self.mended = False

    @workflow.run
    async def run(self) -> str:
        if not self.mended:
            raise RuntimeError("a bug")
        return "mended"

    @workflow.query
    def status(self) -> str:
        return "broken"


async def test_workflow_that_fails_its_task_for_ever(client: Client) -> None:
    """One failure is written, the attempt grows, the run stays open; queries are refused from the
    third attempt on."""
    async with worker(client, [Broken]) as queue:
        handle = await client.start_workflow(
            Broken.run, id=unique("broken"), task_queue=queue, task_timeout=timedelta(seconds=1)
        )

        async def third_attempt() -> bool:
            description = (await handle.describe()).raw_description
            return description.pending_workflow_task.attempt >= 3

        await until(third_attempt)
        description = await handle.describe()
        assert description.status == WorkflowExecutionStatus.RUNNING
        assert description.history_length == 4, "later attempts write nothing"
        events = (await handle.fetch_history()).events
        assert [name_of(event) for event in events[:4]] == [
            "WorkflowExecutionStarted",
            "WorkflowTaskScheduled",
            "WorkflowTaskStarted",
            "WorkflowTaskFailed",
        ]
        failed = events[3].workflow_task_failed_event_attributes
        cause = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE
        assert (failed.cause, failed.failure.message) == (cause, "a bug")
        await refused(
            client.workflow_service.query_workflow(query_of(handle.id, "status")),
            RPCStatusCode.FAILED_PRECONDITION,
            "Unable to query workflow due to Workflow Task in failed state.",
            WorkflowNotReadyFailure,
        )
        await handle.terminate()


def query_of(workflow_id: str, name: str) -> QueryWorkflowRequest:
    return QueryWorkflowRequest(
        namespace="default",
        execution=WorkflowExecution(workflow_id=workflow_id),
        query=WorkflowQuery(query_type=name),
    )


def signal_of(workflow_id: str, **fields) -> SignalWorkflowExecutionRequest:
    defaults = {"namespace": "default", "signal_name": "s", "request_id": unique("request")}
    execution = WorkflowExecution(workflow_id=workflow_id)
    return SignalWorkflowExecutionRequest(workflow_execution=execution, **{**defaults, **fields})


async def test_start_with_three_megabytes(client: Client) -> None:
    """The input is refused and nothing is started."""
    request = start_request(unique("queue"), input=payloads_of(THREE_MB))
    await refused(
        client.workflow_service.start_workflow_execution(request),
        INVALID,
        "Blob data size exceeds limit.",
    )
    await refused(
        client.workflow_service.describe_workflow_execution(
            DescribeWorkflowExecutionRequest(
                namespace="default", execution=WorkflowExecution(workflow_id=request.workflow_id)
            )
        ),
        NOT_FOUND,
        f"workflow not found for ID: {request.workflow_id}",
        NotFoundFailure,
    )


async def test_signal_with_three_megabytes(client: Client) -> None:
    """The signal is refused, the run goes on without it."""
    workflow_id, _ = await first_task(client, unique("queue"))
    call = client.workflow_service.signal_workflow_execution(
        signal_of(workflow_id, input=payloads_of(THREE_MB))
    )
    await refused(call, INVALID, "Blob data size exceeds limit.")
    handle = client.get_workflow_handle(workflow_id)
    assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING
    assert "WorkflowExecutionSignaled" not in await names_of(handle)
    await handle.terminate()


async def test_activity_result_of_three_megabytes(client: Client) -> None:
    """The answer is taken, but the activity fails and is not tried again."""
    workflow_id, task = await activity_task(client, unique("queue"))
    await client.workflow_service.respond_activity_task_completed(
        RespondActivityTaskCompletedRequest(
            namespace="default", task_token=task.task_token, result=payloads_of(THREE_MB)
        )
    )
    handle = client.get_workflow_handle(workflow_id)
    failed = await one_of(handle, "ActivityTaskFailed")
    assert failed.failure.message == "Complete result exceeds size limit."
    assert failed.failure.server_failure_info.non_retryable
    assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING
    await handle.terminate()


async def test_workflow_result_of_three_megabytes(client: Client) -> None:
    """A result that cannot be kept ends the run as terminated."""
    workflow_id, task = await first_task(client, unique("queue"))
    command = Command(
        command_type=CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
        complete_workflow_execution_command_attributes=CompleteWorkflowExecutionCommandAttributes(
            result=payloads_of(THREE_MB)
        ),
    )
    with pytest.raises(RPCError) as caught:
        await complete(client, task, command)
    assert caught.value.status == INVALID
    handle = client.get_workflow_handle(workflow_id)
    assert (await handle.describe()).status == WorkflowExecutionStatus.TERMINATED
    terminated = await one_of(handle, "WorkflowExecutionTerminated")
    assert "exceeds size limit" in terminated.reason
    assert terminated.identity == "history-service"


async def test_message_over_four_megabytes(client: Client) -> None:
    """Refused before anybody reads it."""
    request = start_request(unique("queue"), input=payloads_of(5 * 1024 * 1024))
    with pytest.raises(RPCError) as caught:
        await client.workflow_service.start_workflow_execution(request)
    assert caught.value.status == RPCStatusCode.RESOURCE_EXHAUSTED
    plain = r"larger than max \(\d+ vs\. 4194304\)"
    packed = "after decompression larger than max 4194304"
    assert re.fullmatch(f"grpc: received message ({plain}|{packed})", caught.value.message)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"workflow_id": TOO_LONG}, "WorkflowId exceeds maximum allowed length (1001/1000)"),
        ({"workflow_type": WorkflowType(name=TOO_LONG)}, "WorkflowType length exceeds limit."),
        ({"request_id": TOO_LONG}, "RequestId length exceeds limit."),
        ({"task_queue": TaskQueue(name=TOO_LONG)}, "taskQueue length exceeds limit"),
        ({"namespace": TOO_LONG}, "Namespace length exceeds limit."),
    ],
    ids=["workflow id", "type", "request id", "queue", "namespace"],
)
async def test_names_of_1001_bytes(client: Client, fields: dict, text: str) -> None:
    """1,000 bytes are the limit."""
    request = start_request(unique("queue"), **fields)
    await refused(client.workflow_service.start_workflow_execution(request), INVALID, text)


async def test_names_of_1000_bytes_are_fine(client: Client) -> None:
    """Exactly the limit, in bytes: 500 characters of two bytes each."""
    request = start_request(unique("queue"), workflow_id=unique("ä")[:13] + "ä" * 493)
    assert len(request.workflow_id.encode()) <= 1000
    await client.workflow_service.start_workflow_execution(request)
    await client.get_workflow_handle(request.workflow_id).terminate()


async def test_signal_name_of_1001_bytes(client: Client) -> None:
    """The same limit for the signal's name."""
    workflow_id, _ = await first_task(client, unique("queue"))
    call = client.workflow_service.signal_workflow_execution(
        signal_of(workflow_id, signal_name=TOO_LONG)
    )
    await refused(call, INVALID, "SignalName length exceeds limit.")
    await client.get_workflow_handle(workflow_id).terminate()


async def test_unknown_namespace(client: Client) -> None:
    """The detail names the namespace; it comes before every other complaint."""
    request = start_request("", namespace="nowhere", workflow_id="")
    failure = await refused(
        client.workflow_service.start_workflow_execution(request),
        NOT_FOUND,
        "Namespace nowhere is not found.",
        NamespaceNotFoundFailure,
    )
    assert isinstance(failure, NamespaceNotFoundFailure)
    assert failure.namespace == "nowhere"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"namespace": ""}, "Namespace is empty."),
        ({"workflow_id": ""}, "WorkflowId is not set on request."),
        ({"workflow_type": WorkflowType()}, "WorkflowType is not set on request."),
        ({"task_queue": TaskQueue()}, "missing task queue name"),
    ],
    ids=["namespace", "workflow id", "type", "queue"],
)
async def test_start_without_what_it_needs(client: Client, fields: dict, text: str) -> None:
    """Each missing field is named."""
    call = client.workflow_service.start_workflow_execution(start_request("q", **fields))
    await refused(call, INVALID, text)


async def test_bad_tokens(client: Client) -> None:
    """No token and a garbage token, for workflow tasks and for activities."""
    service = client.workflow_service
    for token, text in [
        (b"", "Task token not set on request."),
        (b"x", "Error deserializing task token."),
    ]:
        for call in (
            service.respond_workflow_task_completed(
                RespondWorkflowTaskCompletedRequest(namespace="default", task_token=token)
            ),
            service.respond_activity_task_completed(
                RespondActivityTaskCompletedRequest(namespace="default", task_token=token)
            ),
            service.record_activity_task_heartbeat(
                RecordActivityTaskHeartbeatRequest(namespace="default", task_token=token)
            ),
        ):
            await refused(call, INVALID, text)


async def test_stale_tokens(client: Client) -> None:
    """An activity answered twice, and a workflow task answered after the run was terminated."""
    workflow_id, task = await activity_task(client, unique("queue"))
    answer = RespondActivityTaskCompletedRequest(namespace="default", task_token=task.task_token)
    await client.workflow_service.respond_activity_task_completed(answer)
    await refused(
        client.workflow_service.respond_activity_task_completed(answer),
        NOT_FOUND,
        STALE,
        NotFoundFailure,
    )
    handle = client.get_workflow_handle(workflow_id)
    assert len(await all_of(handle, "ActivityTaskCompleted")) == 1
    await handle.terminate()

    other_id, workflow_task = await first_task(client, unique("queue"))
    await client.get_workflow_handle(other_id).terminate()
    await refused(
        complete(client, workflow_task), NOT_FOUND, "Workflow task not found.", NotFoundFailure
    )


async def test_activity_answered_by_an_unknown_id(client: Client) -> None:
    """The run is there, the activity is not."""
    workflow_id, _ = await first_task(client, unique("queue"))
    await refused(
        client.workflow_service.respond_activity_task_completed_by_id(
            RespondActivityTaskCompletedByIdRequest(
                namespace="default",
                workflow_id=workflow_id,
                activity_id="nothing",
                identity=IDENTITY,
            )
        ),
        NOT_FOUND,
        "cannot find pending activity with ActivityID nothing, "
        "check workflow execution history for more details",
        NotFoundFailure,
    )
    await client.get_workflow_handle(workflow_id).terminate()


async def test_unknown_and_closed_runs(client: Client) -> None:
    """An unknown id, an unknown run, a run id that is none, and a closed run."""
    service = client.workflow_service
    unknown = unique("unknown")
    await refused(
        service.signal_workflow_execution(signal_of(unknown)),
        NOT_FOUND,
        f"workflow not found for ID: {unknown}",
        NotFoundFailure,
    )
    workflow_id, _ = await first_task(client, unique("queue"))
    run_id = "11111111-2222-4333-8444-555555555555"
    terminate = TerminateWorkflowExecutionRequest(
        namespace="default",
        workflow_execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
    )
    await refused(
        service.terminate_workflow_execution(terminate),
        NOT_FOUND,
        f'workflow execution not found for workflow ID "{workflow_id}" and run ID "{run_id}"',
        NotFoundFailure,
    )
    terminate.workflow_execution.run_id = "not a run id"
    await refused(service.terminate_workflow_execution(terminate), INVALID, "Invalid RunId.")
    terminate.workflow_execution.run_id = ""
    await service.terminate_workflow_execution(terminate)
    closed = "workflow execution already completed"
    await refused(
        service.terminate_workflow_execution(terminate), NOT_FOUND, closed, NotFoundFailure
    )
    await refused(
        service.signal_workflow_execution(signal_of(workflow_id)),
        NOT_FOUND,
        closed,
        NotFoundFailure,
    )
    await service.request_cancel_workflow_execution(
        RequestCancelWorkflowExecutionRequest(
            namespace="default", workflow_execution=WorkflowExecution(workflow_id=workflow_id)
        )
    )


async def test_query_before_the_first_task(client: Client) -> None:
    """The first workflow task never comes: the query lasts to its deadline."""
    handle = await client.start_workflow("Broken", id=unique("alone"), task_queue=unique("nobody"))
    with pytest.raises(RPCError) as caught:
        await handle.query("status", rpc_timeout=timedelta(seconds=2))
    # Client and server watch the same deadline; the client calls its own expiry CANCELLED.
    assert caught.value.status in (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)
    assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING
    await handle.terminate()


async def test_query_without_a_poller(client: Client) -> None:
    """The run has done a task, and nobody has ever polled its queue: the query fails a second
    before its deadline and says why."""
    workflow_id, task = await first_task(client, unique("queue"))
    await complete(client, task)
    await refused(
        client.workflow_service.query_workflow(
            query_of(workflow_id, "status"), timeout=timedelta(seconds=4)
        ),
        RPCStatusCode.FAILED_PRECONDITION,
        "no poller seen for task queue recently, worker may be down",
    )
    handle = client.get_workflow_handle(workflow_id)
    assert len(await names_of(handle)) == 4
    await handle.terminate()


@workflow.defn
class Queried:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.query
    def fails(self) -> str:
        raise ValueError("cannot answer")


async def test_query_that_fails(client: Client) -> None:
    """The worker's words reach the asker, with the detail that SDKs look for."""
    async with worker(client, [Queried]) as queue:
        handle = await client.start_workflow(Queried.run, id=unique("queried"), task_queue=queue)
        with pytest.raises(WorkflowQueryFailedError, match="cannot answer"):
            await handle.query(Queried.fails)
        await refused(
            client.workflow_service.query_workflow(query_of(handle.id, "fails")),
            INVALID,
            "cannot answer",
            QueryFailedFailure,
        )
        assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING
        await handle.terminate()
