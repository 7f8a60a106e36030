"""The server is killed again and again under load, and so are its workers."""

import asyncio
import random
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import Client

from crash.calls import failures
from crash.check import check
from crash.load import Load
from harness.server import Server

UPTIME_MIN_S = 0.05
IN_RECOVERY = 0.15
"""The share of kills that come while the server is still starting."""
OF_WORKERS = 0.25
"""How many workers are killed for each kill of the server."""
PROGRESS_S = 30.0
DRAIN_S = 60.0
SHOWN_EVERY = 50


@dataclass
class Plan:
    """How long and how hard."""

    kills: int
    concurrency: int
    seed: int
    uptime_max_s: float = 3.0
    """The longest that the server is left alone."""


async def until_progress(load: Load, since: float, limit_s: float) -> float | None:
    """Seconds from `since` to the first acknowledged task after it, or nothing within the limit."""
    while time.monotonic() - since < limit_s:
        if load.workers.last_progress > since:
            return load.workers.last_progress - since
        await asyncio.sleep(0.005)
    return None


async def crash(directory: Path, plan: Plan) -> dict:
    """The whole experiment: load, kills, drain, check. Times are in seconds."""
    server = Server(directory / "server.log", db_file=directory / "abide.db")
    begun = time.monotonic()
    failures.clear()
    try:
        await server.start()
        client = await Client.connect(server.address)
        load = Load(client, server.address, plan.seed)
        try:
            await load.start(plan.concurrency)
            progress_s = await kill_often(server, load, plan)
        finally:
            await load.drain(DRAIN_S)
        # The last word is that of a server that has just recovered.
        result = await check(await server.restart(), list(load.runs.values()))
    finally:
        server.kill()
    broken = sum(count for name, count in failures.items() if name.endswith("by the server"))
    result["wrong"] += broken + load.workers.broken
    return {
        "kills": plan.kills,
        "worker_kills": load.workers.killed,
        "concurrency": plan.concurrency,
        "seed": plan.seed,
        "took_s": round(time.monotonic() - begun, 1),
        **result,
        "violations": result["lost"] + result["stuck"] + result["wrong"],
        "repeated_calls_of_clients": dict(failures),
        "start_to_progress_s": {
            "median": round(statistics.median(progress_s), 3),
            "max": round(max(progress_s), 3),
            "median_of_first_ten": round(statistics.median(progress_s[:10]), 3),
            "median_of_last_ten": round(statistics.median(progress_s[-10:]), 3),
        },
    }


async def kill_often(server: Server, load: Load, plan: Plan) -> list[float]:
    """Kills until the plan is done; gives the seconds from each start to new progress."""
    chance = random.Random(plan.seed)
    progress_s: list[float] = []
    for number in range(1, plan.kills + 1):
        await asyncio.sleep(chance.uniform(UPTIME_MIN_S, plan.uptime_max_s))
        if chance.random() < OF_WORKERS:
            await load.kill_worker(chance)
        server.kill()
        server.spawn()
        while chance.random() < IN_RECOVERY:
            await asyncio.sleep(chance.uniform(0, 0.1))
            server.kill()
            server.spawn()
        first = await until_progress(load, server.spawned_at, PROGRESS_S)
        if first is None:
            raise RuntimeError(f"no progress within {PROGRESS_S} s of restart {number}")
        progress_s.append(first)
        if number % SHOWN_EVERY == 0:
            print(f"{number} kills, {load.acknowledged()} operations acknowledged", flush=True)
    return progress_s
