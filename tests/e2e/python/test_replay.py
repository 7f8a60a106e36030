"""Histories as the command line prints them, replayed by the SDK: every event and every field that
a worker needs survives the way through JSON."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.worker import Replayer

import test_continue_as_new
import test_failures
import test_fan_out
import test_long_activities
import test_orchestration
import test_queries
import test_sagas
import test_seed_samples
import test_signals
import test_timers
import test_versioning
from harness.history import assert_sound, events_of
from harness.server import Server
from harness.workers import RUNNER, unique, worker


async def replay_from_cli(server: Server, handle: WorkflowHandle, workflow_class: type) -> int:
    """Prints the run's history with `workflow show`, replays it, returns its number of events."""
    printed = await asyncio.to_thread(
        server.cli, "workflow", "show", "--workflow-id", handle.id, "--output", "json"
    )
    history = WorkflowHistory.from_json(handle.id, printed)
    assert list(history.events) == list(await events_of(handle)), "the JSON is not the history"
    assert_sound(history.events)
    await Replayer(workflows=[workflow_class], workflow_runner=RUNNER).replay_workflow(history)
    return len(json.loads(printed)["events"])


CASES: dict[str, tuple[type, list, list[Any], list[tuple[str, list[Any]]]]] = {
    "two activities": (
        test_seed_samples.DataProcessingWorkflow,
        [test_seed_samples.process_data, test_seed_samples.send_notification],
        ["Sample Data"],
        [],
    ),
    "dataclasses": (
        test_orchestration.TypedOrder,
        [test_orchestration.process_payment, test_orchestration.send_confirmation],
        [test_orchestration.OrderInput("o", "a@example.org", 1.5, ["ü", "日本"])],
        [],
    ),
    "fan-out": (
        test_fan_out.ParallelProcessingWorkflow,
        [test_fan_out.scrape_url],
        [[f"https://example.org/{number}" for number in range(30)]],
        [],
    ),
    "failed activities": (
        test_failures.CarriesOn,
        [test_failures.process_item],
        [["a", "bad", "b"]],
        [],
    ),
    "saga": (test_sagas.BookingWorkflow, test_sagas.BOOKING, [{"trip": "r", "full": True}], []),
    "timers": (test_timers.TimersInOrder, [], [[0.2, 0.1, 0.05]], []),
    "timer cancelled": (
        test_timers.CancellableTimerWorkflow,
        [test_timers.reject_order],
        [3600.0],
        [("cancel_timer", [])],
    ),
    "signals": (
        test_signals.QueueBasedWorkflow,
        [test_signals.notify],
        [],
        [("add_message", ["m1"]), ("add_message", ["m2"]), ("stop", [])],
    ),
    "patch marker": (test_versioning.NewestFirst, test_versioning.ACTIVITIES, [], []),
    "local activity": (
        test_long_activities.LocalPayment,
        [test_long_activities.charge_once],
        [2.0],
        [],
    ),
    "continued as new": (
        test_continue_as_new.CarriesState,
        [test_continue_as_new.process_item],
        [],
        [],
    ),
    "human in the loop": (
        test_queries.AIAgentWorkflow,
        [test_queries.ask_model, test_queries.use_tool],
        ["goal"],
        [("provide_human_input", ["left"])],
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_printed_history_replays(server: Server, client: Client, case: str) -> None:
    """Seed 001, lines 2816-2843, 8448-8640 and 13212-13325: twelve kinds of workflow."""
    workflow_class, activities, arguments, signals = CASES[case]
    name = workflow._Definition.must_from_class(workflow_class).name
    async with worker(client, [workflow_class], activities) as queue:
        handle = await client.start_workflow(
            name, args=arguments, id=unique("replay"), task_queue=queue
        )
        for signal, values in signals:
            await handle.signal(signal, args=values)
        await handle.result()
    await replay_from_cli(server, handle, workflow_class)


@activity.defn
async def add_one(number: int) -> int:
    return number + 1


@workflow.defn
class TenThousandEvents:
    @workflow.run
    async def run(self, rounds: int) -> int:
        total = 0
        for _ in range(rounds):
            sleeps = [asyncio.sleep(0.01) for _ in range(800)]
            calls = [
                workflow.execute_activity(
                    add_one, number, start_to_close_timeout=timedelta(seconds=60)
                )
                for number in range(150)
            ]
            await asyncio.gather(*sleeps)
            total += sum(await asyncio.gather(*calls))
        return total


@pytest.mark.limit(240)
async def test_ten_thousand_events_replay(server: Server, client: Client) -> None:
    """Seed 001, lines 508-511: a long history, in many pages, printed and replayed."""
    async with worker(client, [TenThousandEvents], [add_one]) as queue:
        handle = await client.start_workflow(
            TenThousandEvents.run, 5, id=unique("long"), task_queue=queue
        )
        assert await handle.result() == 5 * sum(range(1, 151))
    assert await replay_from_cli(server, handle, TenThousandEvents) >= 10_000
