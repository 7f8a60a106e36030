"""Reading of histories: names of events, order of activities, and what holds in all of them."""

from collections.abc import Sequence

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHandle

CLOSE_OF_ACTIVITY = (
    EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
    EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED,
    EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
    EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED,
)

CLOSE_OF_TIMER = (EventType.EVENT_TYPE_TIMER_FIRED, EventType.EVENT_TYPE_TIMER_CANCELED)


def name_of(event: HistoryEvent) -> str:
    """`ActivityTaskStarted` for EVENT_TYPE_ACTIVITY_TASK_STARTED."""
    words = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").split("_")
    return "".join(word.capitalize() for word in words)


def attributes_of(event: HistoryEvent):
    """The one attributes message that the event carries."""
    return getattr(event, event.WhichOneof("attributes"))


async def events_of(handle: WorkflowHandle) -> Sequence[HistoryEvent]:
    """The whole history of the handle's run."""
    return (await handle.fetch_history()).events


async def names_of(handle: WorkflowHandle) -> list[str]:
    """The names of all events in order."""
    return [name_of(event) for event in await events_of(handle)]


async def activities_of(handle: WorkflowHandle) -> list[str]:
    """The types of the scheduled activities in order."""
    return [
        event.activity_task_scheduled_event_attributes.activity_type.name
        for event in await events_of(handle)
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    ]


async def all_of(handle: WorkflowHandle, name: str) -> list:
    """The attributes of every event of that name."""
    return [attributes_of(event) for event in await events_of(handle) if name_of(event) == name]


async def one_of(handle: WorkflowHandle, name: str):
    """The attributes of the only event of that name."""
    found = await all_of(handle, name)
    assert len(found) == 1, f"{len(found)} events {name}"
    return found[0]


async def runs_of(handle: WorkflowHandle, client) -> list[tuple[str, str]]:
    """The chain of runs from the handle's on: (run id, name of the close event)."""
    chain = []
    run_id = handle.first_execution_run_id or handle.run_id
    while run_id:
        run = client.get_workflow_handle(handle.id, run_id=run_id)
        last = (await events_of(run))[-1]
        chain.append((run_id, name_of(last)))
        run_id = getattr(attributes_of(last), "new_execution_run_id", "")
    return chain


def assert_sound(events: Sequence[HistoryEvent]) -> None:
    """What holds in every history: ids without gaps, times that never go back, and every
    activity and timer closed at most once, by an event after the one that opened it."""
    assert [event.event_id for event in events] == list(range(1, len(events) + 1)), "gap in ids"
    assert events[0].event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
    activities: dict[int, int] = {}
    timers: dict[int, int] = {}

    def close(opened: dict[int, int], event_id: int) -> None:
        assert event_id in opened, f"closes {event_id}, which is not open"
        opened[event_id] += 1

    for event in events:
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            activities[event.event_id] = 0
        elif event.event_type in CLOSE_OF_ACTIVITY:
            close(activities, attributes_of(event).scheduled_event_id)
        elif event.event_type == EventType.EVENT_TYPE_TIMER_STARTED:
            timers[event.event_id] = 0
        elif event.event_type in CLOSE_OF_TIMER:
            close(timers, attributes_of(event).started_event_id)
    assert all(closes <= 1 for closes in activities.values()), (
        f"activity closed twice: {activities}"
    )
    assert all(closes <= 1 for closes in timers.values()), f"timer closed twice: {timers}"
