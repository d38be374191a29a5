"""What a bench puts around a unit, on each bus: initiators, memories, checkers, registers."""

from dataclasses import dataclass, field

from memsnap.params import Shadow

from .axi4_lite import LiteRegisterPort
from .axi4_manager import Manager
from .axi4_matching import Axi4Matcher
from .axi4_memory import Axi4Memory
from .axi4_protocol import Axi4Checker
from .matching import WishboneMatcher
from .memory import MemoryTarget
from .protocol import ProtocolChecker
from .wishbone import Initiator, RegisterPort

__all__ = ["Surroundings", "attach", "register_port", "upstream_ports"]


@dataclass
class Surroundings:
    """The parts around a unit's data buses."""

    initiators: list
    memory: object
    shadow: object = None           # the memory of a separate shadow
    upstream: list = field(default_factory=list)       # checkers of initiators' and register ports
    downstream: list = field(default_factory=list)     # and of the memories'
    processes: list = field(default_factory=list)
    matcher: object = None
    can_give_up: bool = False       # initiators may withdraw a request
    owes: bool = False              # what the unit asked of a memory that fell silent still comes


def upstream_ports(unit, params):
    """The names of the initiators' ports, ``s_wb`` or ``s0_axi`` and so on."""
    suffix = "axi" if hasattr(unit, "m_axi") else "wb"
    if params.ports == 1:
        return [f"s_{suffix}"]
    return [f"s{port}_{suffix}" for port in range(params.ports)]


def register_port(unit, **options):
    """What reads and writes the unit's registers."""
    if hasattr(unit, "csr_axil"):
        return LiteRegisterPort(unit.csr_axil, **options)
    return RegisterPort(unit.csr_wb, **options)


def attach(unit, params, initial, traffics, **options):
    """The surroundings of a unit, on whatever bus it is.

    Parameters
    ----------
    unit : Component
    params : SnapshotParams
    initial : bytes
        What the memory holds at first.
    traffics : list of iterable
        Of each port; those that are missing are idle.
    options
        See :func:`_wishbone` and :func:`_axi4`.
    """
    names = upstream_ports(unit, params)
    traffics = [*traffics, *[()] * len(names)][:len(names)]
    build = _axi4 if hasattr(unit, "m_axi") else _wishbone
    parts = build(unit, params, initial, dict(zip(names, traffics, strict=True)), **options)
    if hasattr(unit, "csr_axil"):
        parts.upstream.append(Axi4Checker(unit.csr_axil, name="csr_axil"))
        parts.processes.append(parts.upstream[-1])
    return parts


def _shadow_image(params):
    return bytes(params.shadow_base + params.memory_size)


def _wishbone(unit, params, initial, traffics, *, max_in_flight, memory, manager, shadow):
    """``memory`` and ``shadow``: options of :class:`MemoryTarget`."""
    parts = Surroundings(
        [Initiator(getattr(unit, name), traffic, max_in_flight=max_in_flight, **manager)
         for name, traffic in traffics.items()],
        MemoryTarget(unit.m_wb, initial, **memory), matcher=WishboneMatcher(), can_give_up=True,
        upstream=[ProtocolChecker(getattr(unit, name), name=name) for name in traffics],
        downstream=[ProtocolChecker(unit.m_wb, name="m_wb")])
    parts.memory.listener = parts.downstream[0].sample
    parts.processes = [*parts.initiators, *parts.upstream, parts.memory]
    if params.shadow is Shadow.SEPARATE:
        parts.shadow = MemoryTarget(unit.x_wb, _shadow_image(params), **shadow)
        parts.downstream.append(ProtocolChecker(unit.x_wb, name="x_wb"))
        parts.shadow.listener = parts.downstream[1].sample
        parts.processes.append(parts.shadow)
    return parts


def _axi4(unit, params, initial, traffics, *, max_in_flight, memory, manager, shadow):
    """``memory`` and ``shadow``: options of :class:`Axi4Memory`; ``manager``: of all managers,
    or a list with those of each."""
    each = manager if isinstance(manager, list) else [manager] * len(traffics)
    names = ["m_axi"] + ["c_axi"] * hasattr(unit, "c_axi")
    parts = Surroundings(
        [Manager(getattr(unit, name), traffic, max_in_flight=max_in_flight, **options)
         for (name, traffic), options in zip(traffics.items(), each, strict=True)],
        Axi4Memory([getattr(unit, name) for name in names], initial, **memory), owes=True,
        upstream=[Axi4Checker(getattr(unit, name), name=name) for name in traffics],
        downstream=[Axi4Checker(getattr(unit, name), name=name, strict=True) for name in names])
    parts.memory.listeners = [checker.sample for checker in parts.downstream]
    for initiator, checker in zip(parts.initiators, parts.upstream, strict=True):
        initiator.listener = checker.sample
    parts.processes = [*parts.initiators, parts.memory]
    if params.shadow is Shadow.SEPARATE:
        parts.shadow = Axi4Memory(unit.x_axi, _shadow_image(params), **shadow)
        parts.downstream.append(Axi4Checker(unit.x_axi, name="x_axi", strict=True))
        parts.shadow.listener = parts.downstream[-1].sample
        parts.processes.append(parts.shadow)
    id_width = len(getattr(unit, next(iter(traffics))).awid)

    def source(transaction):
        """The upper bits of an id at the memory tell the port; the copier comes after the last."""
        port = transaction.id >> id_width
        return port if transaction.port == 0 and port < len(traffics) else None
    parts.matcher = Axi4Matcher(parts.memory.transactions, source, id_width=id_width)
    return parts
