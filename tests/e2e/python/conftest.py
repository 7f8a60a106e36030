"""The servers that the tests use. One in-memory server serves every test that does not kill it."""

import asyncio
import functools
import inspect
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from temporalio.client import Client

from harness.server import Server

LIMIT_S = 60.0


def _limited(test: Callable, limit_s: float) -> Callable:
    @functools.wraps(test)
    async def run(**fixtures: object) -> None:
        async with asyncio.timeout(limit_s):
            await test(**fixtures)

    return run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ends a test that hangs from inside its own loop, so that its workers shut down."""
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            marker = item.get_closest_marker("limit")
            item.obj = _limited(item.obj, marker.args[0] if marker else LIMIT_S)


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
