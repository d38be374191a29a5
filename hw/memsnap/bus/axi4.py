"""AXI4 and AXI4-Lite: the Signatures, in the lower-case names of AMBA (IHI 0022, parts A and B)."""

from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

__all__ = ["Burst", "LiteSignature", "Response", "Signature"]


class Burst(enum.Enum, shape=2):
    """How a burst's addresses go on (A3.4.1)."""

    FIXED = 0b00
    INCR = 0b01
    WRAP = 0b10


class Response(enum.Enum, shape=2):
    """Of a transfer (A3.4.4)."""

    OKAY = 0b00
    EXOKAY = 0b01
    SLVERR = 0b10
    DECERR = 0b11


class Signature(wiring.Signature):
    """An AXI4 interface, seen from the manager.

    Parameters
    ----------
    addr_width : int
        Bits of a byte address, 1 to 64.
    data_width : int
        8 to 1024 bits, a power of two.
    id_width : int
        Bits of ``awid``, ``bid``, ``arid`` and ``rid``, at least 1.
    user_width : int
        Bits of ``awuser``, ``wuser``, ``buser``, ``aruser`` and ``ruser``; 0 for none of these.

    Members
    -------
    awid, awaddr, awlen, awsize, awburst, awlock, awcache, awprot, awqos, awregion, awuser, awvalid
        Out; ``awready`` In. The write address channel (A2.2).
    wdata, wstrb, wlast, wuser, wvalid
        Out; ``wready`` In. The write data channel.
    bid, bresp, buser, bvalid
        In; ``bready`` Out. The write response channel.
    arid, araddr, arlen, arsize, arburst, arlock, arcache, arprot, arqos, arregion, aruser, arvalid
        Out; ``arready`` In. The read address channel.
    rid, rdata, rresp, rlast, ruser, rvalid
        In; ``rready`` Out. The read data channel.
    """

    def __init__(self, *, addr_width, data_width, id_width=1, user_width=0):
        self.addr_width = addr_width
        self.data_width = data_width
        self.id_width = id_width
        self.user_width = user_width
        members = {}
        for channel, names in self.channels(addr_width=addr_width, data_width=data_width,
                                            id_width=id_width, user_width=user_width).items():
            forward = Out if channel in {"aw", "w", "ar"} else In
            backward = In if forward is Out else Out
            members |= {channel + name: forward(shape) for name, shape in names.items()}
            members |= {channel + "valid": forward(1), channel + "ready": backward(1)}
        super().__init__(members)

    @classmethod
    def of(cls, params, *, id_width):
        """Of a configuration's data buses."""
        return cls(addr_width=params.addr_width, data_width=params.data_width, id_width=id_width,
                   user_width=params.user_width)

    @staticmethod
    def channels(*, addr_width, data_width, id_width=1, user_width=0):
        """The payload of each channel: for its name, the shape of each member without prefix."""
        exact_log2(data_width)
        address = {"id": id_width, "addr": addr_width, "len": 8, "size": 3, "burst": Burst,
                   "lock": 1, "cache": 4, "prot": 3, "qos": 4, "region": 4}
        user = {"user": user_width} if user_width else {}
        return {
            "aw": {**address, **user},
            "w": {"data": data_width, "strb": data_width // 8, "last": 1, **user},
            "b": {"id": id_width, "resp": Response, **user},
            "ar": {**address, **user},
            "r": {"id": id_width, "data": data_width, "resp": Response, "last": 1, **user},
        }


class LiteSignature(wiring.Signature):
    """An AXI4-Lite interface of 32 bits, seen from the manager (B1.1).

    Parameters
    ----------
    addr_width : int
        Bits of a byte address.

    Members
    -------
    awaddr, awprot, awvalid : Out, ``awready`` : In
    wdata, wstrb, wvalid : Out, ``wready`` : In
    bresp, bvalid : In, ``bready`` : Out
    araddr, arprot, arvalid : Out, ``arready`` : In
    rdata, rresp, rvalid : In, ``rready`` : Out
    """

    def __init__(self, *, addr_width):
        self.addr_width = addr_width
        super().__init__({
            "awaddr": Out(addr_width), "awprot": Out(3), "awvalid": Out(1), "awready": In(1),
            "wdata": Out(32), "wstrb": Out(4), "wvalid": Out(1), "wready": In(1),
            "bresp": In(Response), "bvalid": In(1), "bready": Out(1),
            "araddr": Out(addr_width), "arprot": Out(3), "arvalid": Out(1), "arready": In(1),
            "rdata": In(32), "rresp": In(Response), "rvalid": In(1), "rready": Out(1),
        })
