"""Queries: of running, waiting and completed workflows; they never add to the history."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

import pytest
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowQueryFailedError, WorkflowQueryRejectedError
from temporalio.common import QueryRejectCondition, RetryPolicy
from temporalio.exceptions import ActivityError

from harness.history import names_of
from harness.workers import unique, until, worker

SHORT = timedelta(seconds=30)


class Gate:
    """Lets an activity of the test's own process wait until the test opens it."""

    def __init__(self) -> None:
        self._open: dict[str, asyncio.Event] = {}

    def of(self, workflow_id: str) -> asyncio.Event:
        return self._open.setdefault(workflow_id, asyncio.Event())


gate = Gate()


@dataclass
class OrderState:
    order_id: str
    items: list[dict] = field(default_factory=list)
    total_amount: float = 0.0
    status: str = "pending"
    approvals: dict[str, bool] = field(default_factory=dict)


@activity.defn
async def fetch_order_items(order_id: str) -> list[dict]:
    return [{"name": "tv", "price": 900.0}, {"name": "cable", "price": 150.0}]


@workflow.defn
class StatefulOrderWorkflow:
    def __init__(self) -> None:
        self.state = OrderState(order_id="")

    @workflow.run
    async def run(self, order_id: str) -> OrderState:
        self.state.order_id = order_id
        self.state.items = await workflow.execute_activity(
            fetch_order_items, order_id, start_to_close_timeout=SHORT
        )
        self.state.total_amount = sum(item["price"] for item in self.state.items)
        if self.state.total_amount > 1000:
            self.state.status = "awaiting_approval"
            await workflow.wait_condition(lambda: "manager" in self.state.approvals)
        self.state.status = "approved"
        return self.state

    @workflow.signal
    def approve(self, approver: str) -> None:
        self.state.approvals[approver] = True

    @workflow.query
    def get_state(self) -> OrderState:
        return self.state

    @workflow.query
    def get_total(self) -> float:
        return self.state.total_amount


async def test_state_by_query(client: Client) -> None:
    """Seed 001, lines 3515-3548: a dataclass as answer, before and after the approval."""
    async with worker(client, [StatefulOrderWorkflow], [fetch_order_items]) as queue:
        handle = await client.start_workflow(
            StatefulOrderWorkflow.run, "o1", id=unique("stateful"), task_queue=queue
        )

        async def waiting() -> bool:
            return (
                await handle.query(StatefulOrderWorkflow.get_state)
            ).status == "awaiting_approval"

        await until(waiting)
        assert await handle.query(StatefulOrderWorkflow.get_total) == 1050.0
        await handle.signal(StatefulOrderWorkflow.approve, "manager")
        result = await handle.result()
        assert (result.status, result.approvals) == ("approved", {"manager": True})
        assert await handle.query(StatefulOrderWorkflow.get_state) == result


async def test_query_sees_the_signal_sent_before_it(client: Client) -> None:
    """Seed 002, line 629: a query reflects every event confirmed before it was sent."""
    async with worker(client, [StatefulOrderWorkflow], [fetch_order_items]) as queue:
        handle = await client.start_workflow(
            StatefulOrderWorkflow.run, "o1", id=unique("consistent"), task_queue=queue
        )
        for number in range(20):
            await handle.signal(StatefulOrderWorkflow.approve, f"clerk{number}")
            state = await handle.query(StatefulOrderWorkflow.get_state)
            assert state.approvals.get(f"clerk{number}"), f"signal {number} not seen"
        await handle.terminate()


@activity.defn
async def process_item(number: int) -> int:
    if number == 2:
        await gate.of(activity.info().workflow_id or "").wait()
    return number


