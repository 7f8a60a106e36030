"""Continue-as-new and cron: chains of runs under one workflow id."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.api.enums.v1 import ContinueAsNewInitiator
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError

from harness.history import all_of, assert_sound, events_of, name_of, one_of, runs_of
from harness.workers import unique, until, worker

SHORT = timedelta(seconds=20)
CONTINUED = "WorkflowExecutionContinuedAsNew"
COMPLETED = "WorkflowExecutionCompleted"


@activity.defn
async def process_item(item: str) -> str:
    return item


@workflow.defn
class LongRunningWorkflow:
    @workflow.run
    async def run(self, iteration: int) -> str:
        for number in range(10):
            await workflow.execute_activity(
                process_item, f"item-{iteration}-{number}", start_to_close_timeout=SHORT
            )
        if iteration < 2:
            workflow.continue_as_new(iteration + 1)
        return f"stopped in run {iteration}"


async def test_each_run_has_a_fresh_history(client: Client) -> None:
    """Seed 001, lines 515-543: the same id, a new run id, a history that starts at 1. The sample
    never ends and does 100 activities a run; here three runs of ten."""
    async with worker(client, [LongRunningWorkflow], [process_item]) as queue:
        handle = await client.start_workflow(
            LongRunningWorkflow.run, 0, id=unique("long"), task_queue=queue
        )
        assert await handle.result() == "stopped in run 2"
        runs = await runs_of(handle, client)
        assert [close for _, close in runs] == [CONTINUED, CONTINUED, COMPLETED]
        for number, (run_id, _) in enumerate(runs):
            run = client.get_workflow_handle(handle.id, run_id=run_id)
            events = await events_of(run)
            assert_sound(events)
            started = await one_of(run, "WorkflowExecutionStarted")
            assert await client.data_converter.decode(started.input.payloads) == [number]
            assert started.first_execution_run_id == handle.first_execution_run_id
            assert started.continued_execution_run_id == (runs[number - 1][0] if number else "")
            assert len(await all_of(run, "ActivityTaskCompleted")) == 10


@workflow.defn
class LoopingWorkflow:
    @workflow.run
    async def run(self, iteration: int, pause_s: float) -> None:
        if iteration == 5:
            return
        await asyncio.sleep(pause_s)
        workflow.continue_as_new(args=[iteration + 1, pause_s])


async def test_five_continued_runs_and_one_completed(client: Client) -> None:
    """Seed 002, lines 393-407: one workflow id, six run ids; the sample sleeps 10 s each."""
    async with worker(client, [LoopingWorkflow]) as queue:
        handle = await client.start_workflow(
            LoopingWorkflow.run, args=[0, 0.1], id=unique("looping"), task_queue=queue
        )
        assert await handle.result() is None
        runs = await runs_of(handle, client)
        assert [close for _, close in runs] == [CONTINUED] * 5 + [COMPLETED]
        assert len({run_id for run_id, _ in runs}) == 6
        first = client.get_workflow_handle(handle.id, run_id=runs[0][0])
        status = (await first.describe()).status
        assert status == WorkflowExecutionStatus.CONTINUED_AS_NEW


@dataclass
class WorkflowState:
    processed_count: int = 0
    iteration: int = 0


@workflow.defn(name="LongRunningWorkflow")
class CarriesState:
    @workflow.run
    async def run(self, state: WorkflowState | None = None) -> WorkflowState:
        state = state or WorkflowState()
        for _ in range(5):
            await workflow.execute_activity(
                process_item, str(state.processed_count), start_to_close_timeout=SHORT
            )
            state.processed_count += 1
        state.iteration += 1
        if state.processed_count < 15:
            workflow.continue_as_new(state)
        return state


async def test_state_goes_along(client: Client) -> None:
    """Seed 001, lines 3753-3778: a dataclass is handed from run to run; the first gets none."""
    async with worker(client, [CarriesState], [process_item]) as queue:
        result = await client.execute_workflow(
            CarriesState.run, id=unique("state"), task_queue=queue
        )
    assert result == WorkflowState(processed_count=15, iteration=3)


@dataclass
class AccountState:
    account_id: str
    balance: float = 0.0
    transactions: int = 0
    pending: list[float] = field(default_factory=list)


@activity.defn
async def process_transaction(amount: float) -> float:
    if amount == 13:
        raise ApplicationError("unlucky", non_retryable=True)
    return amount


@workflow.defn
class AccountEntityWorkflow:
    @workflow.init
    def __init__(self, state: AccountState | None = None) -> None:
        self.state = state or AccountState(workflow.info().workflow_id)
        self.stopping = False

    @workflow.run
    async def run(self, state: AccountState | None = None) -> AccountState:
        pending = self.state.pending
        while not (self.stopping and not pending):
            await workflow.wait_condition(lambda: bool(pending) or self.stopping)
            while pending:
                amount = pending.pop(0)
                try:
                    self.state.balance += await workflow.execute_activity(
                        process_transaction, amount, start_to_close_timeout=SHORT
                    )
                except Exception as error:
                    workflow.logger.info("transaction failed: %s", error)
                self.state.transactions += 1
                if self.state.transactions % 20 == 0:
                    workflow.continue_as_new(self.state)
        return self.state

    @workflow.signal
    def deposit(self, amount: float) -> None:
        self.state.pending.append(amount)

    @workflow.signal
    def withdraw(self, amount: float) -> None:
        self.state.pending.append(-amount)

    @workflow.signal
    def shutdown(self) -> None:
        self.stopping = True

    @workflow.query
    def get_balance(self) -> float:
        return self.state.balance


async def test_account_loses_no_signal_over_many_runs(client: Client) -> None:
    """Seed 001, lines 3790-3866: deposits and withdrawals as fast as they go while the run is
    continued as new every 20 of them; a signal that arrives at that moment is not lost, and what
    is still to do goes along with the state."""
    async with worker(client, [AccountEntityWorkflow], [process_transaction]) as queue:
        first = await client.start_workflow(
            AccountEntityWorkflow.run, id=unique("account"), task_queue=queue
        )
        account = client.get_workflow_handle(first.id)
        for _ in range(20):
            await account.signal("deposit", 10.0)
            await account.signal("withdraw", 4.0)
        await account.signal("deposit", 13.0)

        async def all_booked() -> bool:
            return await account.query(AccountEntityWorkflow.get_balance) == 120.0

        await until(all_booked)
        await account.signal("shutdown")
        result = await first.result()
        assert (result.account_id, result.balance, result.transactions) == (first.id, 120.0, 41)
        runs = await runs_of(first, client)
        assert len(runs) == 3
        signals = 0
        for run_id, _ in runs:
            run = client.get_workflow_handle(first.id, run_id=run_id)
            assert_sound(await events_of(run))
            signals += len(await all_of(run, "WorkflowExecutionSignaled"))
        assert signals == 42


@dataclass
class EntityState:
    entity_id: str
    values: list[int] = field(default_factory=list)


@workflow.defn
class LongRunningEntityWorkflow:
    def __init__(self) -> None:
        self.pending: list[int] = []

    @workflow.run
    async def run(self, entity_id: str, values: list[int]) -> EntityState:
        taken = 0
        while taken < 3:
            await workflow.wait_condition(lambda: bool(self.pending), timeout=timedelta(hours=1))
            values.append(self.pending.pop(0))
            taken += 1
        if len(values) < 6:
            workflow.continue_as_new(args=[entity_id, values])
        return EntityState(entity_id, values)

    @workflow.signal
    def event(self, number: int) -> None:
        self.pending.append(number)


async def test_entity_continues_with_several_arguments(client: Client) -> None:
    """Seed 001, lines 8830-8867 and 8933-8955: `continue_as_new(args=[...])` with id and state."""
    async with worker(client, [LongRunningEntityWorkflow]) as queue:
        handle = await client.start_workflow(
            LongRunningEntityWorkflow.run, args=["e1", []], id=unique("entity"), task_queue=queue
        )
        current = client.get_workflow_handle(handle.id)
        for number in range(3):
            await current.signal("event", number)

        async def continued() -> bool:
            return (await current.describe()).run_id != handle.first_execution_run_id

        await until(continued)
        for number in range(3, 6):
            await current.signal("event", number)
        assert await handle.result() == EntityState("e1", [0, 1, 2, 3, 4, 5])


@workflow.defn
class FrequencyBasedWorkflow:
    @workflow.run
    async def run(self, total: int, limit: int) -> int:
        for _ in range(limit):
            await workflow.execute_activity(process_item, str(total), start_to_close_timeout=SHORT)
            total += 1
            if total == 25:
                return total
        workflow.continue_as_new(args=[total, limit])


async def test_continue_every_ten_batches(client: Client) -> None:
    """Seed 001, lines 8971-8984: by count; 25 batches at ten a run are three runs."""
    async with worker(client, [FrequencyBasedWorkflow], [process_item]) as queue:
        handle = await client.start_workflow(
            FrequencyBasedWorkflow.run, args=[0, 10], id=unique("frequency"), task_queue=queue
        )
        assert await handle.result() == 25
        assert len(await runs_of(handle, client)) == 3


@workflow.defn
class UserSessionWorkflowGood:
    @workflow.run
    async def run(self, user_id: str, total: int) -> dict:
        while total < 40:
            if workflow.info().get_current_history_length() > 60:
                workflow.continue_as_new(args=[user_id, total])
            await workflow.execute_activity(process_item, user_id, start_to_close_timeout=SHORT)
            total += 1
        size = workflow.info().get_current_history_size()
        return {"total": total, "size_known": size > 0}


async def test_continue_by_history_length(client: Client) -> None:
    """Seed 001, lines 13904-13930 and 14513-14530: the workflow reads its own history length, as
    the server sends it."""
    async with worker(client, [UserSessionWorkflowGood], [process_item]) as queue:
        handle = await client.start_workflow(
            UserSessionWorkflowGood.run, args=["u1", 0], id=unique("session"), task_queue=queue
        )
        assert await handle.result() == {"total": 40, "size_known": True}
        runs = await runs_of(handle, client)
        assert len(runs) == 4
        for run_id, _ in runs:
            events = await events_of(client.get_workflow_handle(handle.id, run_id=run_id))
            assert len(events) < 80


@workflow.defn
class KeepsItsMemo:
    @workflow.run
    async def run(self, again: bool) -> list:
        if again:
            workflow.continue_as_new(False)
        return [workflow.memo_value("owner"), workflow.info().continued_run_id]


async def test_memo_goes_along(client: Client) -> None:
    """Seed 002, lines 508-512: the memo set at the start is there in the next run."""
    async with worker(client, [KeepsItsMemo]) as queue:
        handle = await client.start_workflow(
            KeepsItsMemo.run, True, id=unique("memo"), task_queue=queue, memo={"owner": "Ann"}
        )
        assert await handle.result() == ["Ann", handle.first_execution_run_id]
        description = await client.get_workflow_handle(handle.id).describe()
        assert await description.memo() == {"owner": "Ann"}


@workflow.defn
class CronWorkflow:
    @workflow.run
    async def run(self, name: str) -> str:
        last = (
            workflow.get_last_completion_result(str)
            if workflow.has_last_completion_result()
            else ""
        )
        return f"{last}{name}"


async def test_cron_runs_every_second(client: Client) -> None:
    """Seed 002, lines 645-654, 666 and 705: each run has the same input, sees the result of the one
    before, and names its successor; the chain goes on until it is terminated."""
    async with worker(client, [CronWorkflow]) as queue:
        handle = await client.start_workflow(
            CronWorkflow.run, "x", id=unique("cron"), task_queue=queue, cron_schedule="@every 1s"
        )

        async def second_closed() -> list | None:
            runs = await runs_of(handle, client)
            return runs if len(runs) >= 3 else None

        runs = await until(second_closed)
        first = client.get_workflow_handle(handle.id, run_id=runs[0][0])
        started = await one_of(first, "WorkflowExecutionStarted")
        assert started.cron_schedule == "@every 1s"
        assert started.initiator == ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE
        assert 0 < started.first_workflow_task_backoff.ToMilliseconds() <= 1000
        results = []
        for run_id, close in runs[:2]:
            assert close == COMPLETED
            completed = await one_of(
                client.get_workflow_handle(handle.id, run_id=run_id), COMPLETED
            )
            results += await client.data_converter.decode(completed.result.payloads)
        assert results == ["x", "xx"]
        second = await one_of(
            client.get_workflow_handle(handle.id, run_id=runs[1][0]), "WorkflowExecutionStarted"
        )
        assert await client.data_converter.decode(second.input.payloads) == ["x"]
        await client.get_workflow_handle(handle.id).terminate()
        description = await client.get_workflow_handle(handle.id).describe()
        assert description.status == WorkflowExecutionStatus.TERMINATED


async def test_predefined_cron_schedules(client: Client) -> None:
    """Seed 002, lines 672-705: the five fields, the seven names and `@every`; the first task waits
    for the schedule's next time."""
    limits_s = {
        "15 8 * * *": 86_400,
        "* * * * *": 60,
        "@yearly": 366 * 86_400,
        "@annually": 366 * 86_400,
        "@monthly": 31 * 86_400,
        "@weekly": 7 * 86_400,
        "@daily": 86_400,
        "@midnight": 86_400,
        "@hourly": 3_600,
        "@every 1h30m": 5_400,
    }
    for schedule, limit_s in limits_s.items():
        handle = await client.start_workflow(
            CronWorkflow.run,
            "x",
            id=unique("cron"),
            task_queue=unique("queue"),
            cron_schedule=schedule,
        )
        events = await events_of(handle)
        assert [name_of(event) for event in events] == ["WorkflowExecutionStarted"], schedule
        backoff_s = events[
            0
        ].workflow_execution_started_event_attributes.first_workflow_task_backoff.seconds
        assert 0 <= backoff_s <= limit_s, schedule
        await handle.terminate()
