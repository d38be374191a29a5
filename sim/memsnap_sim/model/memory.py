"""A memory that answers in order, at most once a clock."""

from ._compiled import compiled
from .state import NOBODY
from .timing import latency

__all__ = ["answer", "take"]


@compiled
def take(memory, timing, clock, adr, we):
    """Takes a request in this clock, and returns the clock of its answer."""
    memory.last_answer = max(clock + latency(timing, clock, adr, we), memory.last_answer + 1)
    return memory.last_answer


@compiled
def answer(memory, answers, clock):
    """Whether the oldest request is answered in this clock."""
    return memory.head != memory.tail and answers[memory.head & (len(answers) - 1)] <= clock


@compiled
def answer_home(memory, answers, owners, clock):
    """Whose request is answered in this clock."""
    if not answer(memory, answers, clock):
        return NOBODY
    owner = owners[memory.head & (len(owners) - 1)]
    memory.head += 1
    return owner
