"""The system's bus: two initiators, three targets, one access at a time."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from memsnap.bus import wishbone

__all__ = ["DEVICES", "REGISTERS", "SIGNATURE", "Interconnect"]

#: Classic, 32 bits wide; an address counts words.
SIGNATURE = wishbone.Signature(addr_width=30, data_width=32, pipelined=False)

#: Where the devices and the unit's registers begin; the memory is at 0.
DEVICES, REGISTERS = 0x1000_0000, 0x2000_0000


class Interconnect(wiring.Component):
    """Passes the accesses of a host and of a CPU on, those of the host first.

    The upper four bits of an address choose the target. An access to where there is none, or
    beyond the memory, is answered with an error one clock later. An access takes as long as its
    target takes.

    Parameters
    ----------
    memory_size : int
        Bytes of the memory, a power of two.

    Members
    -------
    host, cpu : ``In(SIGNATURE)``
        Each holds its request until the answer.
    memory, devices, registers : ``Out(SIGNATURE)``
    by_cpu : ``Out(1)``
        The access that is passed on is the CPU's.
    """

    def __init__(self, memory_size):
        self._memory_words = memory_size // 4
        super().__init__({
            "host": In(SIGNATURE), "cpu": In(SIGNATURE),
            "memory": Out(SIGNATURE), "devices": Out(SIGNATURE), "registers": Out(SIGNATURE),
            "by_cpu": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        host, cpu, by_cpu = self.host, self.cpu, self.by_cpu
        was_cpu, under_way = Signal(), Signal()
        request, answered, stray = Signal(), Signal(), Signal()
        address, select = Signal(30), Signal(4)
        m.d.comb += [
            by_cpu.eq(Mux(under_way, was_cpu, ~host.cyc)),
            request.eq(Mux(by_cpu, cpu.cyc & cpu.stb, host.cyc & host.stb)),
            address.eq(Mux(by_cpu, cpu.adr, host.adr)),
            select.eq(address[26:]),
        ]
        m.d.sync += [was_cpu.eq(by_cpu), under_way.eq(request & ~answered)]

        chosen = {
            "memory": address < self._memory_words,
            "devices": select == DEVICES >> 28,
            "registers": select == REGISTERS >> 28,
        }
        m.d.sync += stray.eq(request & ~stray)
        ack, err, data = 0, stray, 0
        for name, here in chosen.items():
            target, choice = getattr(self, name), Signal(name=f"is_{name}")
            m.d.comb += [
                choice.eq(here),
                target.cyc.eq(request & choice),
                target.stb.eq(request & choice),
                target.we.eq(Mux(by_cpu, cpu.we, host.we)),
                target.adr.eq(address),
                target.dat_w.eq(Mux(by_cpu, cpu.dat_w, host.dat_w)),
                target.sel.eq(Mux(by_cpu, cpu.sel, host.sel)),
            ]
            with m.If(choice):
                m.d.sync += stray.eq(0)
            ack, err = ack | choice & target.ack, err | choice & target.err
            data = Mux(choice, target.dat_r, data)
        m.d.comb += answered.eq(ack | err)
        for initiator, its in (host, ~by_cpu), (cpu, by_cpu):
            m.d.comb += [initiator.ack.eq(ack & its), initiator.err.eq(err & its),
                         initiator.dat_r.eq(data)]
        return m
