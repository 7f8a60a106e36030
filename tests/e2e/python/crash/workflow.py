"""The workflow of the rig, as a function of its history."""

from typing import Any

from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.enums.v1 import CommandType, EventType
from temporalio.api.history.v1 import HistoryEvent

from crash.ledger import SIGNALS

QUEUE = "crash"
TASK_TIMEOUT_S = 2


def text(value: Any) -> Payloads:
    """One small payload."""
    return Payloads(
        payloads=[Payload(metadata={"encoding": b"json/plain"}, data=str(value).encode())]
    )


def signals_in(events: list[HistoryEvent]) -> int:
    """How many signals the history has; also what the workflow answers to a query."""
    kind = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
    return sum(event.event_type == kind for event in events)


def decide(events: list[HistoryEvent], timer_ms: int) -> list[Command]:
    """What comes next: twice an activity beside a timer, then a wait for all signals, then the
    end."""
    scheduled: dict[int, str] = {}
    done: set[str] = set()
    for event in events:
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            scheduled[event.event_id] = event.activity_task_scheduled_event_attributes.activity_id
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            done.add(scheduled[event.activity_task_completed_event_attributes.scheduled_event_id])
        elif event.event_type == EventType.EVENT_TYPE_TIMER_FIRED:
            done.add(event.timer_fired_event_attributes.timer_id)
    for stage in (0, 1):
        if f"a{stage}" not in scheduled.values():
            return [activity(f"a{stage}"), timer(f"t{stage}", timer_ms)]
        if not {f"a{stage}", f"t{stage}"} <= done:
            return []
    signals = signals_in(events)
    if signals < SIGNALS:
        return []
    close = Command(command_type=CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION)
    close.complete_workflow_execution_command_attributes.result.CopyFrom(text(signals))
    return [close]


def activity(name: str) -> Command:
    """Schedules an activity that is tried again soon when its worker goes."""
    command = Command(command_type=CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK)
    attributes = command.schedule_activity_task_command_attributes
    attributes.activity_id = attributes.activity_type.name = name
    attributes.task_queue.name = QUEUE
    attributes.start_to_close_timeout.seconds = TASK_TIMEOUT_S
    attributes.retry_policy.initial_interval.FromMilliseconds(50)
    attributes.retry_policy.backoff_coefficient = 1
    return command


def timer(name: str, fire_ms: int) -> Command:
    """Starts a timer."""
    command = Command(command_type=CommandType.COMMAND_TYPE_START_TIMER)
    command.start_timer_command_attributes.timer_id = name
    command.start_timer_command_attributes.start_to_fire_timeout.FromMilliseconds(fire_ms)
    return command
