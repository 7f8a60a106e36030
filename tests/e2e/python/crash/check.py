"""The last word on a load: every history is read, and all that is wrong is sorted."""

import asyncio

from temporalio.client import Client

from crash.ledger import Run, read_history, violations

READERS = 16
EXAMPLES = 20


async def check(client: Client, runs: list[Run]) -> dict:
    """Reads every history. Counts what is `lost` of what was acknowledged, the runs that are
    `stuck`, and what is otherwise `wrong`, such as something that happened twice."""
    found: list[str] = []
    waiting = iter(runs)

    async def reader() -> None:
        for run in waiting:
            found.extend(violations(run, await read_history(client, run)))

    await asyncio.gather(*(reader() for _ in range(READERS)))
    lost, stuck = (sum(f": {kind}: " in text for text in found) for kind in ("lost", "stuck"))
    return {
        "runs": len(runs),
        "acknowledged": {
            "starts": sum(bool(run.run_id) for run in runs),
            "signals": sum(len(run.signals) for run in runs),
            "queries": sum(run.queries for run in runs),
            "activities": sum(len(run.activities) for run in runs),
            "workflow_tasks": sum(len(run.completed_tasks) for run in runs),
        },
        "lost": lost,
        "stuck": stuck,
        "wrong": len(found) - lost - stuck,
        "examples": found[:EXAMPLES],
    }
