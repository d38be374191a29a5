"""What was, for properties about more than one clock."""

from amaranth.hdl import Signal

__all__ = ["past", "until"]


def past(m, value):
    """``value`` as it was in the clock before."""
    before = Signal.like(value)
    m.d.sync += before.eq(value)
    return before


def until(m, event, end, name):
    """From the clock after ``event`` to that of ``end``."""
    been = Signal(name=name)
    with m.If(event):
        m.d.sync += been.eq(1)
    with m.If(end):
        m.d.sync += been.eq(0)
    return been
