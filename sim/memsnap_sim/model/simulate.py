"""The model's front."""

from dataclasses import replace

from . import covers
from .feed import Feed
from .regions import region_blocks
from .running import Run
from .timing import FixedLatency

__all__ = ["simulate"]


def simulate(params, accesses, *, memory=None, shadow=None, start_at=0, regions=(), share=None,
             pace=0, max_in_flight=16, copies="all", beat_clocks=False, progress=None):
    """What a snapshot costs, to the clock.

    Parameters
    ----------
    params : SnapshotParams
    accesses : array of :data:`ACCESS`, or iterable of such arrays; or a list of arrays
        What the initiator does, perhaps piece by piece. With several ports a list of arrays, one
        for each.
    memory : FixedLatency or Dram
        By default a memory that answers in the clock after the request.
    shadow : FixedLatency or Dram
        A separate shadow's, by default like the memory.
    start_at : int, ("access", int), or None
        The clock in which the start is given; or the access of the first port in whose first clock
        on the bus it is given; or None for none. A start that comes before the unit is ready, after
        the sweep of its map that follows a reset, is given when it is.
    regions : iterable of (int, int)
        First and last byte address of each region for the initial copy.
    share, pace : int
        The registers of these names; by default ``params.share`` and 0.
    max_in_flight : int
        Beats, on AXI4 bursts, that an initiator may have without an answer.
    copies : str
        Blocks in :attr:`Result.copies`: ``"all"``, or ``"touched"`` for all but those that the
        background copied, which takes memory for the written blocks alone.
    beat_clocks : bool
        Whether :attr:`Result.beat_clocks` is wanted. Not for accesses that come piece by piece.
    progress : callable
        Told a :class:`memsnap_sim.model.Progress` every now and then. An interrupt (Ctrl-C),
        during it or else, ends the run; the result holds what there was up to then.

    Returns
    -------
    Result

    Raises
    ------
    NotImplementedError
        The model does not cover the configuration.
    TypeError, ValueError
        An argument is of the wrong kind or out of range.
    """
    memory = memory or FixedLatency()
    shadow = shadow or memory
    covers.check(params, memory=memory, shadow=shadow)
    share = params.share if share is None else share
    for name, value, least, most in (("share", share, 0, (1 << 32) - 1),
                                     ("pace", pace, 0, (1 << 16) - 1),
                                     ("max_in_flight", max_in_flight, 1, 1 << 20)):
        if not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"{name} must be an integer from {least} to {most}, not {value!r}")
    if copies not in {"all", "touched"}:
        raise ValueError(f"copies must be 'all' or 'touched', not {copies!r}")
    feed = Feed(params, accesses, start_at=start_at)
    if beat_clocks and feed.beats is None:
        raise ValueError("beat_clocks must be False for accesses that come piece by piece; "
                         "give them as one array")
    options = dict(memory=memory, shadow=shadow, regions=region_blocks(params, regions),
                   share=share, pace=pace, max_in_flight=max_in_flight)
    run = Run(params, copies=copies, log=feed.beats if beat_clocks else 0, **options)
    plain = Run(params, **options)
    complete = False
    try:
        for piece in feed:
            run.feed(piece)
            run.go(progress)
            plain.feed(replace(piece, start_clock=-1, start_beat=-1))
            plain.go()
        complete = True
    except KeyboardInterrupt:
        pass
    return run.result(complete=complete, without=plain)
