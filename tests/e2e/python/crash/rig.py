"""A server under load and between it and the kernel a library, so that anything can go wrong."""

import asyncio
import hashlib
import random
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest
from temporalio.client import Client
from temporalio.service import RPCError

from crash.calls import CALL_TIMEOUT, failures, is_servers_fault
from crash.check import check
from crash.load import Load
from crash.open_runs import start_request
from crash.preload import Preload
from crash.report import Outcome
from harness.server import Server

BUSY = 300
"""So many further acknowledged operations are enough to say that the server works."""
PROGRESS_S = 30.0
END_S = 30.0
DRAIN_S = 60.0
STONE_BYTES = 1_000_000


@dataclass
class Size:
    """How hard, and whether in a few seconds."""

    seed: int
    concurrency: int = 64
    brief: bool = False


class Rig:
    """What a fault gets to work with. All that does not go as it should is in `outcome`."""

    def __init__(self, directory: Path, outcome: Outcome, size: Size) -> None:
        self.outcome = outcome
        self.brief = size.brief
        self.volume = directory / "volume"
        """The folder of the data folder, for a fault that wants to mount something there."""
        self.volume.mkdir()
        self.data = data = self.volume / "abide.db"
        self.refusal = ""
        """What the server said to the first read that it refused."""
        self.seed = size.seed
        self._size = size
        self.preload = Preload(directory / "control", data)
        self.server = Server(
            directory / "server.log", db_file=data, environment=self.preload.environment
        )
        self.client: Client
        self.load: Load
        self.stones: dict[str, str] = {}
        """Workflow ids and digests of what was put into runs that nobody works on."""

    async def start(self) -> None:
        """Starts server and load, and waits until it is under way."""
        failures.clear()
        self.client = await self.server.start()
        self.load = Load(self.client, self.server.address, self._size.seed)
        await self.load.start(self._size.concurrency)
        await self.busy()

    def expect(self, holds: bool, otherwise: str) -> None:
        """Notes what the server did not do as it should."""
        if not holds:
            self.outcome.unexpected.append(otherwise)

    def did(self, text: str) -> None:
        """Notes what the server did."""
        self.outcome.server.append(text)

    async def busy(self) -> float:
        """Waits until the load has come on; gives the seconds that it took."""
        begun, workers = time.monotonic(), self.load.workers
        before, completed = self.load.acknowledged(), workers.completed
        while self.load.acknowledged() < before + BUSY or workers.completed < completed + BUSY // 2:
            if time.monotonic() - begun > PROGRESS_S:
                self.expect(False, f"no progress within {PROGRESS_S:.0f} s")
                break
            await asyncio.sleep(0.01)
        return time.monotonic() - begun

    async def ends(self) -> str:
        """Waits until the server ends by itself, as it should; gives its last words."""
        code = await self.server.ended(END_S)
        if code is None:
            self.server.kill()
        self.expect(code == 1, f"exit code {code}")
        words = self.last_words(self.data)
        self.did(f"ended with code {code}: {self._shown(words)}")
        return words

    def last_words(self, place: Path) -> str:
        """What a server said that has ended; it should have named the place."""
        words = self.server.log()[-1]
        self.expect(words.startswith("Error: "), f"last words {words!r}")
        self.expect(str(place) in words, f"last words do not name {place}: {words!r}")
        return words

    async def refuses_to_start(self) -> str:
        """Starts the server, which should end and say why."""
        self.server.spawn()
        words = await self.ends()
        self.outcome.server[-1] = "a start was refused: " + self._shown(words)
        return words

    def _shown(self, words: str) -> str:
        words = words.removeprefix("Error: ").replace(str(self.data), "DATA")
        return words if len(words) < 300 else words[:300] + "…"

    async def restart(self) -> None:
        """Starts the server, which should serve."""
        self.client = await self.server.start()
        took_s = await self.busy()
        self.did(f"after a start work went on in {took_s:.1f} s")

    async def lay(self, count: int) -> None:
        """Starts runs with so much input that the store has to write it to tables."""
        for _ in range(count):
            stone = random.randbytes(STONE_BYTES)
            request = start_request(f"stone-{uuid.uuid4().hex}", "stones", eager=False)
            payload = Payload(metadata={"encoding": b"binary/plain"}, data=stone)
            request.input.CopyFrom(Payloads(payloads=[payload]))
            await self.client.workflow_service.start_workflow_execution(
                request, timeout=CALL_TIMEOUT
            )
            self.stones[request.workflow_id] = hashlib.sha256(stone).hexdigest()

    async def read_stones(self) -> dict[str, int]:
        """Reads them all: how many came back as they were, and how many with which status."""
        answers: dict[str, int] = {}
        for workflow_id, digest in self.stones.items():
            answer = await self._read_stone(workflow_id, digest)
            answers[answer] = answers.get(answer, 0) + 1
        return answers

    async def _read_stone(self, workflow_id: str, digest: str) -> str:
        request = GetWorkflowExecutionHistoryRequest(namespace="default", maximum_page_size=1)
        request.execution.workflow_id = workflow_id
        try:
            # Not by way of a handle, which would try again.
            service = self.client.workflow_service
            page = await service.get_workflow_execution_history(request, timeout=CALL_TIMEOUT)
        except RPCError as error:
            self.expect(not is_servers_fault(error), f"a read got {error.status.name}")
            self.refusal = self.refusal or error.message
            return error.status.name
        started = page.history.events[0].workflow_execution_started_event_attributes
        payloads = started.input.payloads
        same = hashlib.sha256(payloads[0].data).hexdigest() == digest
        self.expect(same, f"{workflow_id} was served with other contents")
        return "as written" if same else "OTHER CONTENTS"

    async def finish(self, checked: bool = True) -> None:
        """Lets the load come to its end, starts the server once more and reads everything."""
        await self.load.drain(DRAIN_S)
        outcome = self.outcome
        outcome.callers = dict(failures)
        outcome.acknowledged = self.load.acknowledged()
        if checked:
            client = await self.server.restart()
            found = await check(client, list(self.load.runs.values()))
            for name in ("runs", "lost", "stuck", "wrong", "examples"):
                setattr(outcome, name, found[name])
        broken = sum(count for name, count in failures.items() if name.endswith("by the server"))
        self.expect(broken + self.load.workers.broken == 0, "the server said that it is broken")
        panics = [line for line in self.server.log() if "panicked at" in line]
        self.expect(not panics, f"{len(panics)} panics, first: {panics[:1]}")
