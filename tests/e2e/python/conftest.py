"""The servers that the tests use. One in-memory server serves every test that does not kill it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client

from harness.server import Server


@pytest.fixture(scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """The shared server: in memory, defaults throughout."""
    running = Server(tmp_path_factory.mktemp("server") / "server.log")
    try:
        await running.start()
        yield running
    finally:
        running.kill()


@pytest.fixture(scope="session")
async def client(server: Server) -> Client:
    """A client of the shared server."""
    return await Client.connect(server.address)


@pytest.fixture
async def durable(tmp_path: Path) -> AsyncIterator[Server]:
    """A server of the test's own on a data file; the test starts, kills and restarts it."""
    own = Server(tmp_path / "server.log", db_file=tmp_path / "abide.db")
    try:
        yield own
    finally:
        own.kill()
