"""The test kit: initiators, memories and checkers for Amaranth's simulator.

Each part stands alone, for testbenches of one's own; :class:`Bench` joins them all around the unit.
"""

from .axi4_burst import Transaction, read_burst, write_burst
from .axi4_lite import LiteRegisterPort
from .axi4_manager import Manager
from .axi4_matching import Axi4Matcher
from .axi4_memory import Axi4Memory
from .axi4_protocol import Axi4Checker
from .contract import ContractChecker, SnapshotRecord
from .dma import DmaDevice, DmaDriver, Ring, packet
from .dram import Axi4Dram, DramTarget
from .harness import Bench
from .memory import Entry, MemoryTarget, errors_at
from .protocol import ProtocolChecker
from .violation import Violation, report
from .wishbone import Access, Initiator, RegisterPort, burst, read, write

__all__ = [
    "Access", "Axi4Checker", "Axi4Dram", "Axi4Matcher", "Axi4Memory", "Bench", "ContractChecker",
    "DmaDevice", "DmaDriver", "DramTarget", "Entry", "Initiator", "LiteRegisterPort", "Manager",
    "MemoryTarget", "ProtocolChecker", "RegisterPort", "Ring", "SnapshotRecord", "Transaction",
    "Violation", "burst", "errors_at", "packet", "read", "read_burst", "report", "write",
    "write_burst",
]
