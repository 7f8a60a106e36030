"""Changing workflow code: patches, names with a version, and the detection of what breaks."""

from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from harness.history import activities_of, all_of, names_of
from harness.workers import RUNNER, unique, until, worker

SHORT = timedelta(seconds=10)


async def call(name: str) -> str:
    """One activity by name, called from workflow code."""
    return await workflow.execute_activity(name, start_to_close_timeout=SHORT)


@activity.defn
async def process_payment() -> str:
    return "paid"


@activity.defn
async def check_fraud() -> str:
    return "safe"


@activity.defn
async def send_notifications() -> str:
    return "sent"


@activity.defn
async def reserve_inventory() -> str:
    return "reserved"


ACTIVITIES = [process_payment, check_fraud, send_notifications, reserve_inventory]


@workflow.defn(name="OrderWorkflow")
class Unpatched:
    def __init__(self) -> None:
        self.go_on = False

    @workflow.run
    async def run(self) -> str:
        await call("process_payment")
        await workflow.wait_condition(lambda: self.go_on)
        return "original"

    @workflow.signal
    def proceed(self) -> None:
        self.go_on = True


@workflow.defn(name="OrderWorkflow")
class Patched(Unpatched):
    @workflow.run
    async def run(self) -> str:
        await call("process_payment")
        fraud = "unchecked"
        if workflow.patched("add-fraud-check-v1"):
            fraud = await call("check_fraud")
        await workflow.wait_condition(lambda: self.go_on)
        return fraud


@workflow.defn(name="OrderWorkflow")
class PatchDeprecated(Unpatched):
    @workflow.run
    async def run(self) -> str:
        await call("process_payment")
        workflow.deprecate_patch("add-fraud-check-v1")
        fraud = await call("check_fraud")
        await workflow.wait_condition(lambda: self.go_on)
        return fraud


@workflow.defn(name="OrderWorkflow")
class PatchRemoved(Unpatched):
    @workflow.run
    async def run(self) -> str:
        await call("process_payment")
        fraud = await call("check_fraud")
        await workflow.wait_condition(lambda: self.go_on)
        return fraud


async def start_and_reach(client: Client, version: type, queue: str, completed: int):
    """A run under one version of the code that has done so many activities and waits."""
    async with worker(client, [version], ACTIVITIES, queue=queue):
        handle = await client.start_workflow("OrderWorkflow", id=unique("order"), task_queue=queue)

        async def reached() -> bool:
            return (await names_of(handle)).count("ActivityTaskCompleted") == completed

        await until(reached)

        # Only after the task that follows has no open task the worker may go.
        async def settled() -> bool:
            names = await names_of(handle)
            return names.count("WorkflowTaskCompleted") == completed + 1

        await until(settled)
    return handle


@pytest.mark.parametrize(
    ("before", "after", "completed", "expected"),
    [
        (Unpatched, Patched, 1, "unchecked"),
        (Patched, Patched, 2, "safe"),
        (Patched, PatchDeprecated, 2, "safe"),
        (PatchDeprecated, PatchRemoved, 2, "safe"),
    ],
)
async def test_patch_in_three_steps(
    client: Client, before: type, after: type, completed: int, expected: str
) -> None:
    """Seed 001, lines 7940-8028: a run started under one version ends under the next."""
    queue = unique("queue")
    handle = await start_and_reach(client, before, queue, completed)
    async with worker(client, [after], ACTIVITIES, queue=queue):
        await handle.signal("proceed")
        assert await handle.result() == expected
    markers = await all_of(handle, "MarkerRecorded")
    assert len(markers) == (0 if before is Unpatched else 1)


async def test_patch_marker_is_kept_as_sent(client: Client) -> None:
    """Seed 001, lines 7944-7950: the marker comes back with name and details."""
    handle = await start_and_reach(client, Patched, unique("queue"), 2)
    (marker,) = await all_of(handle, "MarkerRecorded")
    assert marker.marker_name == "core_patch"
    assert b"add-fraud-check-v1" in marker.details["patch-data"].payloads[0].data
    await handle.terminate()


@workflow.defn(name="OrderWorkflow")
class NewestFirst:
    @workflow.run
    async def run(self) -> str:
        await call("process_payment")
        if workflow.patched("add-notifications-v3"):
            await call("send_notifications")
            await call("check_fraud")
            return "v3"
        if workflow.patched("add-fraud-check-v2"):
            await call("check_fraud")
            return "v2"
        return "v1"


