"""The crash rig's own check: it passes a good history and finds each kind of damage."""

from collections.abc import Callable

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from crash.ledger import Run, violations


def good_history() -> list[HistoryEvent]:
    """What the rig's workflow leaves when nothing goes wrong."""
    events = [HistoryEvent(event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)]
    for stage in (0, 1):
        for kind in ("SCHEDULED", "STARTED", "COMPLETED"):
            events.append(
                HistoryEvent(event_type=EventType.Value(f"EVENT_TYPE_WORKFLOW_TASK_{kind}"))
            )
        events[-1].workflow_task_completed_event_attributes.started_event_id = len(events) - 1
        scheduled = HistoryEvent(event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
        scheduled.activity_task_scheduled_event_attributes.activity_id = f"a{stage}"
        started = HistoryEvent(event_type=EventType.EVENT_TYPE_TIMER_STARTED)
        started.timer_started_event_attributes.timer_id = f"t{stage}"
        completed = HistoryEvent(event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED)
        completed.activity_task_completed_event_attributes.scheduled_event_id = len(events) + 1
        fired = HistoryEvent(event_type=EventType.EVENT_TYPE_TIMER_FIRED)
        fired.timer_fired_event_attributes.timer_id = f"t{stage}"
        fired.timer_fired_event_attributes.started_event_id = len(events) + 2
        events += [scheduled, started, completed, fired]
    for number in range(3):
        signaled = HistoryEvent(event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
        signaled.workflow_execution_signaled_event_attributes.input.payloads.add(
            data=str(number).encode()
        )
        events.append(signaled)
    events.append(HistoryEvent(event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED))
    return numbered(events)


def numbered(events: list[HistoryEvent]) -> list[HistoryEvent]:
    for number, event in enumerate(events, 1):
        event.event_id = number
    return events


def confirmed() -> Run:
    """A run of which everything was acknowledged."""
    return Run("w", "r", signals=[0, 1, 2], activities={"a0", "a1"}, completed_tasks={3})


def without(events: list[HistoryEvent], kind: EventType.ValueType) -> list[HistoryEvent]:
    """The history without the last event of a kind, its ids closed up again."""
    last = max(index for index, event in enumerate(events) if event.event_type == kind)
    return numbered(events[:last] + events[last + 1 :])


def doubled(events: list[HistoryEvent], kind: EventType.ValueType) -> list[HistoryEvent]:
    """The history with the last event of a kind written twice."""
    last = max(index for index, event in enumerate(events) if event.event_type == kind)
    copy = HistoryEvent()
    copy.CopyFrom(events[last])
    return numbered([*events[: last + 1], copy, *events[last + 1 :]])


def test_good_history() -> None:
    assert violations(confirmed(), good_history()) == []


@pytest.mark.parametrize(
    ("damage", "kind", "text"),
    [
        (without, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, "lost: acknowledged signal 2"),
        (doubled, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, "signal 2 2 times"),
        (without, EventType.EVENT_TYPE_TIMER_FIRED, "timer t1 fired 0 times"),
        (doubled, EventType.EVENT_TYPE_TIMER_FIRED, "timer t1 fired 2 times"),
        (doubled, EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED, "activity a1 closed 2 times"),
        (doubled, EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, "activity a1 scheduled twice"),
        (without, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, "stuck: not completed"),
    ],
)
def test_damage_is_found(damage: Callable, kind: EventType.ValueType, text: str) -> None:
    found = violations(confirmed(), damage(good_history(), kind))
    assert any(text in violation for violation in found), found


def test_lost_completion_is_found() -> None:
    events = good_history()
    events[6].event_type = EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT
    events[6].activity_task_timed_out_event_attributes.scheduled_event_id = 5
    found = violations(confirmed(), events)
    assert any("lost: acknowledged activity a0" in violation for violation in found), found


def test_lost_run_is_found() -> None:
    assert violations(confirmed(), []) == ["w/r: lost: the whole run"]


def test_refused_call_is_found() -> None:
    run = confirmed()
    run.refusals.append("a query saw 1 signals of 2 to 2")
    found = violations(run, good_history())
    assert found == ["w/r: refused: a query saw 1 signals of 2 to 2"]


def test_gap_is_found() -> None:
    events = good_history()
    del events[4]
    assert any("gap in ids" in violation for violation in violations(confirmed(), events))


def test_lost_workflow_task_is_found() -> None:
    run = confirmed()
    run.completed_tasks.add(99)
    assert violations(run, good_history()) == ["w/r: lost: acknowledged workflow tasks [99]"]
