"""The word that a read shows, put together from what all registers show."""

from amaranth.hdl import Cat, Signal

__all__ = ["ReadWord"]


class ReadWord:
    """Collects the bits of all registers, and shows those of one.

    Each register that shows something has it copied, or zeros while it is not the one to be read;
    the word is all copies put together. Flip-flops take the zeros without a cell before them, so
    this costs far fewer cells than a choice among the registers themselves.
    """

    def __init__(self):
        self._shown = {}                        # by register: when, and what its bits are
        self._constant = {}                     # by bit: when it is 1
        self._others = [[] for _ in range(32)]  # of each bit: what else there may be

    def show(self, hit, lsb, bits):
        """A register shows ``bits`` from ``lsb`` on, if ``hit``."""
        _, shown = self._shown.setdefault(id(hit), (hit, {}))
        shown.update({lsb + place: bit for place, bit in enumerate(bits)})

    def show_constant(self, hit, lsb, value):
        """A register shows the set bits of an int from ``lsb`` on, if ``hit``."""
        for bit in range(value.bit_length()):
            if value >> bit & 1:
                self._constant.setdefault(lsb + bit, []).append(hit)

    def add(self, lsb, bits):
        """What comes a clock later than all else, and is 0 where it is not to be shown."""
        for place, bit in enumerate(bits):
            self._others[lsb + place].append(bit)

    def word(self, m):
        """The word of the register that was hit in the clock before, as it was then."""
        terms = [list(others) for others in self._others]
        for number, (hit, shown) in enumerate(self._shown.values()):
            copy = Signal(len(shown), name=f"shown{number}")
            with m.If(hit):
                m.d.sync += copy.eq(Cat(shown.values()))
            with m.Else():
                m.d.sync += copy.eq(0)
            for place, bit in enumerate(shown):
                terms[bit].append(copy[place])
        ones = {}   # one for all bits that are 1 in the same registers
        for bit, hits in self._constant.items():
            key = frozenset(id(hit) for hit in hits)
            if key not in ones:
                ones[key] = one = Signal(name=f"one{len(ones)}")
                m.d.sync += one.eq(Cat(hits).any())
            terms[bit].append(ones[key])
        return Cat(Cat(each).any() for each in terms)
