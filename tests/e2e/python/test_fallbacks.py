"""Fallbacks: circuit breakers, dead letters, degraded answers."""

from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from harness.history import activities_of, all_of
from harness.workers import attempts, unique, worker

SHORT = timedelta(seconds=10)
QUICK = timedelta(milliseconds=20)
ONCE = RetryPolicy(maximum_attempts=1)


@activity.defn
async def process_item(item: str) -> str:
    if item.startswith("bad"):
        attempts.count()
        raise ApplicationError(
            f"cannot process {item}", type="InvalidInput" if "input" in item else None
        )
    return item.upper()


@activity.defn
async def external_service_call(request: str) -> str:
    if request.startswith("down"):
        raise ApplicationError("service down")
    return f"ok:{request}"


@workflow.defn
class CircuitBreakerWorkflow:
    def __init__(self) -> None:
        self.state, self.failures, self.successes = "closed", 0, 0
        self.last_failure = 0.0

    @workflow.run
    async def run(self, requests: list[str], threshold: int, timeout_s: float) -> dict:
        results = []
        for request in requests:
            if request == "wait":
                await workflow.sleep(timeout_s)
                continue
            try:
                results.append(await self.guarded(request, threshold, timeout_s))
            except ApplicationError as error:
                results.append(error.type or "failed")
            except ActivityError:
                results.append("failed")
        return {"results": results, "state": self.state}

    async def guarded(self, request: str, threshold: int, timeout_s: float) -> str:
        if self.state == "open":
            if workflow.time() - self.last_failure < timeout_s:
                raise ApplicationError("Circuit breaker is OPEN", type="CircuitBreakerOpen")
            self.state, self.successes = "half_open", 0
        try:
            result = await workflow.execute_activity(
                external_service_call, request, start_to_close_timeout=SHORT, retry_policy=ONCE
            )
        except ActivityError:
            self.failures += 1
            self.last_failure = workflow.time()
            if self.state == "half_open" or self.failures >= threshold:
                self.state = "open"
            raise
        self.successes += 1
        if self.state == "half_open" and self.successes >= 2:
            self.state, self.failures = "closed", 0
        return result


async def test_circuit_breaker(client: Client) -> None:
    """Seed 001, lines 7513-7594: opens after the threshold, half-opens after the timeout, closes
    after two good calls. The sample's 60 s are 1 s here."""
    requests = ["a", "down1", "down2", "b", "wait", "c", "d"]
    async with worker(client, [CircuitBreakerWorkflow], [external_service_call]) as queue:
        handle = await client.start_workflow(
            CircuitBreakerWorkflow.run,
            args=[requests, 2, 1.0],
            id=unique("breaker"),
            task_queue=queue,
        )
        assert await handle.result() == {
            "results": ["ok:a", "failed", "failed", "CircuitBreakerOpen", "ok:c", "ok:d"],
            "state": "closed",
        }
        assert len(await activities_of(handle)) == 5, "an open circuit calls nothing"


@activity.defn
async def write_to_dlq(items: list[str]) -> int:
    return len(items)


@workflow.defn
class DLQWorkflow:
    @workflow.run
    async def run(self, items: list[str], base_s: float) -> dict:
        successful, dead = [], []
        for item in items:
            try:
                successful.append(await self.process(item, base_s))
            except ApplicationError as error:
                dead.append(error.details[0])
        written = 0
        if dead:
            written = await workflow.execute_activity(
                write_to_dlq, dead, start_to_close_timeout=SHORT
            )
        return {"successful": successful, "dlq_count": written}

    async def process(self, item: str, base_s: float) -> str:
        for retry in range(1, 4):
            try:
                return await workflow.execute_activity(
                    process_item, item, start_to_close_timeout=SHORT, retry_policy=ONCE
                )
            except ActivityError:
                if retry < 3:
                    await workflow.sleep(base_s * 2**retry)
        raise ApplicationError(
            f"{item} sent to DLQ after 3 failures", item, type="MaxRetriesExceeded"
        )


