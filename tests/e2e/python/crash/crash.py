"""Kills the server again and again under load, then checks that nothing it confirmed is lost.

    python crash.py --kills 100 --concurrency 16
    python crash.py --open-runs 30000

Prints a report in JSON and exits with 1 if anything was lost, stuck or doubled.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from temporalio.client import Client

from crash.ledger import Run, read_history, violations
from crash.load import Load
from crash.open_runs import measure
from harness.server import Server

UPTIME_S = (0.05, 3.0)
IN_RECOVERY = 0.15
"""The share of kills that come while the server is still starting."""
DRAIN_S = 60.0
READERS = 16


async def until_progress(load: Load, since: float, limit_s: float) -> float | None:
    """Seconds from `since` to the first acknowledged task after it, or nothing within the limit."""
    while time.monotonic() - since < limit_s:
        if load.last_progress > since:
            return load.last_progress - since
        await asyncio.sleep(0.005)
    return None


async def check(client: Client, runs: list[Run]) -> list[str]:
    """Reads every history and returns all that is wrong."""
    wrong: list[str] = []
    waiting = iter(runs)

    async def reader() -> None:
        for run in waiting:
            wrong.extend(violations(run, await read_history(client, run)))

    await asyncio.gather(*(reader() for _ in range(READERS)))
    return wrong


async def crash(directory: Path, kills: int, concurrency: int, seed: int) -> dict:
    """The whole experiment: load, kills, drain, check. Times are in seconds."""
    server = Server(directory / "server.log", db_file=directory / "abide.db")
    chance = random.Random(seed)
    progress_s: list[float] = []
    begun = time.monotonic()
    try:
        await server.start()
        client = await Client.connect(server.address)
        load = Load(client, seed)
        load.start(concurrency)
        for _ in range(kills):
            await asyncio.sleep(chance.uniform(*UPTIME_S))
            server.kill()
            server.spawn()
            while chance.random() < IN_RECOVERY:
                await asyncio.sleep(chance.uniform(0, 0.1))
                server.kill()
                server.spawn()
            first = await until_progress(load, server.spawned_at, limit_s=30)
            if first is None:
                raise RuntimeError("no progress within 30 s of a restart")
            progress_s.append(first)
        await load.drain(DRAIN_S)
        # The last word is that of a server that has just recovered.
        checker = await server.restart()
        runs = list(load.runs.values())
        wrong = await check(checker, runs)
    finally:
        server.kill()
    return {
        "kills": kills,
        "seed": seed,
        "took_s": round(time.monotonic() - begun, 1),
        "runs": len(runs),
        "acknowledged": sum(run.acknowledged() for run in runs),
        "start_to_progress_s": {
            "median": round(statistics.median(progress_s), 3),
            "max": round(max(progress_s), 3),
            "median_of_first_ten": round(statistics.median(progress_s[:10]), 3),
            "median_of_last_ten": round(statistics.median(progress_s[-10:]), 3),
        },
        "violations": len(wrong),
        "examples": wrong[:20],
    }


def main() -> int:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    arguments.add_argument("--kills", type=int, default=100)
    arguments.add_argument("--concurrency", type=int, default=16)
    arguments.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    arguments.add_argument("--open-runs", type=int, default=0)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        if options.open_runs:
            report = asyncio.run(measure(Path(directory), options.open_runs))
        else:
            report = asyncio.run(
                crash(Path(directory), options.kills, options.concurrency, options.seed)
            )
    print(json.dumps(report, indent=2))
    return 1 if report.get("violations") or report.get("lost") else 0


if __name__ == "__main__":
    sys.exit(main())
