"""What a run has around the unit: faults of memories, the unit's policy, what a run is to show."""

from dataclasses import dataclass

from memsnap.control import Cause, Failure

__all__ = ["EXPECTED", "MEMORIES", "Fault", "policy_registers", "policy_words"]

#: What may be behind the unit: a memory that answers after a fixed time, or LiteDRAM.
MEMORIES = ("ideal", "litedram")

#: What a run may be to show: an exact image, or a failure with a certain cause.
EXPECTED = ("exact", *(cause.name.lower().replace("_", " ") for cause in Cause
                       if cause not in (Cause.NONE, Cause.CANCELLED)))
_OF_POLICY = ("failure", "retries", "hold_io")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What befalls accesses of the unit's copier.

    Attributes
    ----------
    side : str
        ``"memory"``: its reads; ``"shadow"``: its writes.
    block : int or None
        Only those of one block.
    address : int or None
        Only those of the beat that holds this byte of the memory.
    skip : int
        So many accesses are good first.
    times : int
        So many are not then; 0 for all.
    silent : bool
        They are not answered at all, instead of with an error.
    """

    side: str = "shadow"
    block: int | None = None
    address: int | None = None
    skip: int = 0
    times: int = 1
    silent: bool = False

    def __post_init__(self):
        if self.side not in ("memory", "shadow"):
            raise ValueError(f"side must be memory or shadow, not {self.side!r}")

    def bytes_of(self, params):
        """First and last byte address."""
        base = params.memory_base if self.side == "memory" else params.shadow_base
        if self.address is not None:
            offset = self.address - params.memory_base
            if self.block is not None or not 0 <= offset < params.memory_size:
                raise ValueError(f"the address of a fault must be in the memory, and instead of a "
                                 f"block, not {self.address:#x}")
            first = base + offset - offset % params.beat_bytes
            return first, first + params.beat_bytes - 1
        if self.block is None:
            return base, base + params.memory_size - 1
        if not 0 <= self.block < params.blocks:
            raise ValueError(f"the block of a fault must be 0 to {params.blocks - 1}, not "
                             f"{self.block!r}")
        first = base + self.block * params.block_size
        return first, first + params.block_size - 1


def policy_registers(policy):
    """The unit's registers for a policy, as values by name; those of POLICY as fields of it."""
    registers = {name.upper(): value for name, value in policy.items() if name not in _OF_POLICY}
    fields = {name: value for name, value in policy.items() if name in _OF_POLICY}
    if "failure" in fields:
        fields["failure"] = Failure[fields["failure"].upper()].value
    return registers | ({"POLICY": {name: int(value) for name, value in fields.items()}}
                        if fields else {})


def policy_words(registers):
    """What is to happen to a copy that fails, in words; empty where the registers do not tell."""
    fields = registers.get("POLICY", {})
    if not fields.keys() & {"failure", "retries"}:
        return ""
    retries = fields.get("retries", 0)
    repeat = f"repeat it up to {retries} times, then " if retries > 1 else (
        "repeat it once, then " if retries else "")
    last = ("answer the write that waits for it with a bus error"
            if fields.get("failure") == Failure.FAIL_WRITE.value else "give up the snapshot")
    return repeat + last
