"""Approvals by people: signals with and without patience, in levels and in chains."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.client import Client

from harness.history import activities_of, names_of
from harness.workers import unique, until, worker

SHORT = timedelta(seconds=10)


@activity.defn
async def notify(message: str) -> str:
    return message


@dataclass
class ApprovalInput:
    approved: bool
    approver_name: str
    comment: str = ""


@workflow.defn
class ApprovalWorkflow:
    def __init__(self) -> None:
        self.decision: ApprovalInput | None = None

    @workflow.signal
    def approve(self, decision: ApprovalInput) -> None:
        self.decision = decision

    @workflow.run
    async def run(self, request_id: str) -> str:
        await workflow.wait_condition(lambda: self.decision is not None)
        assert self.decision
        if self.decision.approved:
            return f"Request approved by {self.decision.approver_name}"
        return f"Request rejected by {self.decision.approver_name}: {self.decision.comment}"


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        (ApprovalInput(True, "Ann"), "Request approved by Ann"),
        (ApprovalInput(False, "Bob", "too dear"), "Request rejected by Bob: too dear"),
    ],
)
async def test_approval_by_signal(client: Client, decision: ApprovalInput, expected: str) -> None:
    """Seed 001, lines 3986-4014 and 4059-4089: the signal is sent by method and by name."""
    async with worker(client, [ApprovalWorkflow]) as queue:
        handle = await client.start_workflow(
            ApprovalWorkflow.run, "REQ-001", id=unique("approval-REQ-001"), task_queue=queue
        )
        await handle.signal("approve" if decision.approved else ApprovalWorkflow.approve, decision)
        assert await handle.result() == expected


@dataclass
class ExpenseRequest:
    request_id: str
    employee: str
    amount: float


@workflow.defn
class ExpenseApprovalWorkflow:
    def __init__(self) -> None:
        self.decision: tuple[bool, str, str] | None = None

    @workflow.signal
    def approve(self, approver: str, comment: str = "") -> None:
        self.decision = (True, approver, comment)

    @workflow.signal
    def reject(self, approver: str, reason: str) -> None:
        self.decision = (False, approver, reason)

    @workflow.run
    async def run(self, request: ExpenseRequest, patience_s: float) -> str:
        await workflow.execute_activity(notify, request.request_id, start_to_close_timeout=SHORT)
        try:
            await workflow.wait_condition(
                lambda: self.decision is not None, timeout=timedelta(seconds=patience_s)
            )
        except TimeoutError:
            self.decision = (False, "system", "Approval timeout - automatically rejected")
        assert self.decision
        approved, approver, comment = self.decision
        await workflow.execute_activity(notify, request.employee, start_to_close_timeout=SHORT)
        return f"{'approved' if approved else 'rejected'} by {approver}: {comment}"


@pytest.mark.parametrize(
    ("signal", "arguments", "expected"),
    [
        ("approve", ["Ann"], "approved by Ann: "),
        ("approve", ["Ann", "fine"], "approved by Ann: fine"),
        ("reject", ["Bob", "no receipt"], "rejected by Bob: no receipt"),
        (None, [], "rejected by system: Approval timeout - automatically rejected"),
    ],
)
async def test_expense_approval(
    client: Client, signal: str | None, arguments: list, expected: str
) -> None:
    """Seed 001, lines 4254-4309: several arguments, an optional one, and silence."""
    request = ExpenseRequest("E1", "Eve", 12.50)
    patience_s = 0.3 if signal is None else 7 * 86_400.0
    async with worker(client, [ExpenseApprovalWorkflow], [notify]) as queue:
        handle = await client.start_workflow(
            ExpenseApprovalWorkflow.run,
            args=[request, patience_s],
            id=unique("expense"),
            task_queue=queue,
        )
        if signal:
            await handle.signal(signal, args=arguments)
        assert await handle.result() == expected


@workflow.defn
class MultiLevelApprovalWorkflow:
    def __init__(self) -> None:
        self.required: list[str] = []
        self.decisions: dict[str, bool] = {}

    @workflow.signal
    def decide(self, role: str, approved: bool) -> None:
        self.decisions[role] = approved

    @workflow.query
    def get_approval_status(self) -> dict[str, str]:
        words = {True: "approved", False: "rejected", None: "pending"}
        return {role: words[self.decisions.get(role)] for role in self.required}

    @workflow.run
    async def run(self, amount: int) -> str:
        roles = ["manager", "director", "vp"]
        self.required = roles[: 1 + (amount >= 1000) + (amount >= 10000)]
        await workflow.execute_activity(
            notify, ", ".join(self.required), start_to_close_timeout=SHORT
        )
        await workflow.wait_condition(
            lambda: len(self.decisions) >= len(self.required), timeout=timedelta(days=14)
        )
        refusers = [role for role in self.required if not self.decisions[role]]
        if refusers:
            return f"Request rejected by: {', '.join(refusers)}"
        return f"Request approved by all {len(self.required)} approvers and processed successfully"


@pytest.mark.parametrize(("amount", "roles"), [(500, 1), (5000, 2), (50000, 3)])
async def test_levels_by_amount(client: Client, amount: int, roles: int) -> None:
    """Seed 001, lines 5217-5303: one, two or three approvers; the query shows who is missing."""
    names = ["manager", "director", "vp"][:roles]
    async with worker(client, [MultiLevelApprovalWorkflow], [notify]) as queue:
        handle = await client.start_workflow(
            MultiLevelApprovalWorkflow.run, amount, id=unique("levels"), task_queue=queue
        )

        async def all_pending() -> bool:
            status = await handle.query(MultiLevelApprovalWorkflow.get_approval_status)
            return status == dict.fromkeys(names, "pending")

        await until(all_pending)
        for role in names:
            await handle.signal(MultiLevelApprovalWorkflow.decide, args=[role, True])
        expected = f"Request approved by all {roles} approvers and processed successfully"
        assert await handle.result() == expected


async def test_one_level_rejects(client: Client) -> None:
    """Seed 001, lines 5285-5298."""
    async with worker(client, [MultiLevelApprovalWorkflow], [notify]) as queue:
        handle = await client.start_workflow(
            MultiLevelApprovalWorkflow.run, 5000, id=unique("levels"), task_queue=queue
        )
        await handle.signal(MultiLevelApprovalWorkflow.decide, args=["manager", True])
        await handle.signal(MultiLevelApprovalWorkflow.decide, args=["director", False])
        assert await handle.result() == "Request rejected by: director"


@workflow.defn
class MultiStepApprovalWorkflow:
    def __init__(self) -> None:
        self.answers: dict[str, tuple[bool, str]] = {}

    @workflow.signal
    def answer(self, level: str, approved: bool, who: str) -> None:
        self.answers[level] = (approved, who)

    @workflow.run
    async def run(self, amount: float, patience_s: float) -> dict:
        levels = ["manager", "director", "vp", "ceo"]
        limits = [10_000, 100_000, 1_000_000]
        for level in levels[: 1 + sum(amount >= limit for limit in limits)]:
            await workflow.execute_activity(notify, level, start_to_close_timeout=SHORT)
            try:
                await workflow.wait_condition(
                    lambda level=level: level in self.answers, timeout=timedelta(seconds=patience_s)
                )
            except TimeoutError:
                return {"status": "timeout", "level": level}
            approved, who = self.answers[level]
            if not approved:
                return {"status": "rejected", "level": level, "by": who}
        return {"status": "approved", "steps": len(self.answers)}


async def test_chain_of_four_approvals(client: Client) -> None:
    """Seed 001, lines 10039-10110."""
    async with worker(client, [MultiStepApprovalWorkflow], [notify]) as queue:
        handle = await client.start_workflow(
            MultiStepApprovalWorkflow.run,
            args=[2e6, 86_400.0],
            id=unique("chain"),
            task_queue=queue,
        )
        for level in ("manager", "director", "vp", "ceo"):
            await handle.signal(MultiStepApprovalWorkflow.answer, args=[level, True, level.upper()])
        assert await handle.result() == {"status": "approved", "steps": 4}
        assert len(await activities_of(handle)) == 4


async def test_chain_stops_at_silence_and_at_refusal(client: Client) -> None:
    """Seed 001, lines 10070-10094: the second level is silent, or says no."""
    async with worker(client, [MultiStepApprovalWorkflow], [notify]) as queue:
        silent = await client.start_workflow(
            MultiStepApprovalWorkflow.run, args=[5e4, 0.5], id=unique("chain"), task_queue=queue
        )
        await silent.signal(MultiStepApprovalWorkflow.answer, args=["manager", True, "M"])
        refused = await client.start_workflow(
            MultiStepApprovalWorkflow.run, args=[5e4, 60.0], id=unique("chain"), task_queue=queue
        )
        await refused.signal(MultiStepApprovalWorkflow.answer, args=["manager", True, "M"])
        await refused.signal(MultiStepApprovalWorkflow.answer, args=["director", False, "D"])
        assert await refused.result() == {"status": "rejected", "level": "director", "by": "D"}
        assert await silent.result() == {"status": "timeout", "level": "director"}


@workflow.defn(name="ApprovalWorkflow")
class EscalatingApproval:
    def __init__(self) -> None:
        self.approved = False
        self.reason: str | None = None

    @workflow.run
    async def run(self, request: dict, patience_s: float) -> str:
        def decided() -> bool:
            return self.approved or self.reason is not None

        await workflow.execute_activity(notify, "approver", start_to_close_timeout=SHORT)
        try:
            await workflow.wait_condition(decided, timeout=timedelta(seconds=patience_s))
        except TimeoutError:
            await workflow.execute_activity(notify, "manager", start_to_close_timeout=SHORT)
            await workflow.wait_condition(decided, timeout=timedelta(days=3))
        return "approved" if self.approved else f"rejected: {self.reason}"

    @workflow.signal
    async def approve(self) -> None:
        self.approved = True

    @workflow.signal
    async def reject(self, reason: str) -> None:
        self.reason = reason

    @workflow.query
    def get_status(self) -> dict:
        pending = not self.approved and self.reason is None
        return {"approved": self.approved, "rejected": self.reason is not None, "pending": pending}


async def test_approval_recipe(client: Client) -> None:
    """Seed 001, lines 14905-14980: start, query, signal, result."""
    async with worker(client, [EscalatingApproval], [notify]) as queue:
        handle = await client.start_workflow(
            EscalatingApproval.run, args=[{"id": 1}, 600.0], id=unique("recipe"), task_queue=queue
        )
        pending = {"approved": False, "rejected": False, "pending": True}
        assert await handle.query(EscalatingApproval.get_status) == pending
        await handle.signal(EscalatingApproval.approve)
        assert await handle.result() == "approved"
        approved = {"approved": True, "rejected": False, "pending": False}
        assert await handle.query(EscalatingApproval.get_status) == approved


async def test_approval_escalates(client: Client) -> None:
    """Seed 001, lines 14918-14933: nobody answers in time, the manager is told and says no."""
    async with worker(client, [EscalatingApproval], [notify]) as queue:
        handle = await client.start_workflow(
            EscalatingApproval.run, args=[{"id": 2}, 0.2], id=unique("recipe"), task_queue=queue
        )

        async def escalated() -> bool:
            return (await names_of(handle)).count("ActivityTaskCompleted") == 2

        await until(escalated)
        await handle.signal(EscalatingApproval.reject, "too late")
        assert await handle.result() == "rejected: too late"
