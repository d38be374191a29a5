"""What to take: the smallest unit that hardly slows the program down, in words."""

from dataclasses import dataclass

from .work import Outcome

__all__ = ["GOAL", "Choice", "advise", "choices", "choose", "pareto"]

#: The part of a snapshot's time that it may cost the program.
GOAL = 0.05


@dataclass(frozen=True)
class Choice:
    """A unit, with what came of it in all surroundings that were tried."""

    name: str
    outcomes: tuple[Outcome, ...]

    @property
    def worst(self):
        """The outcome with the largest slow-down."""
        return max(self.outcomes, key=lambda outcome: outcome.share)

    @property
    def share(self):
        """The largest slow-down."""
        return self.worst.share

    @property
    def stall_longest(self):
        """The longest stall."""
        return max(outcome.stall_longest for outcome in self.outcomes)

    @property
    def cost(self):
        """Its cells, if they were counted, and its RAM."""
        return self.outcomes[0].cells or 0, self.outcomes[0].ram_bits


def choices(outcomes):
    """The units whose snapshots came to their end in all surroundings."""
    groups = {}
    for outcome in outcomes:
        groups.setdefault(outcome.point.unit, []).append(outcome)
    return [Choice(name, tuple(group)) for name, group in groups.items()
            if all(outcome.complete for outcome in group)]


def pareto(units):
    """Those that no other beats in cost and longest stall at once, the cheapest first."""
    front = []
    for unit in sorted(units, key=lambda each: (each.cost, each.stall_longest)):
        if not front or unit.stall_longest < front[-1].stall_longest:
            front.append(unit)
    return front


def choose(outcomes, goal=GOAL):
    """The unit to take, or None if none came to its end.

    Of those within ``goal`` the cheapest; where none is, the one that comes nearest.
    """
    units = choices(outcomes)
    within = [unit for unit in units if unit.share <= goal]
    if within:
        return min(within, key=lambda each: (each.cost, each.share, each.stall_longest))
    return min(units, key=lambda each: (each.share, each.cost), default=None)


def advise(outcomes, goal=GOAL):
    """The recommendation in sentences."""
    units, best = choices(outcomes), choose(outcomes, goal)
    if best is None:
        return ["No snapshot came to its end before the accesses did: start it earlier "
                "(--start), or give a longer trace."]
    worst = best.worst
    where = f", at worst with {worst.point.name}" if len(best.outcomes) > 1 else ""
    lines = [f"Take {best.name}: the program loses {best.share:.2%} of the time that the snapshot "
             f"takes ({worst.slow_down:,} of {worst.duration:,} clocks{where}), and no write waits "
             f"longer than {best.stall_longest:,} clocks."]
    if best.share > goal:
        lines.append(f"That is more than the {goal:.0%} that is wanted, and the least of all that "
                     f"were tried: less traffic, a faster memory or a separate shadow would help.")
    within = sum(unit.share <= goal for unit in units)
    if within > 1:
        cells = f"{best.cost[0]:,} LUT sites and " if best.cost[0] else ""
        lines.append(f"{within} of {len(units)} units are within {goal:.0%}; this one is the "
                     f"cheapest ({cells}{best.cost[1]:,} bits of RAM).")
    least = min(units, key=lambda each: each.share)
    if least.share < best.share:
        lines.append(f"The least slow-down is that of {least.name}: {least.share:.2%}, for "
                     f"{least.cost[1] - best.cost[1]:+,} bits of RAM.")
    shortest = min(units, key=lambda each: (each.stall_longest, each.cost))
    if shortest.stall_longest < best.stall_longest:
        lines.append(f"The shortest longest stall is that of {shortest.name}: "
                     f"{shortest.stall_longest:,} clocks.")
    slowest = max(units, key=lambda each: each.share)
    if slowest.share > goal:
        lines.append(f"To be avoided: {slowest.name}, which costs {slowest.share:.2%}.")
    unfinished = sum(not outcome.complete and not outcome.problem for outcome in outcomes)
    if unfinished:
        lines.append(f"In {unfinished} of {len(outcomes)} runs the snapshot was still going on "
                     f"when the accesses ended.")
    return lines
