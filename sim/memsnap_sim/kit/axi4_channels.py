"""The channels of an AXI4 or AXI4-Lite bus, as simulator processes handle them."""

from types import SimpleNamespace

from amaranth.hdl import Cat, Signal, Value
from memsnap.bus.axi4 import Burst

__all__ = ["CHANNELS", "Channel", "Driver", "Sampled", "channels_of", "join_samples"]

#: In the order of an interface: the first three go to the target, the others come from it.
CHANNELS = ("aw", "w", "b", "ar", "r")

_ADDRESS = {"id": 0, "addr": 0, "len": 0, "size": 2, "burst": Burst.INCR.value, "lock": 0,
            "cache": 0, "prot": 0, "qos": 0, "region": 0, "user": 0}
#: What members mean that a bus does not have (those of AXI4-Lite, and ``user``).
_DEFAULTS = {
    "aw": _ADDRESS,
    "w": {"data": 0, "strb": 0, "last": 1, "user": 0},
    "b": {"id": 0, "resp": 0, "user": 0},
    "ar": _ADDRESS,
    "r": {"id": 0, "data": 0, "resp": 0, "last": 1, "user": 0},
}


class Channel:
    """One channel of a bus: its ``valid``, its ``ready``, and its payload by name."""

    def __init__(self, bus, name):
        self.name = name
        self.valid = getattr(bus, name + "valid")
        self.ready = getattr(bus, name + "ready")
        self.names = [member for member in _DEFAULTS[name] if hasattr(bus, name + member)]
        self.payload = [Value.cast(getattr(bus, name + member)) for member in self.names]

    def decode(self, values):
        """A sampled payload, with an attribute for each member."""
        return SimpleNamespace(**{**_DEFAULTS[self.name],
                                  **dict(zip(self.names, values, strict=True))})


def channels_of(bus):
    """The five channels of a bus by name."""
    return {name: Channel(bus, name) for name in CHANNELS}


class Sampled:
    """Signals that a process samples together.

    The simulator takes a long time for each value that a process asks for; a module around the
    process can :meth:`join` them all in one.

    Attributes
    ----------
    signals : list of Value
        What to sample; :meth:`split` makes of what was sampled a list of the values in order.
    """

    def __init__(self, signals):
        self.signals = [Value.cast(signal) for signal in signals]
        self._fields = None

    def join(self, m, name):
        """Makes one signal of all, in a module that is simulated."""
        joined = Signal(sum(map(len, self.signals)), name=name)
        m.d.comb += joined.eq(Cat(self.signals))
        at, self._fields = 0, []
        for signal in self.signals:
            self._fields.append((at, (1 << len(signal)) - 1))
            at += len(signal)
        self.signals = [joined]

    def split(self, values):
        """The values of the signals."""
        if self._fields is None:
            return values
        value, = values
        return [value >> at & mask for at, mask in self._fields]


def join_samples(m, parts):
    """Joins in ``m`` what each of these parts samples, of those that have it as ``sampled``."""
    for index, each in enumerate(parts):
        if hasattr(each, "sampled"):
            each.sampled.join(m, f"sampled{index}")


class Driver:
    """Drives one direction of one channel right after the edge; remembers what it drives.

    A payload holds until it is taken. ``values`` is what is driven now, as a sample of the channel
    would show it.
    """

    def __init__(self, channel):
        self.channel = channel
        self.valid = 0
        self.ready = 0
        self.values = [0] * len(channel.names)

    def offer(self, ctx, **payload):
        """Makes the channel valid, with this payload."""
        for index, name in enumerate(self.channel.names):
            value = payload.get(name, 0)
            if value != self.values[index]:
                self.values[index] = value
                ctx.set(self.channel.payload[index], value)
        if not self.valid:
            self.valid = 1
            ctx.set(self.channel.valid, 1)

    def withdraw(self, ctx):
        """Makes the channel not valid."""
        if self.valid:
            self.valid = 0
            ctx.set(self.channel.valid, 0)

    def set_ready(self, ctx, ready):
        """Says whether a transfer would be taken."""
        if ready != self.ready:
            self.ready = ready
            ctx.set(self.channel.ready, ready)
