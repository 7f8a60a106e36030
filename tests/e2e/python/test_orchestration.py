"""Workflows that call one activity after another: orders, pipelines, checks."""

import uuid
from dataclasses import dataclass
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

from harness.history import activities_of, all_of, names_of
from harness.workers import attempts, unique, worker

SHORT = timedelta(seconds=10)


@activity.defn
async def charge_credit_card(order_id: str) -> str:
    return f"payment-{order_id}"


@activity.defn
async def update_inventory(order_id: str) -> str:
    return f"inventory-{order_id}"


@activity.defn
async def schedule_shipping(order_id: str) -> str:
    return f"shipping-{order_id}"


@activity.defn
async def send_confirmation_email(order_id: str) -> None:
    activity.logger.info("confirmed %s", order_id)


@workflow.defn(name="OrderWorkflow")
class FourStepOrder:
    @workflow.run
    async def run(self, order_id: str) -> list[str]:
        steps = [(charge_credit_card, 5), (update_inventory, 3), (schedule_shipping, 0)]
        results = []
        for step, tries in steps:
            results.append(
                await workflow.execute_activity(
                    step,
                    order_id,
                    start_to_close_timeout=SHORT,
                    retry_policy=RetryPolicy(maximum_attempts=tries),
                )
            )
        await workflow.execute_activity(
            send_confirmation_email, order_id, start_to_close_timeout=SHORT
        )
        return results


async def test_order_in_four_steps(client: Client) -> None:
    """Seed 001, lines 241-258, with the activity timeout that the sample forgot."""
    steps = [charge_credit_card, update_inventory, schedule_shipping, send_confirmation_email]
    async with worker(client, [FourStepOrder], steps) as queue:
        handle = await client.start_workflow(
            FourStepOrder.run, "A1", id=unique("order"), task_queue=queue
        )
        assert await handle.result() == ["payment-A1", "inventory-A1", "shipping-A1"]
        assert await activities_of(handle) == [step.__name__ for step in steps]
        policies = [
            scheduled.retry_policy for scheduled in await all_of(handle, "ActivityTaskScheduled")
        ]
        assert [policy.maximum_attempts for policy in policies] == [5, 3, 0, 0]


@activity.defn
async def flaky_external_api(mode: str) -> str:
    if mode == "auth":
        attempts.count()
        raise ApplicationError("no entry", type="AuthError")
    if attempts.count() < 3:
        raise ConnectionError("try again")
    return "answered"


@workflow.defn
class RobustWorkflow:
    @workflow.run
    async def run(self, mode: str) -> str:
        return await workflow.execute_activity(
            flaky_external_api,
            mode,
            start_to_close_timeout=SHORT,
            retry_policy=RetryPolicy(
                initial_interval=timedelta(milliseconds=50),
                maximum_interval=timedelta(minutes=1),
                backoff_coefficient=2,
                maximum_attempts=5,
                non_retryable_error_types=["InvalidInputError", "AuthError"],
            ),
        )


async def test_robust_call_is_retried(client: Client) -> None:
    """Seed 001, lines 699-714: two failures, then success; one Started event, attempt 3."""
    async with worker(client, [RobustWorkflow], [flaky_external_api]) as queue:
        handle = await client.start_workflow(
            RobustWorkflow.run, "flaky", id=unique("robust"), task_queue=queue
        )
        assert await handle.result() == "answered"
        assert attempts.of(handle.id, "flaky_external_api") == 3
        (started,) = await all_of(handle, "ActivityTaskStarted")
        assert started.attempt == 3
        assert started.last_failure.message == "try again"


async def test_named_error_types_are_not_retried(client: Client) -> None:
    """Seed 001, lines 710-713: an error whose type is listed ends the activity at once."""
    async with worker(client, [RobustWorkflow], [flaky_external_api]) as queue:
        handle = await client.start_workflow(
            RobustWorkflow.run, "auth", id=unique("robust"), task_queue=queue
        )
        with pytest.raises(Exception, match="Workflow execution failed"):
            await handle.result()
        assert attempts.of(handle.id, "flaky_external_api") == 1


TRANSFERS: set[str] = set()


