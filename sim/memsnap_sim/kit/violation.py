"""What a checker found."""

from dataclasses import dataclass, field

__all__ = ["Violation", "report"]


@dataclass(frozen=True)
class Violation:
    """A rule that was broken.

    ``clock``, ``address`` (in bytes) and ``block`` are None where they mean nothing. ``history``
    holds a line for each earlier event that bears on it.
    """

    rule: str
    text: str
    clock: int | None = None
    address: int | None = None
    block: int | None = None
    history: tuple[str, ...] = field(default=())

    def __str__(self):
        place = [f"clock {self.clock}"] if self.clock is not None else []
        if self.address is not None:
            place.append(f"address {self.address:#x}")
        if self.block is not None:
            place.append(f"block {self.block}")
        line = f"{self.rule}: {self.text}" + (f" ({', '.join(place)})" if place else "")
        return "\n    ".join([line, *self.history])


def report(violations, most=10):
    """The first violations as text for a person."""
    lines = [str(violation) for violation in violations[:most]]
    if len(violations) > most:
        lines.append(f"and {len(violations) - most} more")
    return "\n".join(lines)
