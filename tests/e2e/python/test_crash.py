"""The crash rig at a size for every day; `cargo xtask crash` runs it at full length."""

import os
import sys
from pathlib import Path

import pytest

from crash.faults import FAULTS, run
from crash.kills import Plan, crash
from crash.open_runs import measure
from crash.rig import Size

KILLS = int(os.environ.get("ABIDE_CRASH_KILLS", "6"))
OPEN_RUNS = int(os.environ.get("ABIDE_CRASH_OPEN_RUNS", "2000"))


@pytest.mark.limit(60 + 15 * KILLS)
async def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    """Starts, signals, activities and workflow tasks that the server confirmed are all there, once;
    queries see what was confirmed before them; every run completes."""
    report = await crash(tmp_path, Plan(KILLS, concurrency=16, seed=KILLS, uptime_max_s=1.0))
    print(report)
    assert report["violations"] == 0, report
    assert all(report["acknowledged"].values()), report


@pytest.mark.skipif(
    sys.platform != "linux", reason="calls of the server are taken over by the loader"
)
@pytest.mark.limit(120)
@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_is_survived_or_refused(name: str, tmp_path: Path) -> None:
    """Whatever fails, nothing confirmed is lost, nothing wrong is served, and once it is mended
    every run completes."""
    outcome = await run(name, tmp_path, Size(seed=1, concurrency=16, brief=True))
    print(outcome.report())
    assert outcome.good, outcome.report()


@pytest.mark.limit(60 + OPEN_RUNS / 50)
async def test_open_runs_do_not_delay_the_start(tmp_path: Path) -> None:
    """After a kill with many open runs new ones progress, and the old ones are all there."""
    report = await measure(tmp_path, OPEN_RUNS)
    print(report)
    assert report["lost"] == 0, report
