"""Signals: carts, pipelines, queues; order, buffering and signal-with-start."""

import asyncio
from collections import deque
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client

from harness.history import activities_of, all_of, names_of
from harness.workers import unique, until, worker

SHORT = timedelta(seconds=10)


@activity.defn
async def make_decision(application: str, documents: str, review: str) -> str:
    return f"{application}: {documents}, {review}"


@workflow.defn
class MortgageApplicationWorkflow:
    def __init__(self) -> None:
        self.received: dict[str, str] = {}

    @workflow.run
    async def run(self, application_id: str) -> str:
        for step in ("documents", "review", "appraisal"):
            await workflow.wait_condition(lambda step=step: step in self.received)
        return await workflow.execute_activity(
            make_decision,
            args=[application_id, self.received["documents"], self.received["review"]],
            start_to_close_timeout=SHORT,
        )

    @workflow.signal
    def receive(self, step: str, value: str) -> None:
        self.received[step] = value


async def test_mortgage_waits_for_three_things(client: Client) -> None:
    """Seed 001, lines 277-298: three waits in a row, the signals come in another order."""
    async with worker(client, [MortgageApplicationWorkflow], [make_decision]) as queue:
        handle = await client.start_workflow(
            MortgageApplicationWorkflow.run, "m1", id=unique("mortgage"), task_queue=queue
        )
        for step, value in [("review", "good"), ("appraisal", "high"), ("documents", "all")]:
            await handle.signal(MortgageApplicationWorkflow.receive, args=[step, value])
        assert await handle.result() == "m1: all, good"
        assert len(await all_of(handle, "WorkflowExecutionSignaled")) == 3


@activity.defn
async def validate_order(order: dict) -> dict:
    return {**order, "valid": True}


@workflow.defn(name="OrderWorkflow")
class AsyncSignalOrder:
    def __init__(self) -> None:
        self.orders: list[dict] = []

    @workflow.signal
    async def process_order(self, order: dict) -> None:
        self.orders.append(
            await workflow.execute_activity(validate_order, order, start_to_close_timeout=SHORT)
        )

    @workflow.run
    async def run(self, count: int) -> list[dict]:
        await workflow.wait_condition(lambda: len(self.orders) == count)
        return self.orders


async def test_async_signal_handler_runs_an_activity(client: Client) -> None:
    """Seed 001, lines 4019-4034."""
    async with worker(client, [AsyncSignalOrder], [validate_order]) as queue:
        handle = await client.start_workflow(
            AsyncSignalOrder.run, 2, id=unique("orders"), task_queue=queue
        )
        await handle.signal(AsyncSignalOrder.process_order, {"order_id": 1})
        await handle.signal(AsyncSignalOrder.process_order, {"order_id": 2})
        result = await handle.result()
    assert sorted(order["order_id"] for order in result) == [1, 2]
    assert all(order["valid"] for order in result)


@activity.defn
async def process_checkout(cart: dict) -> int:
    return len(cart["items"])


@workflow.defn
class ShoppingCartWorkflow:
    def __init__(self) -> None:
        self.items: list[dict] = []

    @workflow.signal
    def add_item(self, item: dict) -> None:
        self.items.append(item)

    @workflow.run
    async def run(self, open_s: float) -> dict:
        await asyncio.sleep(open_s)
        total = sum(item["price"] for item in self.items)
        if self.items:
            cart = {"items": self.items, "total": total}
            await workflow.execute_activity(process_checkout, cart, start_to_close_timeout=SHORT)
        return {"items": len(self.items), "total": total}


async def test_cart_by_signal_with_start(client: Client) -> None:
    """Seed 001, lines 4094-4144: the first call starts the run, the next ones signal it. The
    cart's 24 hours are one second."""
    cart_id = unique("cart")
    async with worker(client, [ShoppingCartWorkflow], [process_checkout]) as queue:
        handles = [
            await client.start_workflow(
                ShoppingCartWorkflow.run,
                1.0,
                id=cart_id,
                task_queue=queue,
                start_signal="add_item",
                start_signal_args=[{"name": name, "price": price}],
            )
            for name, price in [("book", 20.0), ("pen", 2.5)]
        ]
        assert handles[0].result_run_id == handles[1].result_run_id
        assert await handles[0].result() == {"items": 2, "total": 22.5}
        names = await names_of(handles[0])
        assert names[:3] == [
            "WorkflowExecutionStarted",
            "WorkflowExecutionSignaled",
            "WorkflowTaskScheduled",
        ]
        assert names.count("WorkflowExecutionSignaled") == 2


