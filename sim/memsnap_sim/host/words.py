"""What a board does, in words."""

from memsnap.driver import State

from ..board.devices import Flag
from ..config_tables import show_size

__all__ = ["counted", "lines"]


def lines(board):
    """Pairs of what it is about, and what there is to say."""
    caps = board.capabilities
    yield "board", (f"{board.clock_hz / 1e6:g} MHz, {show_size(caps.memory_size)} of memory at "
                    f"{caps.memory_base:#x}, shadow at {caps.shadow_base:#x}")
    yield "unit", (f"version {'.'.join(map(str, caps.version))}, {caps.blocks} blocks of "
                   f"{show_size(caps.block_size)}, regions: {caps.regions}")
    yield "CPU", _cpu(board)
    yield "snapshot", _snapshot(board)


def counted(board):
    """How the snapshot went that is done."""
    counters = board.unit.counters(latch=False)
    took = counters.duration / board.clock_hz
    blocks = (counters.blocks_initial + counters.blocks_demand + counters.blocks_background)
    return (f"done: {blocks} blocks in {counters.duration:,} clocks ({1e3 * took:.2f} ms), "
            f"{counters.blocks_demand} of them for a write; {counters.held} writes were held, "
            f"the longest for {counters.stall_longest} clocks")


def _cpu(board):
    flags = board.flags
    kind = "RV32IM" if flags & Flag.MULTIPLIES else "RV32I"
    if not board.running:
        return f"{kind}, halted"
    if flags & Flag.TRAPPED:
        return f"{kind}, stopped at an instruction that it has not"
    if flags & Flag.ENDED:
        return f"{kind}, its program has ended with code {board.exit_code}"
    return f"{kind}, running"


def _snapshot(board):
    status = board.unit.status()
    if status.active:
        counters = board.unit.counters()
        copied = counters.blocks_initial + counters.blocks_demand + counters.blocks_background
        return f"under way, {copied} of {board.capabilities.blocks} blocks copied"
    if status.done:
        return counted(board)
    if status.failed:
        return f"failed: {status.cause.name}"
    if status.cancelled:
        return "cancelled"
    if status.refused:
        return f"refused: {status.refusal.name}"
    return "none yet" if status.ready else f"none yet, in state {State(status.state).name}"

