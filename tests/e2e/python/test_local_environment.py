"""The SDK's own launcher of local servers, pointed at the binary."""

from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow
from temporalio.testing import WorkflowEnvironment

from harness.history import all_of, assert_sound, events_of
from harness.server import find_binary
from harness.workers import unique, until, worker

SHORT = timedelta(seconds=10)


@activity.defn
async def reserve(order_id: str) -> str:
    return f"reserved {order_id}"


@activity.defn
async def ship(order_id: str, approver: str) -> str:
    return f"shipped {order_id} for {approver}"


@workflow.defn
class Order:
    def __init__(self) -> None:
        self.stage = "new"
        self.approver = ""

    @workflow.run
    async def run(self, order_id: str) -> list[str]:
        reserved = await workflow.execute_activity(reserve, order_id, start_to_close_timeout=SHORT)
        await workflow.sleep(0.1)
        self.stage = "waiting for approval"
        await workflow.wait_condition(lambda: bool(self.approver))
        shipped = await workflow.execute_activity(
            ship, args=[order_id, self.approver], start_to_close_timeout=SHORT
        )
        self.stage = "shipped"
        return [reserved, shipped]

    @workflow.signal
    def approve(self, name: str) -> None:
        self.approver = name

    @workflow.query
    def status(self) -> str:
        return self.stage


async def test_order_in_a_local_environment(tmp_path: Path) -> None:
    """Two activities, a timer, a signal and a query, on a server that the SDK starts, with a data
    file, and stops."""
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(find_binary()),
        dev_server_database_filename=str(tmp_path / "abide.db"),
    ) as environment:
        client = environment.client
        async with worker(client, [Order], [reserve, ship]) as queue:
            handle = await client.start_workflow(
                Order.run, "o1", id=unique("order"), task_queue=queue
            )

            async def waiting() -> bool:
                return await handle.query(Order.status) == "waiting for approval"

            await until(waiting)
            await handle.signal(Order.approve, "Ann")
            assert await handle.result() == ["reserved o1", "shipped o1 for Ann"]
            assert await handle.query(Order.status) == "shipped"
            assert_sound(await events_of(handle))
            assert len(await all_of(handle, "ActivityTaskCompleted")) == 2
            assert len(await all_of(handle, "TimerFired")) == 1
