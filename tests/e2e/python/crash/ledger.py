"""What the server acknowledged, and the check that all of it is in the histories, once."""

from collections import Counter
from dataclasses import dataclass, field

from temporalio.api.enums.v1 import EventType, HistoryEventFilterType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from harness.history import CLOSE_OF_ACTIVITY, assert_sound, attributes_of

ACTIVITIES = ("a0", "a1")
TIMERS = ("t0", "t1")
SIGNALS = 3


@dataclass
class Run:
    """One workflow and every operation on it that got an answer."""

    workflow_id: str
    run_id: str = ""
    signals: list[int] = field(default_factory=list)
    activities: set[str] = field(default_factory=set)
    completed_tasks: set[int] = field(default_factory=set)
    """Started-event ids of the workflow tasks whose completion was acknowledged."""
    queries: int = 0
    """How many queries were answered."""
    refusals: list[str] = field(default_factory=list)
    """Calls on the run that were refused although it was acknowledged, and wrong answers."""
    closed: bool = False
    """The client was told that the run is closed."""

    def acknowledged(self) -> int:
        """The number of operations of the run that the server confirmed."""
        parts = (self.signals, self.activities, self.completed_tasks)
        return bool(self.run_id) + self.queries + sum(len(part) for part in parts)


async def read_history(client: Client, run: Run) -> list[HistoryEvent]:
    """All events of the run, page by page; none if the server does not know it."""
    request = GetWorkflowExecutionHistoryRequest(
        namespace="default",
        history_event_filter_type=HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT,
    )
    request.execution.workflow_id, request.execution.run_id = run.workflow_id, run.run_id
    events: list[HistoryEvent] = []
    while True:
        try:
            page = await client.workflow_service.get_workflow_execution_history(request)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            return events
        events += page.history.events
        if not page.next_page_token:
            return events
        request.next_page_token = page.next_page_token


def violations(run: Run, events: list[HistoryEvent]) -> list[str]:
    """What is wrong with the history of a run that should be complete; empty if nothing is."""
    wrong: list[str] = [f"refused: {text}" for text in run.refusals]
    if not events:
        return [f"{run.workflow_id}/{run.run_id}: lost: the whole run"]
    try:
        assert_sound(events)
    except AssertionError as error:
        wrong.append(str(error))
    if events[-1].event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
        wrong.append("stuck: not completed")
    wrong += _signals(run, events)
    wrong += _activities(run, events)
    wrong += _timers(events)
    finished = {
        event.workflow_task_completed_event_attributes.started_event_id
        for event in events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    }
    lost = run.completed_tasks - finished
    if lost:
        wrong.append(f"lost: acknowledged workflow tasks {sorted(lost)}")
    return [f"{run.workflow_id}/{run.run_id}: {text}" for text in wrong]


def _signals(run: Run, events: list[HistoryEvent]) -> list[str]:
    counted = Counter(
        int(event.workflow_execution_signaled_event_attributes.input.payloads[0].data)
        for event in events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
    )
    wrong = [
        f"lost: acknowledged signal {number}" for number in run.signals if number not in counted
    ]
    return wrong + [
        f"signal {number} {times} times" for number, times in counted.items() if times > 1
    ]


def _activities(run: Run, events: list[HistoryEvent]) -> list[str]:
    name_of: dict[int, str] = {}
    closed: Counter[str] = Counter()
    completed: set[str] = set()
    wrong: list[str] = []
    for event in events:
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            name = event.activity_task_scheduled_event_attributes.activity_id
            if name in name_of.values():
                wrong.append(f"activity {name} scheduled twice")
            name_of[event.event_id] = name
        elif event.event_type in CLOSE_OF_ACTIVITY:
            name = name_of.get(attributes_of(event).scheduled_event_id, "never scheduled")
            closed[name] += 1
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                completed.add(name)
    wrong += [f"lost: acknowledged activity {name}" for name in run.activities - completed]
    return wrong + [
        f"activity {name} closed {closed[name]} times" for name in ACTIVITIES if closed[name] != 1
    ]


def _timers(events: list[HistoryEvent]) -> list[str]:
    fired = Counter(
        event.timer_fired_event_attributes.timer_id
        for event in events
        if event.event_type == EventType.EVENT_TYPE_TIMER_FIRED
    )
    return [f"timer {name} fired {fired[name]} times" for name in TIMERS if fired[name] != 1]
