"""The workers of the load: processes that are killed and replaced."""

import asyncio
import json
import random
import sys
from pathlib import Path

from crash.ledger import Run

PROGRAM = Path(__file__).with_name("worker.py")


class Workers:
    """Worker processes on one server. What they report goes into the ledger."""

    def __init__(self, address: str, runs: dict[str, Run]) -> None:
        self.last_progress = 0.0
        """Monotonic time of the last acknowledged completion of a task."""
        self.completed = 0
        """How many completions were acknowledged."""
        self.broken = 0
        """How often the server told a worker that it is broken."""
        self.killed = 0
        self._address = address
        self._runs = runs
        self._processes: list[asyncio.subprocess.Process] = []
        self._readers: list[asyncio.Task[None]] = []
        self._pollers = 0

    async def start(self, processes: int, pollers: int) -> None:
        """Starts so many processes, each with so many pollers of each kind."""
        self._pollers = pollers
        for _ in range(processes):
            await self._spawn()

    async def kill_one(self, chance: random.Random) -> None:
        """Ends one process as a power cut would, and starts another."""
        process = self._processes.pop(chance.randrange(len(self._processes)))
        process.kill()
        await process.wait()
        self.killed += 1
        await self._spawn()

    async def stop(self) -> None:
        """Ends all, and waits until everything that they reported is read."""
        ended = [process.returncode for process in self._processes]
        for process in self._processes:
            if process.returncode is None:
                process.kill()
            await process.wait()
        await asyncio.gather(*self._readers)
        if any(code is not None for code in ended):
            raise RuntimeError(f"a worker ended by itself: {ended}")

    async def _spawn(self) -> None:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, PROGRAM, self._address, str(self._pollers), stdin=pipe, stdout=pipe
        )
        self._processes.append(process)
        self._readers = [task for task in self._readers if not task.done()]
        self._readers.append(asyncio.create_task(self._read(process)))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        broken = 0
        async for line in process.stdout:
            if not line.endswith(b"\n"):
                break  # cut short by the kill
            broken = self._enter(json.loads(line))
        self.broken += broken

    def _enter(self, line: dict) -> int:
        self.last_progress = max(self.last_progress, line["at"])
        self.completed += 1
        # A task may come before the answer to its start has.
        new = Run(line["workflow_id"], line["run_id"])
        run = self._runs.setdefault(line["workflow_id"], new)
        if "activity" in line:
            run.activities.add(line["activity"])
        else:
            run.completed_tasks.add(line["task"])
        return line["broken"]
