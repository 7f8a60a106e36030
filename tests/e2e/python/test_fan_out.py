"""Many activities at once: fan-out, fan-in, batches, map-reduce, rate limits."""

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

from harness.history import activities_of, assert_sound, events_of, name_of, names_of
from harness.workers import unique, worker

SHORT = timedelta(seconds=20)


@dataclass
class ScrapedData:
    url: str
    word_count: int


@activity.defn
async def scrape_url(url: str) -> ScrapedData:
    return ScrapedData(url, len(url))


@workflow.defn
class ParallelProcessingWorkflow:
    @workflow.run
    async def run(self, urls: list[str]) -> list[ScrapedData]:
        return await asyncio.gather(
            *(
                workflow.execute_activity(scrape_url, url, start_to_close_timeout=SHORT)
                for url in urls
            )
        )


async def test_parallel_results_keep_their_order(client: Client) -> None:
    """Seed 001, lines 3264-3277: all activities are scheduled by one task, results come in input
    order."""
    urls = [f"https://example.org/{'x' * number}" for number in range(20)]
    async with worker(client, [ParallelProcessingWorkflow], [scrape_url]) as queue:
        handle = await client.start_workflow(
            ParallelProcessingWorkflow.run, urls, id=unique("scrape"), task_queue=queue
        )
        assert [data.url for data in await handle.result()] == urls
        events = await events_of(handle)
        assert [name_of(event) for event in events[4:24]] == ["ActivityTaskScheduled"] * 20
        assert_sound(events)


@workflow.defn
class FanOutFanInWorkflow:
    @workflow.run
    async def run(self, urls: list[str]) -> dict:
        pages = await asyncio.gather(
            *(
                workflow.execute_activity(scrape_url, url, start_to_close_timeout=SHORT)
                for url in urls
            )
        )
        return {"pages": len(pages), "words": sum(page.word_count for page in pages)}


async def test_fan_out_fan_in(client: Client) -> None:
    """Seed 001, lines 3313-3340: results as dataclasses, added up at the end."""
    async with worker(client, [FanOutFanInWorkflow], [scrape_url]) as queue:
        result = await client.execute_workflow(
            FanOutFanInWorkflow.run, ["a", "bb", "ccc"], id=unique("fan"), task_queue=queue
        )
    assert result == {"pages": 3, "words": 6}


@activity.defn
async def reserve_inventory(order_id: str) -> bool:
    return True


@activity.defn
async def process_payment(order_id: str) -> bool:
    return True


@activity.defn
async def get_shipping_quote(order_id: str) -> float:
    return 4.9


@workflow.defn
class ParallelActivitiesWorkflow:
    @workflow.run
    async def run(self, order_id: str) -> dict:
        inventory, payment, shipping = await asyncio.gather(
            *(
                workflow.execute_activity(step, order_id, start_to_close_timeout=SHORT)
                for step in (reserve_inventory, process_payment, get_shipping_quote)
            )
        )
        return {
            "inventory_reserved": inventory,
            "payment_processed": payment,
            "shipping_cost": shipping,
        }


async def test_three_kinds_at_once(client: Client) -> None:
    """Seed 001, lines 9206-9236."""
    steps = [reserve_inventory, process_payment, get_shipping_quote]
    async with worker(client, [ParallelActivitiesWorkflow], steps) as queue:
        result = await client.execute_workflow(
            ParallelActivitiesWorkflow.run, "o1", id=unique("parallel"), task_queue=queue
        )
    assert result == {"inventory_reserved": True, "payment_processed": True, "shipping_cost": 4.9}


@activity.defn
async def process_item(item: str) -> str:
    if item.startswith("bad"):
        raise ApplicationError(f"cannot process {item}")
    return item.upper()


