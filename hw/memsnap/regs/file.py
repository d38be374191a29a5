"""What software configured, in a RAM, for software to read back."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

__all__ = ["RegisterFile"]


class RegisterFile(wiring.Component):
    """A RAM of 32-bit words with the request that is being answered.

    A reset does not clear a RAM; so after each the words are written to their values, one a clock.

    Parameters
    ----------
    words : range
        Addresses of the words that are kept; the first is not 0.
    resets : dict of int to int
        Those whose value after a reset is not 0.

    Members
    -------
    ready : ``Out(1)``
        The words have their values; until then nothing is to be asked for.
    ask : ``In(1)``
        Takes the request ``new_adr``, ``new_data``, ``new_sel``.
    adr, data, sel : ``Out(adr_width)``, ``Out(32)``, ``Out(4)``
        The request that was taken last.
    write : ``In(1)``
        Writes the bytes ``sel`` of ``data`` to the word ``adr``.
    fetch, place : ``In(1)``, ``In(3)``
        Reads another word of the eight around ``adr`` instead of that of ``new_adr``.
    show : ``In(32)``
        These bits of what was read in the clock before are to be shown, all others as 0.
    word : ``Out(32)``
        What was read two clocks before.
    """

    def __init__(self, *, words, resets, adr_width):
        self._words = words
        self._resets = resets
        super().__init__({
            "ready": Out(1),
            "ask": In(1),
            "new_adr": In(adr_width),
            "new_data": In(32),
            "new_sel": In(4),
            "adr": Out(adr_width, init=words.start - 1),
            "data": Out(32),
            "sel": Out(4, init=0b1111),
            "write": In(1),
            "fetch": In(1),
            "place": In(3),
            "show": In(32),
            "word": Out(32),
        })

    def elaborate(self, platform):
        m = Module()
        # Nobody looks at what is read in the clock of a write: no cells are to keep it right
        m.submodules.ram = ram = Memory(
            shape=data.ArrayLayout(8, 4), depth=1 << (self._words.stop - 1).bit_length(), init=[],
            attrs={"no_rw_check": 1})
        write, read = ram.write_port(granularity=1), ram.read_port(domain="comb")
        word = Signal(32, reset_less=True)
        writes = self.write | ~self.ready
        m.d.comb += [
            write.addr.eq(self.adr),
            write.data.eq(self.data),
            write.en.eq(self.sel & writes.replicate(4)),
            read.addr.eq(Mux(self.fetch, Cat(self.place, self.adr[3:]), self.new_adr)),
        ]
        with m.If(~writes):
            m.d.sync += word.eq(read.data)
        for bit, show in enumerate(self.show):  # the flip-flops themselves take the zeros
            with m.If(show):
                m.d.sync += self.word[bit].eq(word[bit])
            with m.Else():
                m.d.sync += self.word[bit].eq(0)
        with m.If(~self.ready):
            m.d.sync += [
                self.adr.eq(self.adr + 1),
                self.ready.eq(self.adr == self._words.stop - 1),
            ]
            for bit in range(32):   # those that are 0 in all words are so since the reset
                ones = [adr for adr, value in self._resets.items() if value >> bit & 1]
                if ones:
                    m.d.sync += self.data[bit].eq(
                        Cat(self.adr == adr - 1 for adr in ones).any())
        with m.Elif(self.ask):
            m.d.sync += [
                self.adr.eq(self.new_adr),
                self.data.eq(self.new_data),
                self.sel.eq(self.new_sel),
            ]
        return m
