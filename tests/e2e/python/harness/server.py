"""The server under test: found, started by path, watched, killed and started again."""

import asyncio
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from temporalio.client import Client

REPOSITORY = Path(__file__).resolve().parents[4]
READY_TIMEOUT_S = 30.0
PROBE_INTERVAL_S = 0.01


class ServerDied(RuntimeError):
    """The process ended before it answered; the message carries the end of its log."""


def find_binary() -> Path:
    """The binary under test: ABIDE_BIN, else the newest of the debug and the release build."""
    named = os.environ.get("ABIDE_BIN")
    if named:
        return Path(named).resolve()
    built = [REPOSITORY / "target" / profile / "abide" for profile in ("debug", "release")]
    built = [path for path in built if path.is_file()]
    if not built:
        raise FileNotFoundError("no abide binary: build it, or name one in ABIDE_BIN")
    return max(built, key=lambda path: path.stat().st_mtime)


def free_port() -> int:
    """A TCP port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One server process on a fixed port; with `db_file` its data outlives the process."""

    def __init__(
        self,
        log_file: Path,
        db_file: Path | None = None,
        dynamic_config: Sequence[str] = (),
        namespaces: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.binary = find_binary()
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.log_file = log_file
        self.db_file = db_file
        self.spawned_at = 0.0
        self._dynamic_config = dynamic_config
        self._namespaces = namespaces
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """The command line, the same that the SDKs' own launchers use."""
        line = [str(self.binary), "server", "start-dev", "--headless", "--ip", "127.0.0.1"]
        line += ["--port", str(self.port), "--log-format", "json", "--log-level", "warn"]
        if self.db_file is not None:
            line += ["--db-filename", str(self.db_file)]
        for namespace in self._namespaces:
            line += ["--namespace", namespace]
        for setting in self._dynamic_config:
            line += ["--dynamic-config-value", setting]
        return line

    def spawn(self) -> None:
        """Starts the process without waiting for it."""
        assert self._process is None, "already running"
        with self.log_file.open("ab") as log:
            self.spawned_at = time.monotonic()
            self._process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, env=self._environment
            )

    async def ready(self) -> Client:
        """A client as soon as the server answers."""
        deadline = time.monotonic() + READY_TIMEOUT_S
        while True:
            self._check_alive()
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    pass
                return await Client.connect(self.address)
            except (OSError, RuntimeError):
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(PROBE_INTERVAL_S)

    async def start(self) -> Client:
        """Starts the process and waits until it answers."""
        self.spawn()
        return await self.ready()

    def send(self, number: signal.Signals) -> None:
        """Sends the process a signal."""
        assert self._process is not None, "not started"
        self._process.send_signal(number)

    async def ended(self, timeout_s: float) -> int | None:
        """Waits until the process has ended by itself; its exit code, or None if it goes on."""
        assert self._process is not None, "not started"
        deadline = time.monotonic() + timeout_s
        while (code := self._process.poll()) is None:
            if time.monotonic() > deadline:
                return None
            await asyncio.sleep(PROBE_INTERVAL_S)
        self._process = None
        return code

    def log(self) -> list[str]:
        """The lines that all processes so far have written."""
        return self.log_file.read_text(errors="replace").splitlines()

    def kill(self) -> None:
        """Ends the process as a power cut would: SIGKILL, nothing is flushed."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    async def restart(self) -> Client:
        """SIGKILL, then a new process on the same port and data."""
        self.kill()
        return await self.start()

    def cli(self, *arguments: str) -> str:
        """Standard output of a client command of the binary, run against this server."""
        done = subprocess.run(
            [str(self.binary), *arguments, "--address", self.address],
            capture_output=True,
            timeout=60,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{arguments} exited {done.returncode}: {done.stderr.decode()}")
        return done.stdout.decode()

    def _check_alive(self) -> None:
        assert self._process is not None, "not started"
        code = self._process.poll()
        if code is not None:
            tail = self.log_file.read_text(errors="replace")[-2000:]
            raise ServerDied(f"{self.binary} ended with {code}:\n{tail}")
