"""AXI4-Lite manager for coroutines of a testbench: one read and one write at a time."""

from memsnap.bus.axi4 import Response

from .pauses import never

__all__ = ["LiteRegisterPort"]


class LiteRegisterPort:
    """Reads and writes 32-bit registers over AXI4-Lite.

    For coroutines of a testbench: ``await port.write(ctx, 0x10, 1)``. Addresses are in bytes. A
    read and a write may go on at once, in two testbenches. Nothing is offered before a clock
    without reset has passed, as the standard wants it (A3.1.2).

    Parameters
    ----------
    bus : AXI4-Lite interface
    patience : int
        Clocks after which a register that does not answer is an error.
    lead : callable
        Asked for each write: 0 offers address and data in one clock, a positive number the data
        that many clocks after the address, a negative one before it.
    stall : callable
        Asked for each answer: clocks that ``bready`` or ``rready`` stays low at first.

    Raises
    ------
    PermissionError
        The register was answered with SLVERR or DECERR.
    TimeoutError
        It was not answered.
    """

    def __init__(self, bus, *, patience=1000, lead=never, stall=never):
        self.bus = bus
        self.patience = patience
        self.lead = lead
        self.stall = stall

    async def read(self, ctx, address):
        """The register's value."""
        self._check(address)
        bus = self.bus
        return await self._transfer(ctx, {"ar": (0, {"araddr": address})},
                                    (bus.rvalid, bus.rready, bus.rresp, bus.rdata), address)

    async def write(self, ctx, address, value, sel=0xf):
        """Returns right after the edge that ends the clock of the answer."""
        self._check(address)
        bus = self.bus
        lead = self.lead()
        offers = {"aw": (max(0, -lead), {"awaddr": address}),
                  "w": (max(0, lead), {"wdata": value, "wstrb": sel})}
        await self._transfer(ctx, offers, (bus.bvalid, bus.bready, bus.bresp, bus.bresp),
                             address)

    @staticmethod
    def _check(address):
        if address % 4:
            raise ValueError(f"address must be a multiple of 4, not {address:#x}")

    async def _transfer(self, ctx, offers, answer, address):
        """Offers on each channel after its clocks, until taken; then awaits the answer."""
        bus = self.bus
        valid, ready, response, data = answer
        stall = self.stall()
        names = list(offers)
        taken = [getattr(bus, each + "ready") for each in names]
        waiting, offered = set(names), set()
        _, rst = await ctx.tick()
        if rst:
            raise ConnectionResetError(f"register {address:#x} was interrupted by reset")
        try:
            for clock in range(self.patience):
                for each in waiting - offered:
                    delay, payload = offers[each]
                    if clock >= delay:
                        offered.add(each)
                        for member, value in payload.items():
                            ctx.set(getattr(bus, member), value)
                        ctx.set(getattr(bus, each + "valid"), 1)
                is_ready = not waiting and stall <= 0
                ctx.set(ready, is_ready)
                _, rst, answered, resp, value, *accepted = await ctx.tick().sample(
                    valid, response, data, *taken)
                if rst:
                    raise ConnectionResetError(f"register {address:#x} was interrupted by reset")
                for each, was_taken in zip(names, accepted, strict=True):
                    if each in offered & waiting and was_taken:
                        waiting.discard(each)
                        ctx.set(getattr(bus, each + "valid"), 0)
                if answered and is_ready:
                    if Response(resp) in (Response.SLVERR, Response.DECERR):
                        raise PermissionError(f"register {address:#x} was answered with "
                                              f"{Response(resp).name}")
                    return value
                stall -= not waiting
        finally:
            ctx.set(ready, 0)
            for each in names:
                ctx.set(getattr(bus, each + "valid"), 0)
        raise TimeoutError(f"register {address:#x} gave no answer in {self.patience} clocks")
