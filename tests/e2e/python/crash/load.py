"""The load: clients in this process and workers in others, all in plain calls that are repeated
until the server answers, and the ledger of what they were told."""

import asyncio
import random

from temporalio.client import Client

from crash.clients import Clients
from crash.ledger import Run
from crash.workers import Workers

PROCESSES = 3
"""Enough that a killed one is missed and the others go on."""


class Load:
    """Clients and workers on one server, and the ledger of what they were told."""

    def __init__(self, client: Client, address: str, seed: int) -> None:
        self.runs: dict[str, Run] = {}
        self.workers = Workers(address, self.runs)
        self._clients = Clients(client, self.runs, seed)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, concurrency: int) -> None:
        """Starts so many clients, and half as many pollers of each kind."""
        await self.workers.start(PROCESSES, max(1, concurrency // (2 * PROCESSES)))
        self._tasks = [asyncio.create_task(self._clients.one()) for _ in range(concurrency)]

    def acknowledged(self) -> int:
        """The number of operations that the server has confirmed."""
        return sum(run.acknowledged() for run in self.runs.values())

    async def kill_worker(self, chance: random.Random) -> None:
        """Ends one of the worker processes at any moment of its work; another takes its place."""
        await self.workers.kill_one(chance)

    async def drain(self, timeout_s: float) -> None:
        """Lets every run that was begun come to its end, for at most so long, then stops."""
        self._clients.stop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_s)
        for task in self._tasks:
            task.cancel()
        outcomes = await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self.workers.stop()
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
