"""Files of a store that was shut are cut short, or a bit in them is flipped."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

from temporalio.service import RPCError, RPCStatusCode

from crash.ledger import read_history, violations
from crash.rig import Rig
from harness.server import ServerDied

STONES = 40
"""Enough that some of them are in tables."""
SORTS = ("LOCK", "FORMAT", "watermark", "*.jnl", "current", "v*", "tables/*")
EACH = 3
"""So many files of each sort."""
SAMPLE = 100

Harm = Callable[[Path, random.Random], str]


def written_bytes(path: Path) -> int:
    """Up to the zeros that are written in advance."""
    return len(path.read_bytes().rstrip(b"\0"))


def truncate(path: Path, chance: random.Random) -> str:
    """Cuts the file somewhere in what is written."""
    length, kept = written_bytes(path), chance.randrange(written_bytes(path))
    with path.open("r+b") as file:
        file.truncate(kept)
    return f"cut to {kept} of {length} bytes"


def flip(path: Path, chance: random.Random) -> str:
    """Flips a bit of what is written."""
    contents = bytearray(path.read_bytes())
    bit = chance.randrange(written_bytes(path) * 8)
    contents[bit // 8] ^= 1 << bit % 8
    path.write_bytes(contents)
    return f"bit {bit} flipped"


def victims(data: Path, chance: random.Random, each: int) -> list[Path]:
    """Some files of each sort that have contents."""
    chosen: list[Path] = []
    for sort in SORTS:
        files = sorted(data.rglob(sort))
        files = [path for path in files if path.is_file() and written_bytes(path)]
        chosen += chance.sample(files, min(each, len(files)))
    return chosen


async def damaged(rig: Rig, how: str, harm: Harm) -> None:
    """After each damage the server refuses to start, or to read, or serves what was written."""
    rig.outcome.how = how
    chance = random.Random(rig.seed)
    await rig.start()
    await rig.lay(STONES)
    await rig.finish()
    rig.server.kill()
    sound = rig.volume / "sound"
    shutil.copytree(rig.data, sound)
    counts = {"refused to start": 0, "refused reads": 0, "served all as written": 0}
    for victim in victims(rig.data, chance, 1 if rig.brief else EACH):
        what = f"{victim.relative_to(rig.data)} {harm(victim, chance)}"
        counts[await outcome_of(rig, victim, what)] += 1
        shutil.rmtree(rig.data)
        shutil.copytree(sound, rig.data)
    rig.did(", ".join(f"{name}: {count} files" for name, count in counts.items()))
    rig.expect(counts["refused to start"] > 0, "no damage was found")
    await rig.server.start()


async def outcome_of(rig: Rig, victim: Path, what: str) -> str:
    """Starts the server on the damage and reads everything."""
    try:
        rig.client = await rig.server.start()
    except ServerDied:
        rig.server.kill()
        rig.last_words(victim)
        return "refused to start"
    refused = await refused_reads(rig, victim, what)
    if await rig.server.ended(0) is not None:
        rig.last_words(victim)  # it met the damage while it put tables together
    rig.server.kill()
    return "refused reads" if refused else "served all as written"


async def refused_reads(rig: Rig, victim: Path, what: str) -> int:
    """How many reads are refused; all others must give what was written."""
    rig.refusal = ""
    answers = await rig.read_stones()
    rig.expect(set(answers) <= {"UNAVAILABLE", "as written"}, f"{what}: reads gave {answers}")
    refused = answers.get("UNAVAILABLE", 0)
    for run in list(rig.load.runs.values())[:SAMPLE]:
        try:
            found = violations(run, await read_history(rig.client, run))
            rig.expect(not found, f"{what}: served {found}")
        except RPCError as error:
            rig.expect(error.status == RPCStatusCode.UNAVAILABLE, f"{what}: {error.status.name}")
            rig.refusal = rig.refusal or error.message
            refused += 1
    if refused:
        rig.expect(str(victim) in rig.refusal, f"{what}: not named in {rig.refusal!r}")
    return refused


async def truncated(rig: Rig) -> None:
    """A file ends too early."""
    await damaged(rig, "one file at a time is cut short", truncate)


async def flipped(rig: Rig) -> None:
    """A bit has changed."""
    await damaged(rig, "one bit in one file at a time is flipped", flip)


FAULTS = {"truncated": truncated, "flipped": flipped}