@workflow.defn
class ProgressTrackingWorkflow:
    def __init__(self) -> None:
        self.phase, self.done, self.total = "initializing", 0, 0

    @workflow.run
    async def run(self, total: int) -> dict:
        self.phase, self.total = "processing", total
        for number in range(total):
            await workflow.execute_activity(process_item, number, start_to_close_timeout=SHORT)
            self.done = number + 1
        self.phase = "finalization"
        return {"completed": self.done}

    @workflow.query
    def get_progress(self) -> dict:
        return {
            "phase": self.phase,
            "done": self.done,
            "percentage": 100 * self.done / max(self.total, 1),
        }


async def test_progress_while_an_activity_runs(client: Client) -> None:
    """Seed 001, lines 3563-3640: the third item is held back, progress stands at two of five."""
    async with worker(client, [ProgressTrackingWorkflow], [process_item]) as queue:
        handle = await client.start_workflow(
            ProgressTrackingWorkflow.run, 5, id=unique("progress"), task_queue=queue
        )

        async def two_done() -> bool:
            return (await handle.query(ProgressTrackingWorkflow.get_progress))["done"] == 2

        await until(two_done)
        assert await handle.query(ProgressTrackingWorkflow.get_progress) == {
            "phase": "processing",
            "done": 2,
            "percentage": 40.0,
        }
        gate.of(handle.id).set()
        assert await handle.result() == {"completed": 5}
        assert (await handle.query(ProgressTrackingWorkflow.get_progress))["percentage"] == 100.0


class OrderStatus(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    SHIPPED = "shipped"


@dataclass
class OrderProgress:
    status: OrderStatus
    items_processed: int
    total_items: int
    current_step: str


@workflow.defn
class OrderProcessingWorkflow:
    def __init__(self) -> None:
        self.progress = OrderProgress(OrderStatus.PENDING, 0, 0, "Initialization")

    @workflow.query
    def get_status(self) -> str:
        return self.progress.status.value

    @workflow.query
    def get_progress(self) -> OrderProgress:
        return self.progress

    @workflow.query
    def get_items_remaining(self) -> int:
        return self.progress.total_items - self.progress.items_processed

    @workflow.run
    async def run(self, order_id: str, items: list[int]) -> str:
        self.progress.total_items = len(items)
        self.progress.status = OrderStatus.PROCESSING
        for item in items:
            await workflow.execute_activity(process_item, item, start_to_close_timeout=SHORT)
            self.progress.items_processed += 1
        self.progress.status, self.progress.current_step = (
            OrderStatus.SHIPPED,
            "Shipped to customer",
        )
        return f"Order {order_id} completed"


async def test_three_queries_after_completion(client: Client) -> None:
    """Seed 001, lines 4470-4543: enum, dataclass and number; asked of a closed run, replayed by a
    worker that has never seen it, and the history stays as it was."""
    queue = unique("queue")
    async with worker(client, [OrderProcessingWorkflow], [process_item], queue=queue):
        handle = await client.start_workflow(
            OrderProcessingWorkflow.run, args=["o1", [0, 1]], id=unique("order"), task_queue=queue
        )
        assert await handle.result() == "Order o1 completed"
    before = await names_of(handle)
    async with worker(client, [OrderProcessingWorkflow], [process_item], queue=queue):
        assert await handle.query(OrderProcessingWorkflow.get_status) == "shipped"
        assert await handle.query(OrderProcessingWorkflow.get_items_remaining) == 0
        assert await handle.query(OrderProcessingWorkflow.get_progress) == OrderProgress(
            OrderStatus.SHIPPED, 2, 2, "Shipped to customer"
        )
        assert await handle.query("get_status") == "shipped"
    assert await names_of(handle) == before


@activity.defn
async def process_batch(number: int) -> int:
    if number == 1:
        raise ValueError("bad batch")
    return number


@workflow.defn
class BatchProcessingWorkflow:
    def __init__(self) -> None:
        self.processed = self.failed = self.current = 0

    @workflow.query
    def get_dashboard_data(self) -> dict:
        return {"processed": self.processed, "failed": self.failed, "current": self.current}

    @workflow.run
    async def run(self, batches: int) -> str:
        for self.current in range(batches):
            try:
                await workflow.execute_activity(
                    process_batch,
                    self.current,
                    start_to_close_timeout=SHORT,
                    retry_policy=RetryPolicy(maximum_attempts=1),
                )
                self.processed += 1
            except ActivityError:
                self.failed += 1
        return f"Processed {self.processed} batches, {self.failed} failed"


async def test_dashboard_polls_all_the_way(client: Client) -> None:
    """Seed 001, lines 4612-4686: queries as fast as they go while the batches run; the numbers
    only grow and nothing of it is in the history."""
    async with worker(client, [BatchProcessingWorkflow], [process_batch]) as queue:
        handle = await client.start_workflow(
            BatchProcessingWorkflow.run, 10, id=unique("dashboard"), task_queue=queue
        )
        seen = [0]
        result = asyncio.create_task(handle.result())
        while not result.done():
            data = await handle.query(BatchProcessingWorkflow.get_dashboard_data)
            seen.append(data["processed"] + data["failed"])
        assert await result == "Processed 9 batches, 1 failed"
        assert seen == sorted(seen)
        assert set(await names_of(handle)) <= {
            "WorkflowExecutionStarted",
            "WorkflowTaskScheduled",
            "WorkflowTaskStarted",
            "WorkflowTaskCompleted",
            "ActivityTaskScheduled",
            "ActivityTaskStarted",
            "ActivityTaskCompleted",
            "ActivityTaskFailed",
            "WorkflowExecutionCompleted",
        }


@workflow.defn
class ComplexWorkflow:
    def __init__(self) -> None:
        self.pending = [{"id": "op1", "type": "upload", "retry_count": 0}]
        self.finished = False

    @workflow.query
    def get_full_state(self) -> dict:
        return {"status": "waiting", "pending_operations": len(self.pending), "errors": []}

    @workflow.query
    def get_pending_operations(self) -> list[dict]:
        return self.pending

    @workflow.query
    def broken(self, number: int) -> float:
        return 1 / number

    @workflow.signal
    def finish(self) -> None:
        self.finished = True

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.finished)
        return "finished"


