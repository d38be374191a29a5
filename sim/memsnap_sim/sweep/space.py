"""The points of a sweep: every combination of the values that are to be tried."""

from dataclasses import dataclass
from difflib import get_close_matches
from itertools import product

from memsnap import SnapshotParams

from ..config import build_params
from ..config_tables import TABLES, parse_size
from ..errors import InputError

__all__ = ["EXTRA", "SURROUNDINGS", "Point", "parse_vary", "points"]

#: What can be varied beside the fields of SnapshotParams: for each name its least value, its
#: default, and what it is.
EXTRA = {
    "latency": (1, 4, "clocks from an accepted read to its data"),
    "shadow_latency": (1, None, "the same of a separate shadow, by default as the memory"),
    "initial": (0, 0, "bytes from the start of the memory that are copied first"),
}

#: What is not the unit's to choose.
SURROUNDINGS = ("latency", "shadow_latency")


@dataclass(frozen=True)
class Point:
    """One combination: what was varied, and what comes of it.

    Attributes
    ----------
    values : dict
        The varied names and this point's values.
    params : SnapshotParams or None
        None where the values do not fit together, and ``problem`` says why.
    latency, shadow_latency, initial : int
    """

    values: dict
    params: SnapshotParams | None = None
    problem: str = ""
    latency: int = 4
    shadow_latency: int = 4
    initial: int = 0

    @property
    def name(self):
        """The values in a few words."""
        return _named(self.values)

    @property
    def unit(self):
        """The same without what is not the unit's to choose."""
        return _named({name: value for name, value in self.values.items()
                       if name not in SURROUNDINGS})


def _named(values):
    words = [f"{name}={getattr(value, 'value', value)}" for name, value in values.items()]
    return ", ".join(words) or "the unit as it is"


def parse_vary(text):
    """``"block_size=64,256,4K"`` as the name and its list of values.

    Raises
    ------
    InputError
        There is no such name, or a value is not what it asks for.
    """
    name, sign, values = text.partition("=")
    name = name.strip().replace("-", "_")
    if not sign or not values.strip():
        raise InputError(f"{text!r} must be NAME=VALUE,VALUE,…, such as block_size=64,256,4K")
    if name in ("memory_size", "memory_base", "shadow_base"):
        raise InputError(f"{name} cannot be varied: it follows from the accesses")
    if name in EXTRA:
        least = EXTRA[name][0]
        values = [_number(name, each, least) for each in values.split(",")]
    elif name in TABLES["unit"]:
        values = [_read(TABLES["unit"][name], each.strip()) for each in values.split(",")]
    else:
        known = [*TABLES["unit"], *EXTRA]
        near = get_close_matches(name, known, 1)
        raise InputError(f"{name!r} cannot be varied: " + (
            f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"))
    if len(set(values)) != len(values):
        raise InputError(f"{text!r} names a value twice")
    return name, values


def _read(key, text):
    if key.kind == "flag":
        if text not in ("true", "false"):
            raise InputError(f"{key.name} must be true or false, not {text!r}")
        return text == "true"
    if key.kind == "list":
        raise InputError(f"{key.name} cannot be varied: set it in a configuration file")
    return key.read(text)


def _number(name, text, least):
    try:
        value = parse_size(text)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    if value < least:
        raise InputError(f"{name} must be at least {least}, not {value}")
    return value


def points(vary, *, memory_bytes, unit=(), latency=4, shadow_latency=None, initial=0):
    """All points, in the order in which the values are given.

    The memory holds all that is accessed, and as much more as the largest block asks for.

    Parameters
    ----------
    vary : list of (str, list)
        What :func:`parse_vary` gives.
    memory_bytes : int
        How much is accessed, from address 0 on.
    unit : dict
        Fields of SnapshotParams that stay as they are.
    latency, shadow_latency, initial : int
        See :data:`EXTRA`; what is varied comes before these.

    Raises
    ------
    InputError
        No combination fits together.
    """
    names = [name for name, _ in vary]
    if len(set(names)) != len(names):
        raise InputError(f"{max(names, key=names.count)} is varied twice; give all its values once")
    unit = dict(unit)
    blocks = [value for name, values in vary if name == "block_size" for value in values]
    largest = max([*blocks, unit.get("block_size", SnapshotParams.block_size)])
    unit["memory_size"] = -(-max(memory_bytes, 1) // largest) * largest
    unit["memory_base"] = 0
    # The memory and a shadow behind it, each rounded up to a power of two
    need = (unit["memory_size"] - 1).bit_length() + 1
    unit["addr_width"] = max(unit.get("addr_width", SnapshotParams.addr_width), need)
    extra = {"latency": latency, "shadow_latency": shadow_latency, "initial": initial}
    found = [_point(dict(zip(names, values, strict=True)), unit, extra)
             for values in product(*(values for _, values in vary))]
    if not any(point.params for point in found):
        raise InputError(f"no combination fits together; {found[0].name}: {found[0].problem}")
    return found


def _point(values, unit, extra):
    extra = extra | {name: value for name, value in values.items() if name in EXTRA}
    unit = unit | {name: value for name, value in values.items() if name not in EXTRA}
    extra["shadow_latency"] = extra["shadow_latency"] or extra["latency"]
    try:
        params = build_params(unit)
        if extra["initial"] > params.memory_size:
            raise InputError(f"initial must be at most the memory's {params.memory_size} bytes, "
                             f"not {extra['initial']}")
    except InputError as error:
        return Point(values, None, str(error), **extra)
    return Point(values, params, **extra)