@workflow.defn
class PartialFailureWorkflow:
    @workflow.run
    async def run(self, items: list[str]) -> dict:
        policy = RetryPolicy(maximum_attempts=3, initial_interval=timedelta(milliseconds=20))
        outcomes = await asyncio.gather(
            *(
                workflow.execute_activity(
                    process_item, item, start_to_close_timeout=SHORT, retry_policy=policy
                )
                for item in items
            ),
            return_exceptions=True,
        )
        failed = [
            items[i] for i, outcome in enumerate(outcomes) if isinstance(outcome, BaseException)
        ]
        if len(failed) / len(items) > 0.1:
            raise ApplicationError(
                f"Batch processing failed: {len(failed)} items", {"failed": failed}
            )
        return {"failed": failed, "success_rate": 1 - len(failed) / len(items)}


async def test_partial_failure_is_tolerated(client: Client) -> None:
    """Seed 001, lines 9251-9295: one in ten may fail."""
    items = [f"item{number}" for number in range(9)] + ["bad"]
    async with worker(client, [PartialFailureWorkflow], [process_item]) as queue:
        result = await client.execute_workflow(
            PartialFailureWorkflow.run, items, id=unique("partial"), task_queue=queue
        )
    assert result == {"failed": ["bad"], "success_rate": 0.9}


async def test_too_many_failures_fail_the_workflow(client: Client) -> None:
    """Seed 001, lines 9283-9288: more than one in ten."""
    async with worker(client, [PartialFailureWorkflow], [process_item]) as queue:
        with pytest.raises(WorkflowFailureError) as caught:
            await client.execute_workflow(
                PartialFailureWorkflow.run, ["a", "bad"], id=unique("partial"), task_queue=queue
            )
    assert isinstance(caught.value.cause, ApplicationError)
    assert caught.value.cause.message == "Batch processing failed: 1 items"
    assert list(caught.value.cause.details) == [{"failed": ["bad"]}]


@activity.defn
async def process_batch(batch: list[int]) -> int:
    return len(batch)


@workflow.defn
class BatchedParallelWorkflow:
    @workflow.run
    async def run(self, count: int) -> dict:
        items = list(range(count))
        batches = [items[start : start + 100] for start in range(0, count, 100)]
        processed = 0
        for first in range(0, len(batches), 10):
            processed += sum(
                await asyncio.gather(
                    *(
                        workflow.execute_activity(
                            process_batch, batch, start_to_close_timeout=SHORT
                        )
                        for batch in batches[first : first + 10]
                    )
                )
            )
        return {"batches_processed": len(batches), "items_processed": processed}


async def test_batches_ten_at_a_time(client: Client) -> None:
    """Seed 001, lines 9297-9328: 2,450 items are 25 batches in three groups."""
    async with worker(client, [BatchedParallelWorkflow], [process_batch]) as queue:
        handle = await client.start_workflow(
            BatchedParallelWorkflow.run, 2450, id=unique("batched"), task_queue=queue
        )
        assert await handle.result() == {"batches_processed": 25, "items_processed": 2450}
        assert len(await activities_of(handle)) == 25


@activity.defn
async def count_words(chunk: list[str]) -> dict[str, int]:
    return {word: chunk.count(word) for word in chunk}