async def test_state_dump_and_stack_trace(client: Client) -> None:
    """Seed 001, lines 4585-4600 and 4689-4716: dictionaries, lists, and the built-in query that
    shows where the workflow waits."""
    async with worker(client, [ComplexWorkflow]) as queue:
        handle = await client.start_workflow(
            ComplexWorkflow.run, id=unique("complex"), task_queue=queue
        )
        expected = {"status": "waiting", "pending_operations": 1, "errors": []}
        assert await handle.query(ComplexWorkflow.get_full_state) == expected
        assert (await handle.query(ComplexWorkflow.get_pending_operations))[0]["id"] == "op1"
        stack = await handle.query("__stack_trace")
        assert f"run (workflow: ComplexWorkflow, id: {handle.id}" in stack
        await handle.signal(ComplexWorkflow.finish)
        assert await handle.result() == "finished"


async def test_failing_and_unknown_queries(client: Client) -> None:
    """Seed 001, lines 4545-4575: a query that raises, and one that is not there, fail the caller
    and not the workflow."""
    async with worker(client, [ComplexWorkflow]) as queue:
        handle = await client.start_workflow(
            ComplexWorkflow.run, id=unique("complex"), task_queue=queue
        )
        with pytest.raises(WorkflowQueryFailedError, match="division by zero"):
            await handle.query(ComplexWorkflow.broken, 0)
        with pytest.raises(WorkflowQueryFailedError, match="nonsense"):
            await handle.query("nonsense")
        assert await handle.query(ComplexWorkflow.broken, 4) == 0.25
        await handle.signal(ComplexWorkflow.finish)
        assert await handle.result() == "finished"


