"""memsnap: an exact image of memory at one clock edge, while the system goes on running."""

from .params import Release, SnapshotParams
from .unit import SnapshotUnit

__all__ = ["Release", "SnapshotParams", "SnapshotUnit"]
