"""Options of a start: ids and policies, delay, memo, search attributes, namespaces, eager start."""

from datetime import UTC, datetime, timedelta

import pytest
from temporalio import activity, workflow
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, RegisterNamespaceRequest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import ApplicationError, TerminatedError, WorkflowAlreadyStartedError
from temporalio.service import RPCError

from harness.history import name_of, names_of, one_of
from harness.server import Server
from harness.workers import unique, until, worker


@workflow.defn
class Echo:
    def __init__(self) -> None:
        self.released = False

    @workflow.run
    async def run(self, mode: str) -> str:
        if mode == "fail":
            raise ApplicationError("asked to fail")
        if mode == "wait":
            await workflow.wait_condition(lambda: self.released)
        return mode

    @workflow.signal
    def release(self) -> None:
        self.released = True


async def test_one_open_run_per_id(client: Client) -> None:
    """Seed 002, lines 421-446: a second start of an open id is refused and names the open run,
    or takes it, or ends it, as asked."""
    async with worker(client, [Echo]) as queue:
        options = {"id": unique("echo"), "task_queue": queue}
        first = await client.start_workflow(Echo.run, "wait", **options)
        with pytest.raises(WorkflowAlreadyStartedError) as refused:
            await client.start_workflow(Echo.run, "wait", **options)
        assert refused.value.run_id == first.result_run_id

        joined = await client.start_workflow(
            Echo.run, "wait", id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING, **options
        )
        assert joined.result_run_id == first.result_run_id

        second = await client.start_workflow(
            Echo.run,
            "ended",
            id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
            **options,
        )
        assert await second.result() == "ended"
        with pytest.raises(WorkflowFailureError) as ended:
            await first.result()
        assert isinstance(ended.value.cause, TerminatedError)
        first_run = client.get_workflow_handle(first.id, run_id=first.result_run_id)
        terminated = await one_of(first_run, "WorkflowExecutionTerminated")
        assert terminated.reason == "TerminateIfRunning WorkflowIdReusePolicy"
        assert terminated.identity == "history-service"


async def test_reuse_of_closed_ids(client: Client) -> None:
    """Seed 002, lines 437-446: allowed, allowed after a failure only, or never."""
    failed_only = WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
    async with worker(client, [Echo]) as queue:
        options = {"id": unique("echo"), "task_queue": queue}
        with pytest.raises(WorkflowFailureError):
            await client.execute_workflow(Echo.run, "fail", **options)
        again = await client.execute_workflow(
            Echo.run, "again", id_reuse_policy=failed_only, **options
        )
        assert again == "again"
        for policy in (failed_only, WorkflowIDReusePolicy.REJECT_DUPLICATE):
            with pytest.raises(WorkflowAlreadyStartedError):
                await client.start_workflow(Echo.run, "no", id_reuse_policy=policy, **options)
        assert await client.execute_workflow(Echo.run, "fine", **options) == "fine"


async def test_terminate(client: Client) -> None:
    """Seed 001, lines 2675-2681: reason and details are kept and reach the client."""
    handle = await client.start_workflow(
        Echo.run, "wait", id=unique("echo"), task_queue=unique("q")
    )
    await handle.terminate("detail", reason="enough")
    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result()
    assert isinstance(caught.value.cause, TerminatedError)
    assert caught.value.cause.message == "enough"
    assert list(caught.value.cause.details) == ["detail"]
    assert (await handle.describe()).status == WorkflowExecutionStatus.TERMINATED


async def test_start_delay(client: Client) -> None:
    """The first workflow task comes after the delay, and a signal does not hasten it."""
    async with worker(client, [Echo]) as queue:
        handle = await client.start_workflow(
            Echo.run, "wait", id=unique("echo"), task_queue=queue, start_delay=timedelta(seconds=1)
        )
        await handle.signal(Echo.release)
        assert await handle.result() == "wait"
        events = (await handle.fetch_history()).events
        assert [name_of(event) for event in events[:3]] == [
            "WorkflowExecutionStarted",
            "WorkflowExecutionSignaled",
            "WorkflowTaskScheduled",
        ]
        waited_ns = events[2].event_time.ToNanoseconds() - events[0].event_time.ToNanoseconds()
        assert waited_ns >= 1_000_000_000


@workflow.defn
class Upserts:
    @workflow.run
    async def run(self, name: str) -> str:
        key = SearchAttributeKey.for_keyword(name)
        before = workflow.info().typed_search_attributes[key]
        workflow.upsert_search_attributes([key.value_set("globex")])
        workflow.upsert_memo({"note": "second"})
        return before