@workflow.defn
class MultiStageWorkflow:
    def __init__(self) -> None:
        self.done: set[str] = set()

    @workflow.signal
    def complete_stage1(self) -> None:
        self.done.add("stage1")

    @workflow.signal
    def complete_stage2(self) -> None:
        self.done.add("stage2")

    @workflow.signal
    def confirm_payment(self, amount: float) -> None:
        self.done.add("payment")

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: len(self.done) == 3, timeout=timedelta(hours=48))
        return "All conditions met - proceeding"


async def test_three_conditions(client: Client) -> None:
    """Seed 001, lines 4170-4196: the wait of 48 hours ends with the third signal."""
    async with worker(client, [MultiStageWorkflow]) as queue:
        handle = await client.start_workflow(
            MultiStageWorkflow.run, id=unique("stages"), task_queue=queue
        )
        await handle.signal(MultiStageWorkflow.confirm_payment, 10.0)
        await handle.signal(MultiStageWorkflow.complete_stage2)
        await handle.signal(MultiStageWorkflow.complete_stage1)
        assert await handle.result() == "All conditions met - proceeding"


@activity.defn
async def notify(message: str) -> str:
    return message


@activity.defn
async def pipeline_step(name: str, argument: str) -> str:
    return f"{name}({argument})"


@workflow.defn
class DataPipelineWorkflow:
    def __init__(self) -> None:
        self.location: str | None = None
        self.validated = self.transformed = False

    @workflow.signal
    def notify_upload_complete(self, location: str) -> None:
        self.location = location

    @workflow.signal
    def notify_validation_complete(self) -> None:
        self.validated = True

    @workflow.signal
    def notify_transform_complete(self) -> None:
        self.transformed = True

    async def step(self, name: str, argument: str) -> str:
        return await workflow.execute_activity(
            pipeline_step, args=[name, argument], start_to_close_timeout=SHORT
        )

    @workflow.run
    async def run(self, pipeline_id: str) -> str:
        await workflow.wait_condition(lambda: self.location is not None)
        assert self.location
        await self.step("start_validation", self.location)
        await workflow.wait_condition(lambda: self.validated)
        await self.step("start_transformation", self.location)
        await workflow.wait_condition(lambda: self.transformed)
        await self.step("finalize", pipeline_id)
        return f"Pipeline {pipeline_id} completed successfully"


async def test_pipeline_alternates_signals_and_activities(client: Client) -> None:
    """Seed 001, lines 4316-4366: each stage waits for word from outside."""
    async with worker(client, [DataPipelineWorkflow], [pipeline_step]) as queue:
        handle = await client.start_workflow(
            DataPipelineWorkflow.run, "p1", id=unique("pipeline"), task_queue=queue
        )
        await handle.signal(DataPipelineWorkflow.notify_upload_complete, "s3://bucket/in")

        async def steps_done(count: int) -> bool:
            return (await names_of(handle)).count("ActivityTaskCompleted") == count

        await until(lambda: steps_done(1))
        await handle.signal(DataPipelineWorkflow.notify_validation_complete)
        await until(lambda: steps_done(2))
        await handle.signal(DataPipelineWorkflow.notify_transform_complete)
        assert await handle.result() == "Pipeline p1 completed successfully"
        assert (await activities_of(handle)) == ["pipeline_step"] * 3


@activity.defn
async def do_task(task: int) -> int:
    return task * task


@workflow.defn
class WorkerWorkflow:
    def __init__(self) -> None:
        self.received: list[int] = []
        self.results: list[int] = []

    @workflow.signal
    async def process_task(self, task: int) -> None:
        self.received.append(task)
        self.results.append(
            await workflow.execute_activity(do_task, task, start_to_close_timeout=SHORT)
        )

    @workflow.run
    async def run(self) -> dict:
        before_run = list(self.received)
        await workflow.wait_condition(lambda: len(self.results) >= 5, timeout=timedelta(hours=1))
        return {
            "before_run": before_run,
            "received": self.received,
            "results": sorted(self.results),
        }