async def test_dead_letter_queue(client: Client) -> None:
    """Seed 001, lines 7624-7693: three attempts with timers between, then the
    dead-letter activity."""
    async with worker(client, [DLQWorkflow], [process_item, write_to_dlq]) as queue:
        handle = await client.start_workflow(
            DLQWorkflow.run, args=[["a", "bad", "b"], 0.05], id=unique("dlq"), task_queue=queue
        )
        assert await handle.result() == {"successful": ["A", "B"], "dlq_count": 1}
        assert attempts.of(handle.id, "process_item") == 3
        waits = [
            timer.start_to_fire_timeout.ToMilliseconds()
            for timer in await all_of(handle, "TimerStarted")
        ]
        assert waits == [100, 200]


@activity.defn
async def get_ml_recommendations(user_id: str) -> list[str]:
    attempts.count()
    if user_id != "ml":
        raise ApplicationError("model offline")
    return ["learned"]


@activity.defn
async def get_rule_based_recommendations(user_id: str) -> list[str]:
    if user_id == "nothing":
        raise ApplicationError("no rules")
    return ["by rule"]


@activity.defn
async def get_popular_items() -> list[str]:
    return ["popular"]


@workflow.defn
class GracefulDegradationWorkflow:
    @workflow.run
    async def run(self, user_id: str) -> dict:
        twice = RetryPolicy(maximum_attempts=2, initial_interval=QUICK)
        sources = [(get_ml_recommendations, "ml"), (get_rule_based_recommendations, "rules")]
        for source, name in sources:
            try:
                found = await workflow.execute_activity(
                    source, user_id, start_to_close_timeout=SHORT, retry_policy=twice
                )
                return {"recommendations": found, "source": name, "degraded": name != "ml"}
            except ActivityError:
                workflow.logger.info("falling back from %s", name)
        found = await workflow.execute_activity(get_popular_items, start_to_close_timeout=SHORT)
        return {"recommendations": found, "source": "popular", "degraded": True}


@pytest.mark.parametrize(
    ("user_id", "expected"),
    [("ml", ("ml", False)), ("rules", ("rules", True)), ("nothing", ("popular", True))],
)
async def test_graceful_degradation(
    client: Client, user_id: str, expected: tuple[str, bool]
) -> None:
    """Seed 001, lines 9589-9646."""
    sources = [get_ml_recommendations, get_rule_based_recommendations, get_popular_items]
    async with worker(client, [GracefulDegradationWorkflow], sources) as queue:
        handle = await client.start_workflow(
            GracefulDegradationWorkflow.run, user_id, id=unique("degrade"), task_queue=queue
        )
        result = await handle.result()
        assert (result["source"], result["degraded"]) == expected
        assert attempts.of(handle.id, "get_ml_recommendations") == (1 if user_id == "ml" else 2)


@activity.defn
async def call_primary_service(request: str) -> str:
    if request.startswith("down"):
        raise ApplicationError("primary down")
    return f"primary:{request}"


@activity.defn
async def call_fallback_service(request: str) -> str:
    return f"fallback:{request}"


@workflow.defn
class CircuitBreakerFallbackWorkflow:
    @workflow.run
    async def run(self, requests: list[str], threshold: int) -> list[str]:
        results, failures = [], 0
        for request in requests:
            if failures < threshold:
                try:
                    results.append(
                        await workflow.execute_activity(
                            call_primary_service,
                            request,
                            start_to_close_timeout=SHORT,
                            retry_policy=ONCE,
                        )
                    )
                    failures = 0
                    continue
                except ActivityError:
                    failures += 1
            results.append(
                await workflow.execute_activity(
                    call_fallback_service, request, start_to_close_timeout=SHORT
                )
            )
        return results


async def test_circuit_breaker_with_fallback(client: Client) -> None:
    """Seed 001, lines 9662-9740: once the circuit is open the primary is not asked any more."""
    services = [call_primary_service, call_fallback_service]
    async with worker(client, [CircuitBreakerFallbackWorkflow], services) as queue:
        handle = await client.start_workflow(
            CircuitBreakerFallbackWorkflow.run,
            args=[["a", "down1", "down2", "b"], 2],
            id=unique("breaker"),
            task_queue=queue,
        )
        assert await handle.result() == [
            "primary:a",
            "fallback:down1",
            "fallback:down2",
            "fallback:b",
        ]
        assert (await activities_of(handle)).count("call_primary_service") == 3