async def test_reject_conditions(client: Client) -> None:
    """Seed 002, line 635: a query may ask to be refused by closed, or by failed, workflows."""
    async with worker(client, [ComplexWorkflow]) as queue:
        done = await client.start_workflow(
            ComplexWorkflow.run, id=unique("complex"), task_queue=queue
        )
        killed = await client.start_workflow(
            ComplexWorkflow.run, id=unique("complex"), task_queue=queue
        )
        await done.signal(ComplexWorkflow.finish)
        await done.result()
        await killed.query(ComplexWorkflow.get_full_state)
        await killed.terminate()
        query = ComplexWorkflow.get_full_state
        with pytest.raises(WorkflowQueryRejectedError):
            await done.query(query, reject_condition=QueryRejectCondition.NOT_OPEN)
        unclean = QueryRejectCondition.NOT_COMPLETED_CLEANLY
        assert (await done.query(query, reject_condition=unclean))["status"] == "waiting"
        with pytest.raises(WorkflowQueryRejectedError):
            await killed.query(query, reject_condition=unclean)


@workflow.defn(name="OrderWorkflow")
class ReadOnlyQueries:
    def __init__(self) -> None:
        self.views = 0

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.query
    def get_views(self) -> int:
        return self.views

    @workflow.signal
    def track_view(self) -> None:
        self.views += 1


async def test_signals_count_queries_only_read(client: Client) -> None:
    """Seed 001, lines 14172-14184: without a cache every answer is replayed from the history."""
    async with worker(client, [ReadOnlyQueries], max_cached_workflows=0) as queue:
        handle = await client.start_workflow(
            ReadOnlyQueries.run, id=unique("views"), task_queue=queue
        )
        for expected in (1, 2, 3):
            await handle.signal(ReadOnlyQueries.track_view)
            assert await handle.query(ReadOnlyQueries.get_views) == expected
        await handle.terminate()


@activity.defn
async def ask_model(turn: int, conversation: list[str]) -> str:
    return ["tool:search", "tool:human", "GOAL_ACHIEVED: 42"][min(turn, 2)]


@activity.defn
async def use_tool(name: str) -> str:
    return f"{name} says something"


@workflow.defn
class AIAgentWorkflow:
    def __init__(self) -> None:
        self.conversation: list[str] = []
        self.human: str | None = None
        self.status = "thinking"

    @workflow.run
    async def run(self, goal: str) -> dict:
        self.conversation.append(f"goal: {goal}")
        for turn in range(20):
            answer = await workflow.execute_activity(
                ask_model, args=[turn, self.conversation], start_to_close_timeout=SHORT
            )
            self.conversation.append(answer)
            if answer.startswith("GOAL_ACHIEVED"):
                return {"result": answer.split(": ")[1], "messages": len(self.conversation)}
            if answer == "tool:human":
                self.status = "waiting for a human"
                await workflow.wait_condition(
                    lambda: self.human is not None, timeout=timedelta(hours=24)
                )
                self.status = "thinking"
                self.conversation.append(f"human: {self.human}")
            else:
                self.conversation.append(
                    await workflow.execute_activity(
                        use_tool, answer.removeprefix("tool:"), start_to_close_timeout=SHORT
                    )
                )
        return {"result": "gave up", "messages": len(self.conversation)}

    @workflow.signal
    def provide_human_input(self, text: str) -> None:
        self.human = text

    @workflow.query
    def get_status(self) -> str:
        return self.status


async def test_agent_with_a_human_in_the_loop(client: Client) -> None:
    """Seed 001, lines 15545-15770: model and tools are activities, the human is a signal."""
    async with worker(client, [AIAgentWorkflow], [ask_model, use_tool]) as queue:
        handle = await client.start_workflow(
            AIAgentWorkflow.run, "find it", id=unique("agent"), task_queue=queue
        )

        async def asks_a_human() -> bool:
            return await handle.query(AIAgentWorkflow.get_status) == "waiting for a human"

        await until(asks_a_human)
        await handle.signal(AIAgentWorkflow.provide_human_input, "look left")
        assert await handle.result() == {"result": "42", "messages": 6}
