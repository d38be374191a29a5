"""Memories on a board's FPGA, on pipelined Wishbone: an answer in each clock, one clock late."""

from amaranth.hdl import Cat, ClockSignal, Instance, Module, Mux, Signal
from amaranth.lib import enum, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In
from amaranth.utils import exact_log2

__all__ = ["BlockMemory", "MemoryKind", "SpramMemory"]


class MemoryKind(enum.Enum):
    """Where memory and shadow are: in block RAM, in the SPRAM of iCE40UP, or in an SDRAM."""

    BLOCK_RAM = "bram"
    SPRAM = "spram"
    SDRAM = "sdram"


class _OnChip(wiring.Component):
    """Answers each request in the clock after it, with an error if it is beyond the memory.

    Parameters
    ----------
    size : int
        Bytes, a power of two.
    signature : wishbone.Signature
        Pipelined, 32 bits wide.

    Members
    -------
    bus : ``In(signature)``
    """

    def __init__(self, size, signature):
        self._depth = size // 4
        super().__init__({"bus": In(signature)})

    def elaborate(self, platform):
        m = Module()
        bus = self.bus
        request, inside = Signal(), Signal()
        m.d.comb += [
            bus.stall.eq(0),
            inside.eq(bus.adr[exact_log2(self._depth):] == 0),
            request.eq(bus.cyc & bus.stb),
        ]
        m.d.sync += [bus.ack.eq(request & inside), bus.err.eq(request & ~inside)]
        self._store(m, bus.adr[:exact_log2(self._depth)], request & inside)
        return m


class BlockMemory(_OnChip):
    """In block RAM."""

    def _store(self, m, address, enable):
        m.submodules.ram = ram = Memory(shape=32, depth=self._depth, init=[])
        write, read = ram.write_port(granularity=8), ram.read_port()
        m.d.comb += [
            write.addr.eq(address),
            write.data.eq(self.bus.dat_w),
            write.en.eq(self.bus.sel & (enable & self.bus.we).replicate(4)),
            read.addr.eq(address),
            read.en.eq(enable & ~self.bus.we),
            self.bus.dat_r.eq(read.data),
        ]


#: Words of 16 bits that one SPRAM of iCE40UP holds, and how many of these there are.
_SPRAM_WORDS, _SPRAMS = 1 << 14, 4


class SpramMemory(_OnChip):
    """In the single-port RAMs of iCE40UP: 64 or 128 KiB, without content after power-up."""

    def __init__(self, size, signature):
        if size not in (1 << 16, 1 << 17):
            raise ValueError(f"size must be 0x10000 or 0x20000 bytes in SPRAM, not {size:#x}")
        super().__init__(size, signature)

    def _store(self, m, address, enable):
        bus = self.bus
        banks = self._depth // _SPRAM_WORDS
        words = []
        for bank in range(banks):
            here = enable & (address[14:] == bank) if banks > 1 else enable
            halves = []
            for half in range(2):
                halves.append(read := Signal(16, name=f"read_{bank}_{half}"))
                lanes = bus.sel[2 * half:2 * half + 2]
                m.submodules[f"spram_{bank}_{half}"] = Instance(
                    "SB_SPRAM256KA",
                    i_CLOCK=ClockSignal(), i_ADDRESS=address[:14],
                    i_DATAIN=bus.dat_w[16 * half:16 * half + 16],
                    i_MASKWREN=Cat(lane.replicate(2) for lane in lanes),
                    i_WREN=bus.we, i_CHIPSELECT=here,
                    i_STANDBY=0, i_SLEEP=0, i_POWEROFF=1, o_DATAOUT=read)
            words.append(Cat(halves))
        if banks == 1:
            m.d.comb += bus.dat_r.eq(words[0])
        else:
            upper = Signal()
            m.d.sync += upper.eq(address[14])
            m.d.comb += bus.dat_r.eq(Mux(upper, words[1], words[0]))