@activity.defn
async def transfer_money(source: str, target: str, amount: float, key: str) -> float:
    """Fails after the first transfer was made: only the key keeps the money from moving twice."""
    if key in TRANSFERS:
        return 0.0
    TRANSFERS.add(key)
    raise ApplicationError("connection lost after the transfer")


@workflow.defn(name="PaymentWorkflow")
class IdempotentPayment:
    @workflow.run
    async def run(self, order_id: str, amount: float) -> str:
        key = f"payment-{order_id}-{workflow.info().run_id}"
        await workflow.execute_activity(
            transfer_money,
            args=["account-A", "account-B", amount, key],
            start_to_close_timeout=SHORT,
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=20)),
        )
        return key


async def test_payment_with_idempotency_key(client: Client) -> None:
    """Seed 001, lines 795-810: the key holds the run id and is the same in every attempt."""
    async with worker(client, [IdempotentPayment], [transfer_money]) as queue:
        handle = await client.start_workflow(
            IdempotentPayment.run, args=["7", 12.5], id=unique("payment"), task_queue=queue
        )
        assert await handle.result() == f"payment-7-{handle.result_run_id}"


@activity.defn
async def process_items(items: list[str]) -> list[str]:
    return [item.strip().upper().replace("_", "-") for item in items]


@workflow.defn(name="GoodWorkflow")
class LogicInActivity:
    @workflow.run
    async def run(self, items: list[str]) -> list[str]:
        return await workflow.execute_activity(process_items, items, start_to_close_timeout=SHORT)


async def test_logic_lives_in_the_activity(client: Client) -> None:
    """Seed 001, lines 1145 and following."""
    async with worker(client, [LogicInActivity], [process_items]) as queue:
        result = await client.execute_workflow(
            LogicInActivity.run, [" a_b ", "c"], id=unique("good"), task_queue=queue
        )
        assert result == ["A-B", "C"]


@workflow.defn
class ServiceArchitectureWorkflow:
    @workflow.run
    async def run(self) -> dict:
        steps = ["Frontend processing", "History service update", "Task scheduling"]
        for number, step in enumerate(steps, 1):
            workflow.logger.info("Step %d: %s", number, step)
        return {"message": "Architecture demonstration complete", "steps_completed": len(steps)}


async def test_logging_makes_no_events(client: Client) -> None:
    """Seed 001, lines 2042-2062; the sample's output claims 17 events, a run without
    activities has 5."""
    async with worker(client, [ServiceArchitectureWorkflow]) as queue:
        handle = await client.start_workflow(
            ServiceArchitectureWorkflow.run, id=unique("architecture-demo-001"), task_queue=queue
        )
        result = await handle.result()
        assert result == {"message": "Architecture demonstration complete", "steps_completed": 3}
        assert await names_of(handle) == [
            "WorkflowExecutionStarted",
            "WorkflowTaskScheduled",
            "WorkflowTaskStarted",
            "WorkflowTaskCompleted",
            "WorkflowExecutionCompleted",
        ]


@dataclass
class OrderInput:
    order_id: str
    customer_email: str
    total_amount: float
    items: list[str]


@dataclass
class OrderResult:
    success: bool
    transaction_id: str | None = None
    error_message: str | None = None


@activity.defn
async def process_payment(amount: float, email: str) -> str:
    if amount <= 0:
        raise ApplicationError(f"cannot charge {amount}", non_retryable=True)
    return f"txn-{email}-{amount:.2f}"


@activity.defn
async def send_confirmation(email: str, order_id: str, transaction_id: str) -> bool:
    return bool(email and order_id and transaction_id)


@workflow.defn(name="OrderWorkflow")
class TypedOrder:
    @workflow.run
    async def run(self, order: OrderInput) -> OrderResult:
        try:
            transaction_id = await workflow.execute_activity(
                process_payment,
                args=[order.total_amount, order.customer_email],
                start_to_close_timeout=timedelta(seconds=30),
            )
            await workflow.execute_activity(
                send_confirmation,
                args=[order.customer_email, order.order_id, transaction_id],
                start_to_close_timeout=SHORT,
            )
            return OrderResult(success=True, transaction_id=transaction_id)
        except Exception as error:
            return OrderResult(success=False, error_message=str(error.__cause__))


