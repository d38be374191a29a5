"""What to take: the smallest unit that hardly slows the program down, in words."""

__all__ = ["GOAL", "advise", "choose", "pareto"]

#: The part of a snapshot's time that it may cost the program.
GOAL = 0.05


def _cost(outcome):
    """What a unit costs: its cells if they were counted, and its RAM."""
    return (outcome.cells or 0, outcome.ram_bits)


def pareto(outcomes):
    """Those that no other beats in cost and longest stall at once, the cheapest first."""
    front = []
    for outcome in sorted(outcomes, key=lambda each: (_cost(each), each.stall_longest)):
        if not front or outcome.stall_longest < front[-1].stall_longest:
            front.append(outcome)
    return front


def choose(outcomes, goal=GOAL):
    """The outcome to take, or None if none came to its end.

    Of those within ``goal`` the cheapest, of these the one with the least slow-down; where none is,
    the one that comes nearest.
    """
    ended = [outcome for outcome in outcomes if outcome.complete]
    within = [outcome for outcome in ended if outcome.share <= goal]
    if within:
        return min(within, key=lambda each: (_cost(each), each.slow_down, each.stall_longest))
    return min(ended, key=lambda each: (each.share, _cost(each)), default=None)


def advise(outcomes, goal=GOAL):
    """The recommendation in sentences."""
    best = choose(outcomes, goal)
    ended = [outcome for outcome in outcomes if outcome.complete]
    if best is None:
        return ["No snapshot came to its end before the accesses did: start it earlier "
                "(--start), or give a longer trace."]
    lines = [f"Take {best.point.name}: the program loses {best.share:.2%} of the time that the "
             f"snapshot takes ({best.slow_down:,} of {best.duration:,} clocks), and no write waits "
             f"longer than {best.stall_longest:,} clocks."]
    if best.share > goal:
        lines.append(f"That is more than the {goal:.0%} that is wanted, and the least of all that "
                     f"were tried: less traffic, a faster memory or a separate shadow would help.")
    within = sum(outcome.share <= goal for outcome in ended)
    cost = f"{best.cells:,} LUT sites and " if best.cells else ""
    if within > 1:
        lines.append(f"{within} of {len(ended)} are within {goal:.0%}; this one is the cheapest "
                     f"({cost}{best.ram_bits:,} bits of RAM).")
    least = min(ended, key=lambda each: each.slow_down)
    if least.slow_down < best.slow_down:
        lines.append(f"The least slow-down is that of {least.point.name}: {least.share:.2%}, for "
                     f"{least.ram_bits - best.ram_bits:+,} bits of RAM.")
    shortest = min(ended, key=lambda each: (each.stall_longest, _cost(each)))
    if shortest.stall_longest < best.stall_longest:
        lines.append(f"The shortest longest stall is that of {shortest.point.name}: "
                     f"{shortest.stall_longest:,} clocks.")
    slowest = max(ended, key=lambda each: each.share)
    if slowest.share > goal:
        lines.append(f"To be avoided: {slowest.point.name}, which costs {slowest.share:.2%}.")
    unfinished = sum(not outcome.complete and not outcome.problem for outcome in outcomes)
    if unfinished:
        lines.append(f"In {unfinished} cases the snapshot was still running when the accesses "
                     f"ended.")
    return lines
