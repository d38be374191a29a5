"""Which rows of the copy map are complete: one bit a row."""

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

__all__ = ["RowSummary"]


class RowSummary(wiring.Component):
    """The rows of the copy map in which every block is copied, in words like the map's own rows.

    What is stored is the bit XOR the map's phase. When the map is full, so is the summary, and a
    flip of the phase clears both in one clock.

    Parameters
    ----------
    params : SnapshotParams
        With a summary.

    Members
    -------
    phase : ``In(1)``
        Of the map.
    set, set_word, set_bit : ``In(1)``, ``In(range(map_words))``, ``In(range(map_row_bits))``
        The row of that bit in that word is complete; at most every second clock.
    clear, clear_word : ``In(1)``, ``In(range(map_words))``
        A sweep goes on, with phase 0.
    word : ``In(range(map_words))``
    data : ``Out(map_row_bits)``
        The word of two clocks before, from a register, since the data of a block RAM comes late in
        its clock; bits beyond the last row are 1. What was set is seen by a read that is presented
        two clocks later.
    """

    def __init__(self, params):
        self._params = params
        word = range(max(2, params.map_words))
        super().__init__({
            "phase": In(1),
            "set": In(1),
            "set_word": In(word),
            "set_bit": In(range(params.map_row_bits)),
            "clear": In(1),
            "clear_word": In(word),
            "word": In(word),
            "data": Out(params.map_row_bits),
        })

    def elaborate(self, platform):
        m = Module()
        bits, words = self._params.map_row_bits, self._params.map_words
        m.submodules.ram = ram = Memory(shape=bits, depth=max(2, words), init=[])
        get, old, put = ram.read_port(), ram.read_port(), ram.write_port()
        at = Signal.like(self.word)
        setting = Signal()
        set_at = Signal.like(self.word)
        bit = Signal.like(self.set_bit)
        phase = Signal()        # that of the set
        mask = Signal(bits)
        in_last_word = (self._params.map_rows - 1) % bits + 1
        beyond = Const((1 << bits) - (1 << in_last_word), bits)

        m.d.comb += [
            get.addr.eq(self.word),
            old.addr.eq(self.set_word),
            mask.eq(1 << bit),
            put.en.eq(setting | self.clear),
            put.addr.eq(Mux(self.clear, self.clear_word, set_at)),
            put.data.eq(Mux(self.clear, 0, Mux(phase, old.data & ~mask, old.data | mask))),
        ]
        m.d.sync += [
            at.eq(self.word),
            self.data.eq((get.data ^ self.phase.replicate(bits))
                         | Mux(at == words - 1, beyond, 0)),
            setting.eq(self.set),
            phase.eq(self.phase),
            set_at.eq(self.set_word),
            bit.eq(self.set_bit),
        ]
        return m