@pytest.mark.parametrize("amount", [99.5, 0.0])
async def test_typed_order(client: Client, amount: float) -> None:
    """Seed 001, lines 2457-2492: dataclasses in and out; a failure becomes a result."""
    order = OrderInput("ORD-123", "a@example.org", amount, ["book"])
    async with worker(client, [TypedOrder], [process_payment, send_confirmation]) as queue:
        result = await client.execute_workflow(
            TypedOrder.run, order, id=unique("order-ORD-123"), task_queue=queue
        )
    if amount > 0:
        assert result == OrderResult(success=True, transaction_id="txn-a@example.org-99.50")
    else:
        assert not result.success
        assert "cannot charge 0.0" in (result.error_message or "")


@workflow.defn(name="OrderWorkflow")
class TwoStepOrder:
    @workflow.run
    async def run(self, order_id: str) -> str:
        payment = await workflow.execute_activity(
            charge_credit_card, order_id, start_to_close_timeout=SHORT
        )
        await workflow.execute_activity(
            send_confirmation_email, order_id, start_to_close_timeout=SHORT
        )
        return payment


async def test_order_in_two_steps(client: Client) -> None:
    """Seed 001, lines 3035-3053."""
    async with worker(
        client, [TwoStepOrder], [charge_credit_card, send_confirmation_email]
    ) as queue:
        handle = await client.start_workflow(
            TwoStepOrder.run, "B2", id=unique("order"), task_queue=queue
        )
        assert await handle.result() == "payment-B2"
        assert await activities_of(handle) == ["charge_credit_card", "send_confirmation_email"]


@activity.defn
async def calculate_price(product_id: str) -> float:
    return 100.0 + len(product_id)


@workflow.defn
class PricingWorkflowGood:
    @workflow.run
    async def run(self, product_id: str) -> float:
        return await workflow.execute_activity(
            calculate_price, product_id, start_to_close_timeout=SHORT
        )


async def test_price_comes_from_an_activity(client: Client) -> None:
    """Seed 001, lines 13805-13828."""
    async with worker(client, [PricingWorkflowGood], [calculate_price]) as queue:
        result = await client.execute_workflow(
            PricingWorkflowGood.run, "book", id=unique("price"), task_queue=queue
        )
        assert result == 104.0


@dataclass
class FraudCheckInput:
    transaction_id: str
    check_name: str


@activity.defn
async def calculate_risk_score(transaction_id: str) -> float:
    return 0.1


@activity.defn
async def get_time_based_modifier() -> float:
    return 0.3


@activity.defn
async def generate_audit_id() -> str:
    return str(uuid.uuid4())


@activity.defn
async def run_fraud_check(check: FraudCheckInput) -> str:
    return check.check_name


@workflow.defn
class FraudCheckWorkflowGood:
    @workflow.run
    async def run(self, transaction_id: str) -> dict:
        score = await workflow.execute_activity(
            calculate_risk_score, transaction_id, start_to_close_timeout=SHORT
        )
        score += await workflow.execute_activity(
            get_time_based_modifier, start_to_close_timeout=SHORT
        )
        audit_id = await workflow.execute_activity(generate_audit_id, start_to_close_timeout=SHORT)
        checks = [
            await workflow.execute_activity(
                run_fraud_check, FraudCheckInput(transaction_id, name), start_to_close_timeout=SHORT
            )
            for name in sorted(["ip", "device", "location"])
        ]
        return {"safe": score < 0.5, "audit_id": audit_id, "checks": checks}


async def test_fraud_check(client: Client) -> None:
    """Seed 001, lines 13962-14002: random values and ids come from activities, sorted checks."""
    activities = [calculate_risk_score, get_time_based_modifier, generate_audit_id, run_fraud_check]
    async with worker(client, [FraudCheckWorkflowGood], activities) as queue:
        handle = await client.start_workflow(
            FraudCheckWorkflowGood.run, "t1", id=unique("fraud"), task_queue=queue
        )
        result = await handle.result()
        assert result["safe"] is True
        assert result["checks"] == ["device", "ip", "location"]
        assert uuid.UUID(result["audit_id"])


