"""Calls that are repeated until the server answers, and what it said meanwhile."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from temporalio.service import RPCError, RPCStatusCode

CALL_TIMEOUT = timedelta(seconds=10)
POLL_TIMEOUT = timedelta(seconds=20)
PAUSE_S = 0.02
BENIGN = (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT)
"""What the answer to a task gets that has timed out, or was taken by an earlier try."""
FINAL = (*BENIGN, RPCStatusCode.ALREADY_EXISTS, RPCStatusCode.FAILED_PRECONDITION)

failures: Counter[str] = Counter()
"""How often calls of this process failed with each status and were repeated."""


def is_servers_fault(error: RPCError) -> bool:
    """Whether the server itself said that it is broken. A client says INTERNAL too when its
    connection breaks."""
    if error.status == RPCStatusCode.INTERNAL:
        return "something went wrong" in error.message
    return error.status == RPCStatusCode.DATA_LOSS


async def insist(call: Callable[[], Awaitable[Any]]) -> Any:
    """Repeats a call until the server answers it, one way or the other. A refusal is raised."""
    while True:
        try:
            return await call()
        except RPCError as error:
            if error.status in FINAL:
                raise
            name = error.status.name
            failures[f"{name} by the server" if is_servers_fault(error) else name] += 1
        await asyncio.sleep(PAUSE_S)
