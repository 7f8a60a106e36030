"""The crash rig at a size for every day; `python crash/crash.py` runs it at full length."""

import os
from pathlib import Path

import pytest

from crash.crash import crash
from crash.open_runs import measure

KILLS = int(os.environ.get("ABIDE_CRASH_KILLS", "10"))
OPEN_RUNS = int(os.environ.get("ABIDE_CRASH_OPEN_RUNS", "2000"))


@pytest.mark.limit(60 + 15 * KILLS)
async def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    """Starts, signals, activities and workflow tasks that the server confirmed are all there, once;
    every run completes."""
    report = await crash(tmp_path, kills=KILLS, concurrency=16, seed=KILLS)
    print(report)
    assert report["violations"] == 0, report
    assert report["acknowledged"] > report["runs"] > 0


@pytest.mark.limit(60 + OPEN_RUNS / 50)
async def test_open_runs_do_not_delay_the_start(tmp_path: Path) -> None:
    """After a kill with many open runs new ones progress, and the old ones are all there."""
    report = await measure(tmp_path, OPEN_RUNS)
    print(report)
    assert report["lost"] == 0, report
