"""The two programs that have to work first, with the histories that their authors show."""

import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.common import RetryPolicy

from harness.greeting_service import greeting_service
from harness.history import attributes_of, events_of, name_of
from harness.workers import unique, worker


class TranslateActivities:
    """Asks a translation service over HTTP."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    @activity.defn
    def say_hello(self, name: str) -> str:
        url = f"{self.base_url}/get-spanish-greeting?name={urllib.parse.quote(name)}"
        with urllib.request.urlopen(url) as response:
            return response.read().decode()


@workflow.defn
class GreetSomeone:
    @workflow.run
    async def run(self, name: str) -> str:
        return await workflow.execute_activity_method(
            TranslateActivities.say_hello, name, start_to_close_timeout=timedelta(seconds=5)
        )


async def test_greet_someone(client: Client) -> None:
    """Seed 000, lines 94-103, 128-144, 189-213 and 253-275; the worker there names an activity
    that does not exist (`greet_in_spanish`), here it registers `say_hello`."""
    with greeting_service() as base_url, ThreadPoolExecutor(2) as pool:
        say_hello = TranslateActivities(base_url).say_hello
        async with worker(client, [GreetSomeone], [say_hello], activity_executor=pool) as queue:
            handle = await client.start_workflow(
                GreetSomeone.run, "Maria", id=unique("greeting-workflow"), task_queue=queue
            )
            assert handle.result_run_id
            assert await handle.result() == "¡Hola, Maria!"


@activity.defn
async def process_data(data: str) -> str:
    return data.upper()


@activity.defn
async def send_notification(message: str) -> None:
    activity.logger.info("Notification: %s", message)


@workflow.defn
class DataProcessingWorkflow:
    @workflow.run
    async def run(self, data: str) -> dict:
        processed = await workflow.execute_activity(
            process_data,
            data,
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(maximum_attempts=3, initial_interval=timedelta(seconds=1)),
        )
        await workflow.execute_activity(
            send_notification,
            f"Processed: {processed}",
            start_to_close_timeout=timedelta(seconds=10),
        )
        return {"input": data, "output": processed, "status": "completed"}


SEVENTEEN_EVENTS = [
    "WorkflowExecutionStarted",
    "WorkflowTaskScheduled",
    "WorkflowTaskStarted",
    "WorkflowTaskCompleted",
    "ActivityTaskScheduled",
    "ActivityTaskStarted",
    "ActivityTaskCompleted",
    "WorkflowTaskScheduled",
    "WorkflowTaskStarted",
    "WorkflowTaskCompleted",
    "ActivityTaskScheduled",
    "ActivityTaskStarted",
    "ActivityTaskCompleted",
    "WorkflowTaskScheduled",
    "WorkflowTaskStarted",
    "WorkflowTaskCompleted",
    "WorkflowExecutionCompleted",
]


async def test_data_processing_has_seventeen_events(client: Client) -> None:
    """Seed 001, lines 414-437 and 1042-1140: the result, and the history event by event."""
    async with worker(client, [DataProcessingWorkflow], [process_data, send_notification]) as queue:
        handle = await client.start_workflow(
            DataProcessingWorkflow.run,
            "Sample Data",
            id=unique("data-processing-001"),
            task_queue=queue,
        )
        expected = {"input": "Sample Data", "output": "SAMPLE DATA", "status": "completed"}
        assert await handle.result() == expected

    events = await events_of(handle)
    assert [name_of(event) for event in events] == SEVENTEEN_EVENTS
    assert [event.event_id for event in events] == list(range(1, 18))

    async def decoded(payloads: list[Payload]) -> list:
        return await client.data_converter.decode(payloads)

    started, first, first_done, second, second_done, completed = (
        attributes_of(events[number - 1]) for number in (1, 5, 7, 11, 13, 17)
    )
    assert started.workflow_type.name == "DataProcessingWorkflow"
    assert await decoded(started.input.payloads) == ["Sample Data"]
    assert first.activity_type.name == "process_data"
    assert first.workflow_task_completed_event_id == 4
    assert (first_done.scheduled_event_id, first_done.started_event_id) == (5, 6)
    assert await decoded(first_done.result.payloads) == ["SAMPLE DATA"]
    assert second.activity_type.name == "send_notification"
    assert await decoded(second.input.payloads) == ["Processed: SAMPLE DATA"]
    assert (second_done.scheduled_event_id, second_done.started_event_id) == (11, 12)
    assert completed.workflow_task_completed_event_id == 16
    assert await decoded(completed.result.payloads) == [expected]
