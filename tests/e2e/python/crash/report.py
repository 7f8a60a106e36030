"""What came of a fault, in JSON and as a row of the table."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

HEADS = ("fault", "how", "what the server did", "what callers saw", "acknowledged", "runs")
HEADS = (*HEADS, "lost", "stuck", "wrong", "outcome")


@dataclass
class Outcome:
    """What came of one fault."""

    fault: str
    how: str = ""
    """How the fault was made."""
    server: list[str] = field(default_factory=list)
    """What the server did, in order."""
    callers: dict[str, int] = field(default_factory=dict)
    """How often the calls of clients failed with each status while the load ran."""
    acknowledged: int = 0
    runs: int = 0
    lost: int = 0
    stuck: int = 0
    wrong: int = 0
    examples: list[str] = field(default_factory=list)
    """What is lost, stuck or wrong."""
    unexpected: list[str] = field(default_factory=list)
    """Where the server did not do what it should."""
    took_s: float = 0.0

    @property
    def good(self) -> bool:
        """Whether all is as it should be, and there was something to lose."""
        clean = not (self.lost or self.stuck or self.wrong or self.unexpected)
        return clean and self.acknowledged > 0

    def report(self) -> dict:
        """For JSON."""
        return {**dataclasses.asdict(self), "good": self.good}


def table(outcomes: Sequence[Outcome]) -> str:
    """A row for each fault, as Markdown."""
    rows = [HEADS, tuple("---" for _ in HEADS)]
    for outcome in outcomes:
        callers = ", ".join(f"{name} {count}" for name, count in outcome.callers.items())
        counts = (outcome.acknowledged, outcome.runs, outcome.lost, outcome.stuck, outcome.wrong)
        bad = "BAD: " + "; ".join([*outcome.unexpected, *outcome.examples[:1]])
        verdict = "good" if outcome.good else bad
        row = (outcome.fault, outcome.how, "; ".join(outcome.server), callers or "nothing")
        rows.append((*row, *map(str, counts), verdict))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
