"""From bytes of a serial line to accesses of a bus, and back: the board's side of ``frames``."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import crc, stream, wiring
from amaranth.lib.crc.catalog import CRC16_IBM_3740
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from memsnap.bus import wishbone

from .frames import ANSWER, MOST_WORDS, REQUEST

__all__ = ["TICKS", "Bridge"]

#: Ticks without a byte after which a request is given up.
TICKS = 6
#: Bytes of a request's head after the first one: without its CRC, and with it.
_HEAD, _CHECKED_HEAD = 6, 8


class Bridge(wiring.Component):
    """Carries out the requests of :mod:`.frames`, one after the other.

    Bytes that come while one is carried out are lost. Data to write is kept in a RAM until its CRC
    is known to be right. A word takes three clocks and what the bus takes.

    Members
    -------
    byte, valid : ``In(8)``, ``In(1)``
        What was received: see :class:`.uart.UartReceiver`. There is a clock at least between two
        bytes.
    bytes : ``Out(stream.Signature(8))``
        What is sent.
    bus : ``Out(wishbone.Signature)``
        Classic, 32 bits wide, addresses of 30 bits.
    tick : ``In(1)``
        High for a clock now and then: a request that gets no byte for :data:`TICKS` of these is
        given up.
    """

    def __init__(self):
        super().__init__({
            "byte": In(8), "valid": In(1),
            "bytes": Out(stream.Signature(8)),
            "bus": Out(wishbone.Signature(addr_width=30, data_width=32, pipelined=False)),
            "tick": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        # No word is read in the clock in which it is written. Synthesis does not see that, and
        # spends a hundred cells on the case, unless it is told
        m.submodules.buffer = buffer = Memory(shape=32, depth=MOST_WORDS, init=[],
                                              attrs={"no_rw_check": 1})
        m.submodules.crc = self._crc = crc.Parameters(CRC16_IBM_3740, data_width=8).create()
        self._stored, kept = buffer.write_port(), buffer.read_port(domain="comb")
        word = Signal(32, reset_less=True)      # of the RAM, a clock late

        head = Signal(8 * _HEAD)        # comes in at the top
        self._tag, self._address, self._last = head[:8], head[10:40], head[40:]
        self._word = Signal(8)          # of the request
        self._position = Signal(8)      # of this word in its 1024 bytes
        self._count = Signal(4)         # bytes done of the head, of a word, or of a CRC
        self._data = Signal(32)
        self._failed = Signal()         # an access was answered with an error
        self._head = head
        m.d.comb += [
            self.bus.adr.eq(Cat(self._position, self._address[8:])),
            self.bus.dat_w.eq(word),
            self.bus.sel.eq(0xf),
            self.bus.we.eq(self._tag[0]),
            self.bus.stb.eq(self.bus.cyc),
            self._stored.addr.eq(self._word),
            self._stored.data.eq(Cat(self._data[8:], self.byte)),
            kept.addr.eq(self._word),
            self._crc.data.eq(self.byte),
            self._crc.valid.eq(self.valid),
        ]
        m.d.sync += word.eq(kept.data)
        self._quiet = Signal(range(TICKS + 1))      # ticks since the last byte
        m.d.sync += self._quiet.eq(self._quiet + self.tick)
        with m.If(self.valid):
            m.d.sync += self._quiet.eq(0)
        with m.FSM():
            self._receive(m)
            self._answer(m)
        return m

    def _receive(self, m):
        """From the first byte of a request to its last, and whether that is right."""
        count, word = self._count, self._word

        def give_up():
            with m.If(self._quiet == TICKS):
                m.next = "quiet"

        with m.State("quiet"):
            m.d.sync += [count.eq(0), word.eq(0), self._failed.eq(0)]
            m.d.comb += self._crc.start.eq(1)
            with m.If(self.valid & (self.byte == REQUEST)):
                m.next = "head"
        with m.State("head"):
            with m.If(self.valid):
                m.d.sync += count.eq(count + 1)
                with m.If(count < _HEAD):
                    m.d.sync += self._head.eq(Cat(self._head[8:], self.byte))
                with m.If(count == _CHECKED_HEAD - 1):
                    m.next = "check head"
            give_up()
        with m.State("check head"):
            m.d.sync += [count.eq(0), self._position.eq(self._address[:8])]
            m.d.comb += self._crc.start.eq(1)
            with m.If(~self._crc.match_detected):
                m.next = "quiet"
            with m.Elif(self._tag[0]):
                m.next = "data"
            with m.Else():
                m.next = "answer"
        with m.State("data"):
            with m.If(self.valid):
                m.d.sync += [count.eq(count + 1), self._data.eq(self._stored.data)]
                with m.If(count == 3):
                    m.d.comb += self._stored.en.eq(1)
                    m.d.sync += [count.eq(0), word.eq(word + 1)]
                    with m.If(word == self._last):
                        m.next = "data's CRC"
            give_up()
        with m.State("data's CRC"):
            m.d.sync += word.eq(0)
            with m.If(self.valid):
                m.d.sync += count.eq(count + 1)
                with m.If(count == 1):
                    m.next = "check data"
            give_up()
        with m.State("check data"):
            m.d.sync += count.eq(0)
            m.d.comb += self._crc.start.eq(1)
            m.next = "answer"
            with m.If(~self._crc.match_detected):
                m.next = "quiet"

    def _answer(self, m):
        """The accesses, and the answer's bytes before and after them."""
        count, word, bus = self._count, self._word, self.bus
        sent = Signal()
        m.d.comb += sent.eq(self.bytes.valid & self.bytes.ready)

        def send(byte):
            m.d.comb += [self.bytes.valid.eq(1), self.bytes.payload.eq(byte),
                         self._crc.data.eq(byte), self._crc.valid.eq(sent)]
            return m.If(sent)

        def next_word():
            m.d.sync += [count.eq(0), word.eq(word + 1), self._position.eq(self._position + 1)]
            m.next = "fetch"
            with m.If(word == self._last):
                m.next = "status"

        with m.State("answer"):
            with send(Const(ANSWER, 8)):
                m.next = "tag"
        with m.State("tag"):
            with send(self._tag):
                m.next = "fetch"
        with m.State("fetch"):
            m.d.comb += self._crc.valid.eq(0)
            m.next = "access"
        with m.State("access"):
            m.d.comb += [self._crc.valid.eq(0), bus.cyc.eq(~self._failed)]
            with m.If(self._failed | bus.ack | bus.err):
                m.d.sync += [self._failed.eq(self._failed | bus.err), self._data.eq(bus.dat_r)]
                with m.If(self._tag[0]):
                    next_word()
                with m.Else():
                    m.next = "word"
        with m.State("word"):
            with send(self._data[:8]):
                m.d.sync += [self._data.eq(self._data[8:]), count.eq(count + 1)]
                with m.If(count == 3):
                    next_word()
        with m.State("status"):
            with send(self._failed):
                m.next = "crc high"
        for half, after in ("high", "crc low"), ("low", "quiet"):
            with m.State(f"crc {half}"):
                with send(self._crc.crc[8:] if half == "high" else self._crc.crc[:8]):
                    m.d.comb += self._crc.valid.eq(0)
                    m.next = after
