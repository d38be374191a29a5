"""The test kit: initiators, memories and checkers for Amaranth's simulator.

Each part stands alone, for testbenches of one's own; :class:`Bench` joins them all around the unit.
"""

from .contract import ContractChecker, SnapshotRecord
from .dma import DmaDevice, DmaDriver, Ring, packet
from .harness import Bench
from .memory import Entry, MemoryTarget, errors_at
from .protocol import ProtocolChecker
from .violation import Violation, report
from .wishbone import Access, Initiator, RegisterPort, burst, read, write

__all__ = [
    "Access", "Bench", "ContractChecker", "DmaDevice", "DmaDriver", "Entry", "Initiator",
    "MemoryTarget", "ProtocolChecker", "RegisterPort", "Ring", "SnapshotRecord", "Violation",
    "burst", "errors_at", "packet", "read", "report", "write",
]