@activity.defn
async def add_counts(counts: list[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in counts:
        for word, number in part.items():
            total[word] = total.get(word, 0) + number
    return total


@workflow.defn
class MapReduceWorkflow:
    @workflow.run
    async def run(
        self, dataset: list[str], map_name: str, reduce_name: str, chunk: int
    ) -> dict[str, int]:
        chunks = [dataset[start : start + chunk] for start in range(0, len(dataset), chunk)]
        mapped = await asyncio.gather(
            *(
                workflow.execute_activity(map_name, part, start_to_close_timeout=SHORT)
                for part in chunks
            )
        )
        return await workflow.execute_activity(reduce_name, mapped, start_to_close_timeout=SHORT)


async def test_map_reduce(client: Client) -> None:
    """Seed 001, lines 9346-9395: the activities are chosen by name at run time."""
    async with worker(client, [MapReduceWorkflow], [count_words, add_counts]) as queue:
        result = await client.execute_workflow(
            MapReduceWorkflow.run,
            args=[["a", "b", "a", "c", "a"], "count_words", "add_counts", 2],
            id=unique("mapreduce"),
            task_queue=queue,
        )
    assert result == {"a": 3, "b": 1, "c": 1}


@activity.defn
async def call_external_api(request: int) -> int:
    return request * 10


@workflow.defn
class RateLimitedWorkflow:
    @workflow.run
    async def run(self, requests: list[int]) -> list[int]:
        free = asyncio.Semaphore(5)

        async def limited(request: int) -> int:
            async with free:
                return await workflow.execute_activity(
                    call_external_api, request, start_to_close_timeout=SHORT
                )

        return await asyncio.gather(*(limited(request) for request in requests))


async def test_five_calls_at_once(client: Client) -> None:
    """Seed 001, lines 9443-9472: never more than five activities are open."""
    async with worker(client, [RateLimitedWorkflow], [call_external_api]) as queue:
        handle = await client.start_workflow(
            RateLimitedWorkflow.run, list(range(12)), id=unique("limited"), task_queue=queue
        )
        assert await handle.result() == [number * 10 for number in range(12)]
        running = most = 0
        for name in await names_of(handle):
            running += (name == "ActivityTaskScheduled") - (name == "ActivityTaskCompleted")
            most = max(most, running)
        assert most == 5


@workflow.defn
class TokenBucketWorkflow:
    @workflow.run
    async def run(self, requests: list[int], capacity: int, refill_per_s: float) -> list[int]:
        tokens, refilled_at = float(capacity), workflow.time()
        results = []
        for request in requests:
            while True:
                now = workflow.time()
                tokens = min(capacity, tokens + (now - refilled_at) * refill_per_s)
                refilled_at = now
                if tokens >= 0.999:
                    tokens -= 1
                    break
                await workflow.sleep((1 - tokens) / refill_per_s)
            results.append(
                await workflow.execute_activity(
                    call_external_api, request, start_to_close_timeout=SHORT
                )
            )
        return results


async def test_token_bucket(client: Client) -> None:
    """Seed 001, lines 9502-9541: two calls at once, each further one waits for a token."""
    async with worker(client, [TokenBucketWorkflow], [call_external_api]) as queue:
        handle = await client.start_workflow(
            TokenBucketWorkflow.run,
            args=[[1, 2, 3, 4], 2, 2.0],
            id=unique("bucket"),
            task_queue=queue,
        )
        assert await handle.result() == [10, 20, 30, 40]
        names = await names_of(handle)
        assert names.count("TimerFired") >= 1
        assert names.count("TimerFired") == names.count("TimerStarted")


@workflow.defn
class SlidingWindowWorkflow:
    @workflow.run
    async def run(self, requests: list[int], at_most: int, window_s: float) -> list[int]:
        stamps: deque[float] = deque()
        results = []
        for request in requests:
            while len(stamps) >= at_most:
                wait_s = stamps[0] + window_s - workflow.time()
                if wait_s > 0:
                    await workflow.sleep(wait_s)
                else:
                    stamps.popleft()
            stamps.append(workflow.time())
            results.append(
                await workflow.execute_activity(
                    call_external_api, request, start_to_close_timeout=SHORT
                )
            )
        return results


async def test_sliding_window(client: Client) -> None:
    """Seed 001, lines 9543-9581: two calls per window; the sample's hour is half a second."""
    async with worker(client, [SlidingWindowWorkflow], [call_external_api]) as queue:
        handle = await client.start_workflow(
            SlidingWindowWorkflow.run,
            args=[[1, 2, 3], 2, 0.5],
            id=unique("window"),
            task_queue=queue,
        )
        assert await handle.result() == [10, 20, 30]
        kinds = ("ActivityTaskScheduled", "TimerFired")
        order = [name for name in await names_of(handle) if name in kinds]
        assert order == [kinds[0], kinds[0], kinds[1], kinds[0]]
