"""What is in flight, for specifications."""

from amaranth.hdl import Mux, Signal

__all__ = ["Fifo"]


class Fifo:
    """What was put and not yet taken off, the oldest first.

    Parameters
    ----------
    name : str
    bits : int
        Of an item.
    depth : int
        Of so many, none is put.

    Attributes
    ----------
    count : Signal
    """

    def __init__(self, name, *, bits, depth):
        self.count = Signal(range(depth + 1), name=name)
        self._bits = bits
        self._items = Signal(bits * depth, name=f"{name}_items")

    def at(self, index):
        """The item with this number."""
        return self._items.word_select(index, self._bits)

    def step(self, m, *, put, item, take):
        """In this clock an item is put, or the oldest taken off, or both."""
        left = Signal.like(self.count, name=f"{self.count.name}_left")
        m.d.comb += left.eq(self.count - take)
        m.d.sync += [
            self._items.eq(Mux(take, self._items >> self._bits, self._items)),
            self.count.eq(left + put),
        ]
        with m.If(put):
            m.d.sync += self._items.word_select(left, self._bits).eq(item)
