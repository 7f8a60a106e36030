"""Workflows that keep their own state small: references, checkpoints, windows, compression."""

import base64
import gzip
import json
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from harness.history import all_of
from harness.workers import unique, worker

SHORT = timedelta(seconds=20)


@activity.defn
async def process_item(item: str) -> str:
    if item.startswith("bad"):
        raise ApplicationError(f"cannot process {item}")
    return item.upper()


@dataclass
class DataReference:
    storage_key: str
    size_bytes: int


STORAGE: dict[str, list[int]] = {}


@activity.defn
async def load_and_store_dataset(dataset_id: str) -> DataReference:
    STORAGE[f"datasets/{dataset_id}"] = list(range(1000))
    activity.heartbeat("stored")
    return DataReference(f"datasets/{dataset_id}", 4000)


@activity.defn
async def process_dataset(reference: DataReference) -> dict:
    return {"sum": sum(STORAGE[reference.storage_key]), "bytes": reference.size_bytes}


@activity.defn
async def cleanup_storage(key: str) -> None:
    del STORAGE[key]


@workflow.defn
class ExternalStorageWorkflow:
    @workflow.run
    async def run(self, dataset_id: str) -> dict:
        reference = await workflow.execute_activity(
            load_and_store_dataset,
            dataset_id,
            start_to_close_timeout=SHORT,
            heartbeat_timeout=timedelta(seconds=10),
        )
        result = await workflow.execute_activity(
            process_dataset, reference, start_to_close_timeout=SHORT
        )
        await workflow.execute_activity(
            cleanup_storage, reference.storage_key, start_to_close_timeout=SHORT
        )
        return result


async def test_data_stays_outside(client: Client) -> None:
    """Seed 001, lines 9773-9838: only the reference goes through the history."""
    dataset = unique("dataset")
    steps = [load_and_store_dataset, process_dataset, cleanup_storage]
    async with worker(client, [ExternalStorageWorkflow], steps) as queue:
        result = await client.execute_workflow(
            ExternalStorageWorkflow.run, dataset, id=unique("external"), task_queue=queue
        )
    assert result == {"sum": 499500, "bytes": 4000}
    assert f"datasets/{dataset}" not in STORAGE


@activity.defn
async def load_large_state() -> dict:
    return {f"key{number}": "value" * 20 for number in range(500)}


@workflow.defn
class CompressedStateWorkflow:
    @workflow.run
    async def run(self) -> dict:
        state = await workflow.execute_activity(load_large_state, start_to_close_timeout=SHORT)
        plain = json.dumps(state).encode()
        packed = base64.b64encode(gzip.compress(plain, mtime=0)).decode()
        unpacked = json.loads(gzip.decompress(base64.b64decode(packed)))
        return {"same": unpacked == state, "smaller": len(packed) < len(plain)}


async def test_compressed_state(client: Client) -> None:
    """Seed 001, lines 9844-9885: a result of 55 kB, packed and unpacked in the workflow."""
    async with worker(client, [CompressedStateWorkflow], [load_large_state]) as queue:
        result = await client.execute_workflow(
            CompressedStateWorkflow.run, id=unique("compressed"), task_queue=queue
        )
    assert result == {"same": True, "smaller": True}


@activity.defn
async def save_checkpoint(processed: list[str]) -> int:
    return len(processed)


@workflow.defn
class IncrementalStateWorkflow:
    @workflow.run
    async def run(self, items: list[str], every: int) -> dict:
        processed: list[str] = []
        checkpoints = []
        for item in items:
            await workflow.execute_activity(process_item, item, start_to_close_timeout=SHORT)
            processed.append(item)
            if len(processed) % every == 0:
                checkpoints.append(
                    await workflow.execute_activity(
                        save_checkpoint, processed, start_to_close_timeout=SHORT
                    )
                )
        return {"processed": len(processed), "checkpoints": checkpoints}


async def test_checkpoints(client: Client) -> None:
    """Seed 001, lines 9897-9930: a checkpoint every so many items (five here)."""
    items = [f"item{number}" for number in range(12)]
    async with worker(client, [IncrementalStateWorkflow], [process_item, save_checkpoint]) as queue:
        result = await client.execute_workflow(
            IncrementalStateWorkflow.run, args=[items, 5], id=unique("checkpoint"), task_queue=queue
        )
    assert result == {"processed": 12, "checkpoints": [5, 10]}


@dataclass
class Window:
    batch_id: str
    offset: int
    limit: int


@activity.defn
async def create_processing_batch(dataset_id: str) -> str:
    return f"batch-{dataset_id}"


@activity.defn
async def get_record_count(batch_id: str) -> int:
    return 2500


@activity.defn(name="process_batch")
async def process_window(window: Window) -> int:
    return min(window.limit, 2500 - window.offset)


@workflow.defn
class DataProcessingWorkflowGood:
    @workflow.run
    async def run(self, dataset_id: str) -> dict:
        batch_id = await workflow.execute_activity(
            create_processing_batch, dataset_id, start_to_close_timeout=SHORT
        )
        total = await workflow.execute_activity(
            get_record_count, batch_id, start_to_close_timeout=SHORT
        )
        processed = 0
        for offset in range(0, total, 1000):
            processed += await workflow.execute_activity(
                process_window, Window(batch_id, offset, 1000), start_to_close_timeout=SHORT
            )
        return {"batch": batch_id, "processed": processed}


async def test_only_ids_and_counts_in_state(client: Client) -> None:
    """Seed 001, lines 14102-14147: 2,500 records in windows of 1,000."""
    steps = [create_processing_batch, get_record_count, process_window]
    async with worker(client, [DataProcessingWorkflowGood], steps) as queue:
        handle = await client.start_workflow(
            DataProcessingWorkflowGood.run, "d1", id=unique("windows"), task_queue=queue
        )
        assert await handle.result() == {"batch": "batch-d1", "processed": 2500}
        assert len(await all_of(handle, "ActivityTaskCompleted")) == 5
