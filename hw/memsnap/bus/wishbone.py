"""Wishbone B4: the Signature, in the member names of amaranth-soc."""

from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["CycleType", "BurstTypeExt", "Signature"]


class CycleType(enum.Enum, shape=3):
    """Cycle type identifier (B4 section 4.2.1)."""

    CLASSIC = 0b000
    CONST_BURST = 0b001
    INCR_BURST = 0b010
    END_OF_BURST = 0b111


class BurstTypeExt(enum.Enum, shape=2):
    """Burst type extension (B4 section 4.2.2)."""

    LINEAR = 0b00
    WRAP_4 = 0b01
    WRAP_8 = 0b10
    WRAP_16 = 0b11


class Signature(wiring.Signature):
    """A Wishbone B4 bus with byte granularity, seen from the initiator.

    ``err`` is always present. ``stall`` is present in the pipelined form, and only there.

    Parameters
    ----------
    addr_width : int
        Width of ``adr``, which counts words of ``data_width`` bits.
    data_width : int
        8, 16, 32 or 64 bits.
    pipelined : bool
        The pipelined form (B4 section 3.1.3), with ``stall``.
    features : iterable of str
        Of ``rty``, ``lock``, ``cti``, ``bte``.

    Members
    -------
    cyc, stb, we : ``Out(1)``
    adr : ``Out(addr_width)``
    dat_w : ``Out(data_width)``
    sel : ``Out(data_width // 8)``
    dat_r : ``In(data_width)``
    ack, err : ``In(1)``
    stall, rty : ``In(1)``
    lock : ``Out(1)``
    cti : ``Out(CycleType)``
    bte : ``Out(BurstTypeExt)``
    """

    def __init__(self, *, addr_width, data_width, pipelined=True, features=()):
        self.addr_width = addr_width
        self.data_width = data_width
        self.pipelined = pipelined
        self.features = frozenset(features)
        members = {
            "cyc": Out(1),
            "stb": Out(1),
            "we": Out(1),
            "adr": Out(addr_width),
            "dat_w": Out(data_width),
            "sel": Out(data_width // 8),
            "dat_r": In(data_width),
            "ack": In(1),
            "err": In(1),
        }
        if pipelined:
            members["stall"] = In(1)
        if "rty" in self.features:
            members["rty"] = In(1)
        if "lock" in self.features:
            members["lock"] = Out(1)
        if "cti" in self.features:
            members["cti"] = Out(CycleType)
        if "bte" in self.features:
            members["bte"] = Out(BurstTypeExt)
        super().__init__(members)

    @classmethod
    def of(cls, params):
        """The Signature of a memory port of a unit with these :class:`SnapshotParams`."""
        return cls(addr_width=params.adr_width, data_width=params.data_width,
                   pipelined=params.pipelined, features=params.features)

    @classmethod
    def of_shadow(cls, params):
        """The Signature of the port to a separate shadow: ``rty`` is the one optional signal."""
        return cls(addr_width=params.adr_width, data_width=params.data_width,
                   pipelined=params.pipelined, features=params.features & {"rty"})