async def test_memo_and_search_attributes_are_kept(client: Client) -> None:
    """Seed 002, lines 508-512: set at the start, changed by the workflow, shown by describe."""
    key = SearchAttributeKey.for_keyword(f"Customer{unique('x')[2:]}")
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(
            namespace="default",
            search_attributes={key.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD},
        )
    )
    async with worker(client, [Upserts]) as queue:
        handle = await client.start_workflow(
            Upserts.run,
            key.name,
            id=unique("upserts"),
            task_queue=queue,
            memo={"note": "first", "stays": 1},
            search_attributes=TypedSearchAttributes([SearchAttributePair(key, "acme")]),
        )
        assert await handle.result() == "acme"
        description = await handle.describe()
        assert await description.memo() == {"note": "second", "stays": 1}
        assert description.typed_search_attributes[key] == "globex"
        names = await names_of(handle)
        assert "UpsertWorkflowSearchAttributes" in names
        assert "WorkflowPropertiesModified" in names


async def test_unregistered_search_attribute_is_refused(client: Client) -> None:
    """A start that names an attribute nobody registered leaves nothing behind."""
    key = SearchAttributeKey.for_keyword("NobodyKnowsThis")
    with pytest.raises(RPCError, match="no mapping defined"):
        await client.start_workflow(
            Echo.run,
            "x",
            id=unique("echo"),
            task_queue=unique("q"),
            search_attributes=TypedSearchAttributes([SearchAttributePair(key, "v")]),
        )


async def test_namespaces_are_apart(server: Server, client: Client) -> None:
    """Seed 002, lines 1986-2014: the same workflow id in two namespaces, two runs, two workers."""
    name = unique("space")
    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(
            namespace=name, workflow_execution_retention_period={"seconds": 86_400}
        )
    )

    async def known() -> bool:
        try:
            answer = await client.workflow_service.describe_namespace(
                DescribeNamespaceRequest(namespace=name)
            )
            return answer.config.workflow_execution_retention_ttl.seconds == 86_400
        except RPCError:
            return False

    await until(known)
    other = await Client.connect(server.address, namespace=name)
    workflow_id = unique("echo")
    async with worker(client, [Echo]) as here, worker(other, [Echo], queue=here):

        async def started_there():
            try:
                return await other.start_workflow(
                    Echo.run, "there", id=workflow_id, task_queue=here
                )
            except RPCError as error:
                assert "not found" in str(error)

        there = await until(started_there)
        here_handle = await client.start_workflow(Echo.run, "here", id=workflow_id, task_queue=here)
        assert (await there.result(), await here_handle.result()) == ("there", "here")
        assert there.result_run_id != here_handle.result_run_id


@activity.defn
async def add_one(number: int) -> int:
    return number + 1


@workflow.defn
class Eager:
    @workflow.run
    async def run(self, number: int) -> int:
        return await workflow.execute_activity(
            add_one, number, start_to_close_timeout=timedelta(seconds=10)
        )


async def test_eager_start(client: Client) -> None:
    """The first workflow task comes with the answer to the start: its Started event is written in
    the start's own transaction."""
    async with worker(client, [Eager], [add_one]) as queue:
        handle = await client.start_workflow(
            Eager.run, 41, id=unique("eager"), task_queue=queue, request_eager_start=True
        )
        assert await handle.result() == 42
        started = await one_of(handle, "WorkflowExecutionStarted")
        assert started.eager_execution_accepted


async def test_describe_tells_what_is_open(client: Client) -> None:
    """Seed 001, lines 2648-2681: type, queue, start time, length and the pending workflow task."""
    queue = unique("queue")
    before = datetime.now(UTC) - timedelta(seconds=5)
    handle = await client.start_workflow(Echo.run, "wait", id=unique("echo"), task_queue=queue)
    description = await handle.describe()
    assert description.workflow_type == "Echo"
    assert description.task_queue == queue
    assert description.start_time > before
    assert description.close_time is None
    assert description.history_length == 2
    raw = description.raw_description
    assert raw.workflow_execution_info.execution == WorkflowExecution(
        workflow_id=handle.id, run_id=handle.result_run_id
    )
    assert raw.pending_workflow_task.attempt == 1
    await handle.terminate()
    assert (await handle.describe()).close_time is not None