@workflow.defn
class DeterministicWorkflow:
    @workflow.run
    async def run(self) -> list:
        now = workflow.now()
        number = workflow.random().randint(1, 100)
        unique_id = await workflow.execute_activity(
            generate_audit_id, schedule_to_close_timeout=timedelta(seconds=5)
        )
        return [now.timestamp(), number, unique_id, workflow.time_ns() >= int(now.timestamp())]


async def test_deterministic_apis(client: Client) -> None:
    """Seed 001, lines 8230-8248: clock and random number of the workflow, id by activity. The
    worker keeps nothing cached, so every task replays from the start."""
    async with worker(
        client, [DeterministicWorkflow], [generate_audit_id], max_cached_workflows=0
    ) as queue:
        handle = await client.start_workflow(
            DeterministicWorkflow.run, id=unique("deterministic"), task_queue=queue
        )
        now, number, unique_id, forward = await handle.result()
        assert 1 <= number <= 100
        assert forward and uuid.UUID(unique_id)
        first_task_started = (await handle.fetch_history()).events[2]
        assert abs(first_task_started.event_time.ToNanoseconds() / 1e9 - now) < 1e-3


@activity.defn
async def invoke_lambda(function: str, payload: dict) -> dict:
    return {"by": function, "of": payload}


@workflow.defn(name="DataProcessingWorkflow")
class LambdaChain:
    @workflow.run
    async def run(self, s3_key: str) -> dict:
        payload: dict = {"s3_key": s3_key}
        for function in (
            "data-extraction-function",
            "data-transform-function",
            "data-load-function",
        ):
            payload = await workflow.execute_activity(
                invoke_lambda,
                args=[function, payload],
                start_to_close_timeout=SHORT,
                retry_policy=RetryPolicy(maximum_attempts=3, initial_interval=timedelta(seconds=5)),
            )
        return payload


async def test_chain_of_functions(client: Client) -> None:
    """Seed 001, lines 15958-15992: each function gets the result of the one before."""
    async with worker(client, [LambdaChain], [invoke_lambda]) as queue:
        result = await client.execute_workflow(
            LambdaChain.run, "in.csv", id=unique("process-in.csv"), task_queue=queue
        )
    assert result["by"] == "data-load-function"
    assert result["of"]["of"]["of"] == {"s3_key": "in.csv"}


@workflow.defn
class ETLWorkflow:
    @workflow.run
    async def run(self, data: dict) -> dict:
        for step in ("process_data", "transform_data", "load_data"):
            data = await workflow.execute_activity(step, data, start_to_close_timeout=SHORT)
        return data


@activity.defn(name="process_data")
async def etl_process(data: dict) -> dict:
    return {**data, "processed": True}


@activity.defn(name="transform_data")
async def etl_transform(data: dict) -> dict:
    return {**data, "rows": data["rows"] * 2}


@activity.defn(name="load_data")
async def etl_load(data: dict) -> dict:
    return {**data, "loaded": data["rows"]}


async def test_etl_by_activity_names(client: Client) -> None:
    """Seed 001, lines 16038-16058: activities called by their registered names."""
    async with worker(client, [ETLWorkflow], [etl_process, etl_transform, etl_load]) as queue:
        result = await client.execute_workflow(
            ETLWorkflow.run, {"rows": 21}, id=unique("etl"), task_queue=queue
        )
    assert result == {"rows": 42, "processed": True, "loaded": 42}


@dataclass
class YourParams:
    greeting: str
    name: str


@activity.defn(name="your_activity")
async def your_activity(params: YourParams) -> str:
    return f"{params.greeting}, {params.name}!"


@workflow.defn(name="YourWorkflow")
class YourWorkflow:
    @workflow.run
    async def run(self, name: str) -> str:
        return await workflow.execute_activity(
            your_activity, YourParams("Hello", name), start_to_close_timeout=SHORT
        )


async def test_your_workflow(client: Client) -> None:
    """Seed 002, lines 97-110, 212-228, 731-738, 794-808 and 1349-1366."""
    async with worker(client, [YourWorkflow], [your_activity]) as queue:
        handle = await client.start_workflow(
            YourWorkflow.run, "your name", id=unique("your-workflow-id"), task_queue=queue
        )
        assert await handle.result() == "Hello, your name!"
        (scheduled,) = await all_of(handle, "ActivityTaskScheduled")
        assert scheduled.task_queue.name == queue, "an activity inherits the workflow's queue"
