"""The word that a read shows, put together from what all registers show."""

from amaranth.hdl import Cat, Const, Signal

__all__ = ["ReadWord"]


class ReadWord:
    """Collects the bits of all registers, and chooses among them by address.

    A bit that several registers take from the same place is chosen once for all of them.
    """

    def __init__(self):
        self._shown = [{} for _ in range(32)]   # of each bit: where it comes from, and when
        self._chosen = {}

    def show(self, hit, lsb, bits, *, shared=None):
        """A register shows ``bits`` from ``lsb`` on.

        Parameters
        ----------
        hit : Signal
            The request is for this register.
        lsb : int
        bits : Value
        shared : hashable
            The same for all registers that show the same bits at the same place.
        """
        for bit in range(lsb, lsb + len(bits)):
            value, hits = self._shown[bit].setdefault(shared or (id(hit),), (bits[bit - lsb], []))
            hits.append(hit)

    def show_constant(self, hit, lsb, value):
        """A register shows the set bits of an int from ``lsb`` on."""
        for bit in range(value.bit_length()):
            if value >> bit & 1:
                self.show(hit, lsb + bit, Const(1, 1), shared="constant")

    def choose(self, m):
        """The word of the address of the clock before."""
        word = []
        for sources in self._shown:
            terms = [value & self._any(m, hits) for value, hits in sources.values()]
            word.append(Cat(terms).any())
        return Cat(word)

    def _any(self, m, hits):
        """Whether any of these was hit in the clock before."""
        key = frozenset(id(hit) for hit in hits)
        if key not in self._chosen:
            self._chosen[key] = chosen = Signal(name=f"chosen{len(self._chosen)}")
            m.d.sync += chosen.eq(Cat(hits).any())
        return self._chosen[key]