async def test_new_runs_take_the_newest_patch(client: Client) -> None:
    """Seed 001, lines 8032-8060: the newest patch comes first, older ones leave no marker."""
    async with worker(client, [NewestFirst], ACTIVITIES) as queue:
        handle = await client.start_workflow(NewestFirst.run, id=unique("order"), task_queue=queue)
        assert await handle.result() == "v3"
        assert await activities_of(handle) == [
            "process_payment",
            "send_notifications",
            "check_fraud",
        ]
        assert len(await all_of(handle, "MarkerRecorded")) == 1


@workflow.defn(name="ProcessOrder")
class ProcessOrderV1:
    @workflow.run
    async def run(self) -> str:
        return await call("process_payment")


@workflow.defn(name="ProcessOrder_v2")
class ProcessOrderV2:
    @workflow.run
    async def run(self) -> str:
        return await call("reserve_inventory")


async def test_versions_by_name(client: Client) -> None:
    """Seed 001, lines 7893-7904: two types on one queue."""
    async with worker(client, [ProcessOrderV1, ProcessOrderV2], ACTIVITIES) as queue:
        for name, expected in [("ProcessOrder", "paid"), ("ProcessOrder_v2", "reserved")]:
            handle = await client.start_workflow(name, id=unique("order"), task_queue=queue)
            assert await handle.result() == expected
            assert (await handle.describe()).workflow_type == name


@workflow.defn(name="OrderWorkflowV")
class PaymentFirst:
    @workflow.run
    async def run(self) -> str:
        await call("process_payment")
        await call("reserve_inventory")
        return "done"


@workflow.defn(name="OrderWorkflowV")
class InventoryFirst:
    @workflow.run
    async def run(self) -> str:
        await call("reserve_inventory")
        await call("process_payment")
        return "done"


@workflow.defn(name="OrderWorkflowV")
class SwappedWithPatch:
    @workflow.run
    async def run(self) -> str:
        steps = ["process_payment", "reserve_inventory"]
        if workflow.patched("swap-order-v2"):
            steps.reverse()
        for step in steps:
            await call(step)
        return "done"


async def test_replay_finds_the_swapped_order(client: Client) -> None:
    """Seed 001, lines 13261-13290: the history of version 1 replays with versions 1 and 2-fixed,
    and not with the swapped one."""
    async with worker(client, [PaymentFirst], ACTIVITIES) as queue:
        handle = await client.start_workflow("OrderWorkflowV", id=unique("order"), task_queue=queue)
        assert await handle.result() == "done"
    history = await handle.fetch_history()
    for good in (PaymentFirst, SwappedWithPatch):
        await Replayer(workflows=[good], workflow_runner=RUNNER).replay_workflow(history)
    with pytest.raises(NondeterminismError):
        await Replayer(workflows=[InventoryFirst], workflow_runner=RUNNER).replay_workflow(history)


@workflow.defn(name="Onboarding")
class OnboardingV1(Unpatched):
    @workflow.run
    async def run(self) -> str:
        await call("check_fraud")
        await workflow.wait_condition(lambda: self.go_on)
        await call("reserve_inventory")
        return "v1"


@workflow.defn(name="Onboarding")
class OnboardingV2Bad(Unpatched):
    @workflow.run
    async def run(self) -> str:
        await call("reserve_inventory")
        await workflow.wait_condition(lambda: self.go_on)
        await call("check_fraud")
        return "v2"


@workflow.defn(name="Onboarding")
class OnboardingV2Good(Unpatched):
    @workflow.run
    async def run(self) -> str:
        if workflow.patched("reorder-validation-v2"):
            steps = ["reserve_inventory", "check_fraud"]
        else:
            steps = ["check_fraud", "reserve_inventory"]
        await call(steps[0])
        await workflow.wait_condition(lambda: self.go_on)
        await call(steps[1])
        return f"good: {steps[1]}"


async def test_breaking_change_fails_tasks_until_it_is_mended(client: Client) -> None:
    """Seed 001, lines 14022-14075: under the bad version the task fails and the run stays open;
    under the good one the same run ends on the old path."""
    queue = unique("queue")
    async with worker(client, [OnboardingV1], ACTIVITIES, queue=queue):
        handle = await client.start_workflow("Onboarding", id=unique("onboard"), task_queue=queue)

        async def waiting() -> bool:
            return (await names_of(handle)).count("WorkflowTaskCompleted") == 2

        await until(waiting)
    async with worker(client, [OnboardingV2Bad], ACTIVITIES, queue=queue):
        await handle.signal("proceed")

        async def task_failed() -> bool:
            return "WorkflowTaskFailed" in await names_of(handle)

        await until(task_failed)
        failed = (await all_of(handle, "WorkflowTaskFailed"))[0]
        assert failed.failure.message.startswith("[TMPRL1100]")
    async with worker(client, [OnboardingV2Good], ACTIVITIES, queue=queue):
        assert await handle.result() == "good: reserve_inventory"