async def test_signals_before_the_worker_arrive_in_order(client: Client) -> None:
    """Seed 001, lines 5430-5493: five signals are accepted without a worker; the handlers see
    them in order, all five before the first line of the workflow's own code."""
    queue = unique("queue")
    handle = await client.start_workflow(
        WorkerWorkflow.run, id=unique("buffered"), task_queue=queue
    )
    for task in range(1, 6):
        await handle.signal(WorkerWorkflow.process_task, task)
    async with worker(client, [WorkerWorkflow], [do_task], queue=queue):
        result = await handle.result()
    assert result["received"] == [1, 2, 3, 4, 5]
    assert result["before_run"] == [1, 2, 3, 4, 5]
    assert result["results"] == [1, 4, 9, 16, 25]


@workflow.defn
class QueueBasedWorkflow:
    def __init__(self) -> None:
        self.messages: deque[str] = deque()
        self.shutdown = False

    @workflow.signal
    def add_message(self, message: str) -> None:
        if len(self.messages) < 1000:
            self.messages.append(message)

    @workflow.signal
    def stop(self) -> None:
        self.shutdown = True

    @workflow.run
    async def run(self) -> list[str]:
        handled = []
        while not (self.shutdown and not self.messages):
            await workflow.wait_condition(lambda: bool(self.messages) or self.shutdown)
            while self.messages:
                message = self.messages.popleft()
                handled.append(
                    await workflow.execute_activity(notify, message, start_to_close_timeout=SHORT)
                )
        return handled


async def test_messages_are_handled_one_by_one(client: Client) -> None:
    """Seed 001, lines 5548-5579: thirty messages, sent one after another while the workflow works;
    none is lost, none comes twice, the order holds."""
    messages = [f"m{number:02}" for number in range(30)]
    async with worker(client, [QueueBasedWorkflow], [notify]) as queue:
        handle = await client.start_workflow(
            QueueBasedWorkflow.run, id=unique("messages"), task_queue=queue
        )
        for message in messages:
            await handle.signal(QueueBasedWorkflow.add_message, message)
        await handle.signal(QueueBasedWorkflow.stop)
        assert await handle.result() == messages


@workflow.defn(name="GoodWorkflow")
class InitBeforeHandlers:
    @workflow.init
    def __init__(self, name: str) -> None:
        self.name = name
        self.approved_for: str | None = None

    @workflow.run
    async def run(self, name: str) -> str:
        await workflow.wait_condition(lambda: self.approved_for is not None)
        return f"Hello {self.approved_for}"

    @workflow.signal
    def approve(self) -> None:
        self.approved_for = self.name


async def test_init_comes_before_the_signal(client: Client) -> None:
    """Seed 001, lines 5698-5710: a signal sent with the start finds the initialised workflow."""
    async with worker(client, [InitBeforeHandlers]) as queue:
        result = await client.execute_workflow(
            InitBeforeHandlers.run,
            "Ida",
            id=unique("init"),
            task_queue=queue,
            start_signal="approve",
        )
    assert result == "Hello Ida"


@workflow.defn
class GreetingWorkflow:
    def __init__(self) -> None:
        self.pending: asyncio.Queue[str] = asyncio.Queue()
        self.leaving = False
        self.custom = 0

    @workflow.run
    async def run(self) -> list[str]:
        greetings = []
        while True:
            await workflow.wait_condition(lambda: not self.pending.empty() or self.leaving)
            while not self.pending.empty():
                greetings.append(f"Hello, {self.pending.get_nowait()}")
            if self.leaving:
                return [*greetings, f"custom {self.custom}"]

    @workflow.signal
    async def submit_greeting(self, name: str) -> None:
        await self.pending.put(name)

    @workflow.signal
    def exit(self) -> None:
        self.leaving = True

    @workflow.signal(name="Custom Signal Name")
    def custom_signal(self, number: int) -> None:
        self.custom += number


async def test_named_and_unnamed_signals(client: Client) -> None:
    """Seed 002, lines 547-565, 573-584 and 608-621: async handler, plain handler, a handler with a
    name of its own, and signal-with-start."""
    async with worker(client, [GreetingWorkflow]) as queue:
        handle = await client.start_workflow(
            GreetingWorkflow.run,
            id=unique("your-signal-with-start-workflow"),
            task_queue=queue,
            start_signal="submit_greeting",
            start_signal_args=["User Signal with Start"],
        )
        await handle.signal(GreetingWorkflow.submit_greeting, "User 1")
        await handle.signal("Custom Signal Name", 7)
        await handle.signal(GreetingWorkflow.exit)
        expected = ["Hello, User Signal with Start", "Hello, User 1", "custom 7"]
        assert await handle.result() == expected
