"""Which units the simulated system can have, and on which memory: what ``memsnap run`` refuses
before it builds anything, and ``memsnap check`` tells of.
"""

from memsnap.params import Bus, CopierPort, Shadow

from .surroundings import MEMORIES

__all__ = ["memory_end", "refusals", "sdram_type"]

#: Where the console begins.
_DEVICES = 1 << 28
_WIDTHS = (32, 64)
#: Types of SDRAM, the smallest first, with the bytes of a chip of 16 bits; as many chips are side
#: by side as the bus is wide.
_CHIPS = {"MT48LC4M16": 8 << 20, "MT48LC16M16": 32 << 20, "AS4C32M16": 64 << 20}
_IDEAL = "or use --memory ideal"


def memory_end(params):
    """Where the memory ends: with the shadow, and with the copy map, if these are in it."""
    bases = [params.memory_base]
    if params.shadow is Shadow.SAME:
        bases.append(params.shadow_base)
    return max(bases) + params.memory_size


def sdram_type(params):
    """The smallest SDRAM in which memory and shadow have room, or None."""
    chips = params.beat_bytes // 2
    return next((name for name, size in _CHIPS.items() if size * chips >= memory_end(params)), None)


def refusals(params, memory, *, ungated=False, faults=()):
    """What the system cannot do, each as a sentence with the value, the rule and the remedy.

    Parameters
    ----------
    params : SnapshotParams
    memory : str
        One of :data:`~memsnap_sim.surroundings.MEMORIES`.
    ungated : bool
        An IO device reaches the memory past the unit.
    faults : tuple of Fault
    """
    if memory not in MEMORIES:
        yield f"memory must be {' or '.join(MEMORIES)}, not {memory!r}"
    if params.bus is Bus.AXI4 and params.user_width:
        yield f"user_width must be 0 in this system, not {params.user_width}: leave it out"
    if params.data_width not in _WIDTHS:
        yield (f"data_width must be {' or '.join(map(str, _WIDTHS))} in this system, not "
               f"{params.data_width}: set data_width = {_WIDTHS[params.data_width > _WIDTHS[0]]}")
    if params.features:
        yield (f"features must be none in this system, not {', '.join(sorted(params.features))}: "
               f"leave them out")
    end = max(params.memory_base, params.shadow_base) + params.memory_size
    if end > _DEVICES:
        yield (f"memory and shadow must lie below {_DEVICES:#x} in this system, where the console "
               f"begins, and end at {end:#x}: lower memory_base, shadow_base or memory_size")
    elif memory == "litedram":
        yield from _room(params)
    if memory == "litedram":
        yield from _one_port(params, ungated, faults)


def _room(params):
    if params.data_width in _WIDTHS and sdram_type(params) is None:
        most, end = max(_CHIPS.values()) * params.beat_bytes // 2, memory_end(params)
        wider = " set data_width = 64," if params.data_width == 32 and end <= 2 * most else ""
        yield (f"memory and shadow must end within the {most:#x} bytes of the largest SDRAM, not "
               f"at {end:#x}: lower shadow_base or memory_size,{wider} {_IDEAL}")


def _one_port(params, ungated, faults):
    """LiteDRAM's memory is behind the unit's port, and behind no other; and it is without fault."""
    if params.io_hold:
        yield ("io_hold must be left out with LiteDRAM, whose one port is the unit's: gate the IO "
               f"device, with ports = 2 under [unit], {_IDEAL}")
    elif ungated:
        yield ("an ungated IO device has no way to LiteDRAM's memory: gate it (ungated = false "
               f"under [dma]), {_IDEAL}")
    if params.copier_port is CopierPort.OWN:
        yield ("copier_port must be shared with LiteDRAM, whose one port is the unit's: leave it "
               f"out, {_IDEAL}")
    if any(fault.side == "memory" or params.shadow is Shadow.SAME for fault in faults):
        yield f"LiteDRAM answers no access with an error: leave out [[fault]], {_IDEAL}"
