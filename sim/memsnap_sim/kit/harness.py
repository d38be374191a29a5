"""A bench: the unit between an initiator and a memory, driven by a script, with everything checked.

::

    async def script(bench):
        await bench.until(100)
        await bench.start(regions=[(0, 63)])
        record = await bench.end()

    bench = Bench(params, traffic=[write(0, 1), read(0)], latency=4)
    bench.run(script).check()
"""

from dataclasses import replace

from amaranth.hdl import ClockDomain, Module, Value
from amaranth.lib import data
from amaranth.sim import Simulator
from memsnap.params import Shadow
from memsnap.regs.fields import REGISTERS, State

from ..reference import Snapshot
from .attach import attach, register_port
from .axi4_channels import join_samples
from .contract import ContractChecker, SnapshotRecord
from .memory import merge, words_of
from .pauses import never
from .violation import Violation, report

__all__ = ["Bench"]

_COUNTERS = ("ARMED", "DURATION", "BLOCKS_INITIAL", "BLOCKS_DEMAND", "BLOCKS_BACKGROUND", "HELD",
             "STALL_LONGEST", "STALL_TOTAL")


class Bench:
    """The unit under traffic.

    The memory is as large as the memory and the shadow need, plus ``margin`` bytes that the unit
    does not guard; a separate shadow has a memory of its own. Everything on all ports is checked:
    the bus rules, the contract, and each finished image against the reference model.

    Parameters
    ----------
    params : SnapshotParams
    unit : Component or None
        Anything with the members of a :class:`memsnap.SnapshotUnit`, perhaps without ``trace``. By
        default ``SnapshotUnit(params, trace=True)``.
    traffic : iterable of Access
        Of the first port; on AXI4 an iterable of Transaction.
    others : iterable of iterable of Access
        Of the further ports.
    image : bytes or None
        What the memory holds at first; by default every word is different.
    latency, stall, errors, bursts
        See :class:`MemoryTarget`, and :class:`Axi4Memory`.
    memory : dict
        Further options of the memory.
    shadow : dict
        The options for a separate shadow: ``latency``, ``stall``, ``errors``, ….
    max_in_flight : int
        See :class:`Initiator`, and :class:`Manager`.
    manager : dict or list of dict
        Further options of all initiators; on AXI4 perhaps of each.
    registers : dict
        Options of the register port.
    patience : int
        Clocks after which something that does not end is a violation of C4.
    """

    def __init__(self, params, *, unit=None, traffic=(), others=(), image=None, latency=1,
                 stall=never, errors=None, bursts=False, late=False, memory=None, shadow=None,
                 max_in_flight=16, manager=None, registers=None, margin=64, patience=20_000):
        if unit is None:
            from memsnap.unit import SnapshotUnit
            unit = SnapshotUnit(params, trace=True)
        self.params = params
        self.unit = unit
        self.patience = patience
        separate = params.shadow is Shadow.SEPARATE
        last = params.memory_base if separate else max(params.memory_base, params.shadow_base)
        size = min(last + params.memory_size + margin, 1 << params.addr_width)
        self.initial = image if image is not None else _distinct(size, params.beat_bytes)
        options = {"latency": latency, "stall": stall, "errors": errors, **(memory or {})}
        options |= {name: True for name, value in (("bursts", bursts), ("late", late)) if value}
        self.parts = attach(unit, params, self.initial, [traffic, *others], memory=options,
                            shadow=shadow or {}, max_in_flight=max_in_flight,
                            manager=manager or {})
        self.initiators = self.parts.initiators
        self.initiator = self.initiators[0]
        self.memory = self.parts.memory
        self.shadow = self.parts.shadow
        self.upstream = self.parts.upstream
        self.downstream = self.parts.downstream
        self.registers = register_port(unit, **(registers or {}))
        self.snapshots = []        # of SnapshotRecord, those that were accepted
        self.instants = []         # clocks in which the trace turned active
        self.ends = []             # and the last in which it was
        self.copied = []           # (clock, block, kind) as traced
        self.held = []             # (clock, a bit for each port that holds a write), as traced
        self.violations = []
        self._domain = ClockDomain("sync")
        self._policy = {}          # the fields of POLICY
        self._deny_read = False
        self._epoch = 0            # the first clock after the last reset
        self._open = None          # the snapshot that runs
        self._kept = None          # the snapshot whose image is kept
        self._last = None          # one that ended without an image; the unit is not ready yet
        self._ctx = None

    # Running -----------------------------------------------------------------------------------

    def run(self, script, *, vcd=None):
        """Runs ``await script(bench)``, lets the initiator finish, checks. Returns the bench."""
        m = Module()
        m.domains += self._domain
        m.submodules.unit = self.unit
        join_samples(m, self.parts.processes)
        simulator = Simulator(m)
        simulator.add_clock(1e-6)
        for each in self.parts.processes:
            simulator.add_process(each.process)
        if hasattr(self.unit, "trace"):
            simulator.add_process(self._watch)

        async def testbench(ctx):
            self._ctx = ctx
            await script(self)
            for initiator in self.initiators:
                initiator.stop()
            await self._settle()
        simulator.add_testbench(testbench)
        if vcd is None:
            simulator.run()
        else:
            with simulator.write_vcd(vcd):
                simulator.run()
        self._judge()
        return self

    def check(self):
        """Raises AssertionError with all that was found."""
        if self.violations:
            raise AssertionError(report(self.violations))
        return self

    @property
    def clock(self):
        """The clock that the script is in."""
        return self.memory.clock

    # For scripts -------------------------------------------------------------------------------

    async def clocks(self, count):
        """Waits."""
        for _ in range(count):
            await self._ctx.tick()

    async def until(self, clock):
        """Waits for a clock, if it is yet to come."""
        await self.clocks(clock - self.clock)

    def sample(self, signal):
        """The value of a signal now."""
        return self._ctx.get(signal)

    async def read(self, name, index=0):
        """Reads a register by name, of an array the ``index``-th."""
        return await self.registers.read(self._ctx, REGISTERS[name].address(index))

    async def write(self, name, value=0, *, index=0, **fields):
        """Writes a register by name: a value, or the named fields and 0 in the others."""
        if fields:
            value = REGISTERS[name].pack(**fields)
        await self.registers.write(self._ctx, REGISTERS[name].address(index), value)

    async def fields(self, name, index=0):
        """Reads a register as a dict of its fields."""
        value = await self.read(name, index)
        return {field.name: field.get(value) for field in REGISTERS[name].fields}

    async def status(self):
        """The fields of STATUS as a dict."""
        return await self.fields("STATUS")

    async def set_regions(self, regions, kind=0):
        """Fills the region table with (first byte, last byte) addresses; disables the rest."""
        for index in range(self.params.regions):
            base, limit = regions[index] if index < len(regions) else (0, 0)
            for name, value in ("BASE", base), ("LIMIT", limit):
                await self.write(f"REGION.{name}_LO", value & 0xffffffff, index=index)
                await self.write(f"REGION.{name}_HI", value >> 32, index=index)
            await self.write("REGION.ATTR", index=index, enable=index < len(regions), kind=kind)

    async def set_policy(self, **policy):
        """Writes POLICY: ``failure``, ``retries``, ``hold_io``; those not named become 0."""
        await self.write("POLICY", **{"failure": 0, **policy})
        self._policy = policy

    async def deny_reads(self, ports):
        """Refuses reads of the shadow to the ports whose bits are set."""
        await self.write("PROTECT", deny_read=ports)
        self._deny_read = self._deny_read or bool(ports)

    async def start(self, *, pin=False, regions=None, ask=True):
        """Starts by register or pin. Returns the record, or None if the start was refused.

        Without ``ask`` it does not ask whether it was refused, and returns some clocks earlier.
        """
        if regions is not None:
            await self.set_regions(regions)
        requested = self.clock
        if pin:
            self._ctx.set(self.unit.trigger, 1)
            await self.clocks(2)
            self._ctx.set(self.unit.trigger, 0)
        else:
            await self.write("CONTROL", start=1)
        if ask and (await self.status())["refused"]:
            return None
        record = SnapshotRecord(requested=requested, retries=self._policy.get("retries", 0),
                                fail_write=bool(self._policy.get("failure", 0)))
        if self._kept is not None:
            self._kept.released = requested
            self._kept = None
        self.snapshots.append(record)
        self._open = record
        return record

    async def try_to_disturb(self):
        """While a snapshot runs: a start and writes to what is locked must change nothing."""
        for name in "TIMEOUT", "REGION.BASE_LO":
            before = await self.read(name)
            try:
                await self.write(name, before ^ 1)
            except PermissionError:
                self.expect(await self.read(name) == before, "C7", f"{name} has changed")
            else:
                self.expect(not (await self.status())["locked"], "C7",
                            f"{name} could be written during a snapshot")
                await self.write(name, before)
                return                                # it ended in the meantime
        # By the pin, which acts in this clock: a command might come when all is over
        if not self.sample(self.unit.trace.active):
            return
        self._ctx.set(self.unit.trigger, 1)
        await self.clocks(2)
        self._ctx.set(self.unit.trigger, 0)
        status, cause = await self.status(), await self.fields("CAUSE")
        self.expect(status["refused"] and cause["refusal"] == 1, "C7",
                    f"a start while busy was not refused: {status}, {cause}")

    def expect(self, condition, rule, text):
        """Notes a violation unless the condition holds."""
        if not condition:
            self._found(rule, text)

    async def cancel(self):
        """Writes CONTROL.cancel."""
        await self.write("CONTROL", cancel=1)

    async def clear(self):
        """Writes CONTROL.clear."""
        clock = self.clock
        await self.write("CONTROL", clear=1)
        if self._kept is not None:
            self._kept.released, self._kept.lifted = clock, self.clock + 1
            self._kept = None

    async def ready(self):
        """Waits until a start would be accepted; tries a sweep again that met an error."""
        for _ in range(self.patience // 8):
            status = await self.status()
            if status["ready"]:
                if self.parts.owes and self._last is not None:
                    self._last.quiet = max(self.clock, self._last.quiet or 0)
                self._last = None
                return
            if self.params.map_blocks and status["failed"] and status["state"] == State.CLEARING:
                await self.clocks(4 * self.params.map_rows + 100)     # or it is going on
                if not (await self.status())["ready"]:
                    await self.clear()
            await self.clocks(4)
        self._found("C4", f"the unit is not ready after {self.patience} clocks")

    async def end(self, limit=None, *, figures=True):
        """Waits for the end of the running snapshot and completes its record.

        Without ``figures`` it asks for nothing but the status: its clocks are then those of the
        trace.
        """
        record = self._open
        deadline = self.clock + (limit or self.patience)
        while True:
            status = await self.status()
            ended = [name for name in ("done", "failed", "cancelled") if status[name]]
            if ended and not status["locked"]:
                break
            if self.clock > deadline:
                self._found("C4", f"the snapshot requested at {record.requested} has not ended by "
                                  f"clock {self.clock}, state {status['state']}")
                return record
            await self.clocks(6)
        self._open = None
        if len(ended) != 1:
            self._found("C5", f"STATUS says {' and '.join(ended)}")
        record.result = ended[0]
        record.quiet = self.clock
        if figures:
            await self._collect(record)
        else:
            self._trace_clocks(record)
        if record.result == "done":
            self._kept = record
        else:
            self._last = record
        return record

    async def reset(self, clocks=1):
        """Asserts the reset for some clocks, from this one on."""
        self._ctx.set(self._domain.rst, 1)
        first = self.clock
        await self.clocks(clocks)
        self._ctx.set(self._domain.rst, 0)
        self._epoch = self.clock
        self._policy = {}
        self._last = None
        if self._open is not None:
            record, self._open = self._open, None
            since = [[clock for clock in clocks if record.requested <= clock <= first]
                     for clocks in (self.instants, self.ends)]
            record.instant, last = ((clocks or [None])[-1] for clocks in since)
            record.result, record.released, record.quiet = "reset", self.clock, first
            record.ended = first if last is None else last
        if self._kept is not None:
            self._kept.released, self._kept = self.clock, None

    async def copy_map(self):
        """The copy map as the registers show it, a list of bool."""
        rows = []
        for row in range(self.params.map_rows):
            await self.write("MAP_INDEX", row)
            rows.append(await self.read("MAP_DATA"))
        return [bool(rows[block // 32] >> block % 32 & 1) for block in range(self.params.blocks)]

    # Inside ------------------------------------------------------------------------------------

    async def _collect(self, record):
        """Reads the figures of a snapshot that ended."""
        counters = {name: await self.read(name) for name in _COUNTERS}
        low, high = await self.read("INSTANT_LO"), await self.read("INSTANT_HI")
        cause = (await self.fields("CAUSE"))["cause"]
        counters["cause"] = cause
        record.counters = counters
        was_active = any(record.requested <= clock for clock in self.instants)
        if record.result == "done" or was_active:
            record.instant = self._epoch + (high << 32 | low)
            # An image stays protected; else writes pass from the clock on that DURATION leads to
            record.ended = record.instant + counters["DURATION"] - (record.result != "done")
            if not record.requested <= record.instant <= record.ended <= record.quiet:
                self._found("C1", f"the clocks of a snapshot are out of order: {record}")
            if was_active and record.instant not in self.instants:
                self._found("C1", f"INSTANT says {record.instant}, the trace {self.instants[-1:]}")
        else:
            record.ended = record.quiet
        copied = sum(counters[name] for name in _COUNTERS if name.startswith("BLOCKS"))
        if record.result == "done":
            if copied != self.params.blocks:
                self._found("C2", f"done, but {copied} of {self.params.blocks} blocks copied")
            if not all(await self.copy_map()):
                self._found("C2", "done, but the copy map has a block that is not copied")
        elif record.result == "failed":
            record.fail_block = await self.read("FAIL_BLOCK")
        if (cause == 0) != (record.result == "done") or (cause == 4) != (
                record.result == "cancelled"):
            self._found("C5", f"the snapshot is {record.result}, CAUSE is {cause}")

    def _trace_clocks(self, record):
        """The instant and the end of a snapshot as traced."""
        record.ended = record.quiet
        if self.instants and self.instants[-1] >= record.requested:
            record.instant = self.instants[-1]
            record.ended = self.ends[-1] + (record.result == "done")
        elif record.result == "done":
            self._found("C1", f"done, but no instant since clock {record.requested}")

    async def _settle(self):
        """Lets the initiators finish what is open."""
        for _ in range(self.patience):
            if all(initiator.idle for initiator in self.initiators):
                return
            await self._ctx.tick()
        hanging = next(initiator for initiator in self.initiators if not initiator.idle)
        self._found("C4", f"the initiator hangs: {hanging.log[-1]}")

    async def _watch(self, ctx):
        """Follows the trace port."""
        layout = data.Layout.cast(self.unit.trace.shape())

        def field(raw, name):
            return raw >> layout[name].offset & (1 << layout[name].width) - 1
        active, held, copied = (layout[name].offset for name in ("active", "held", "copied"))
        clock = was_active = 0
        async for _, rst, raw in ctx.tick().sample(Value.cast(self.unit.trace)):
            if rst:
                was_active = 0
            else:
                if raw >> active & 1:
                    if not was_active:
                        self.instants.append(clock)
                    was_active = 1
                elif was_active:
                    self.ends.append(clock - 1)
                    was_active = 0
                if raw >> held & 15:
                    self.held.append((clock, raw >> held & 15))
                if raw >> copied & 1:
                    self.copied.append((clock, field(raw, "block"), field(raw, "kind")))
            clock += 1

    def _found(self, rule, text):
        self.violations.append(Violation(rule, text, self.clock))

    # Judging -----------------------------------------------------------------------------------

    def _judge(self):
        for checker in self.upstream:
            self.violations += checker.violations
        for checker in self.downstream:
            self.violations += [violation for violation in checker.violations
                                if not self._is_given_up(violation)]
        self._view = _View(self)
        contract = ContractChecker(self._view, self._view.initial, self._view.log,
                                   self.initiator.log, self.snapshots,
                                   others=[each.log for each in self.initiators[1:]],
                                   matcher=self.parts.matcher, deny_read=self._deny_read)
        self.violations += contract.check()
        for record in self.snapshots:
            if record.instant is not None:
                self._check_bits(record)
                self._check_counters(record)
            if record.result == "done":
                self._check_reference(record)

    def _is_given_up(self, violation):
        """Whether a request went away because the initiator gave it up while it was stalled.

        Answers to others may still be due then, so that the unit cannot end the cycle with it.
        """
        return self.parts.can_give_up and violation.rule == "steady" and any(
            access.response is None and access.accepted is None
            and access.answered in (violation.clock - 1, violation.clock)
            for initiator in self.initiators for access in initiator.log)

    def _check_bits(self, record):
        """C2: a bit is set once, after the answers to all the shadow writes of its block."""
        last = record.last
        beats = self.params.block_size // self.params.beat_bytes
        shadow = self._view.shadow_base // self.params.beat_bytes
        answered = {entry.adr: entry.answered for entry in self._view.log
                    if entry.we and record.instant <= entry.clock <= last}
        seen = set()
        for clock, block, _ in self.copied:
            if not record.instant <= clock <= last:
                continue
            if block in seen:
                self.violations.append(Violation("C2", "a block is copied twice", clock,
                                                 block=block))
            seen.add(block)
            first = shadow + block * beats
            late = [adr for adr in range(first, first + beats)
                    if answered.get(adr) is None or answered[adr] > clock]
            if late:
                self.violations.append(Violation(
                    "C2", f"the bit is set before the shadow write of {len(late)} words was "
                          f"answered", clock, late[0] * self.params.beat_bytes, block))

    def _check_counters(self, record):
        """The registers' figures against the trace."""
        if record.counters is None or not self.instants:
            return
        held = [[clock for clock, ports in self.held
                 if ports >> port & 1 and record.instant <= clock <= record.ended]
                for port in range(self.params.ports)]
        kinds = [kind for clock, _, kind in self.copied
                 if record.instant <= clock <= record.ended]
        traced = {"BLOCKS_DEMAND": kinds.count(0), "BLOCKS_INITIAL": kinds.count(1),
                  "BLOCKS_BACKGROUND": kinds.count(2), "STALL_TOTAL": sum(map(len, held)),
                  "STALL_LONGEST": max(map(_longest_run, held))}
        for name, value in traced.items():
            if record.counters[name] != value and record.result == "done":
                self.violations.append(Violation(
                    "counters", f"{name} is {record.counters[name]}, the trace shows {value}",
                    record.ended))

    def _check_reference(self, record):
        """The image against that of the reference model under the same writes."""
        params = self._view
        words = words_of(params.initial, params.beat_bytes)
        model = None
        guarded = slice(params.memory_base, params.memory_base + params.memory_size)
        shadowed = slice(params.shadow_base, params.shadow_base + params.memory_size)
        # What was accepted before T belongs to it, even where it was done later
        order = sorted(params.log, key=lambda entry: entry.clock >= record.instant)
        for entry in order:
            if model is None and entry.clock >= record.instant:
                model = self._model(words, guarded)
            if not entry.changed or entry.clock > record.ended:
                continue
            new = merge(words[entry.adr], entry.data, entry.sel)
            address = entry.adr * params.beat_bytes - params.memory_base
            if model is not None and 0 <= address < params.memory_size:
                model.write(address, new.to_bytes(params.beat_bytes, "little"))
            words[entry.adr] = new
        if model is None:
            model = self._model(words, guarded)
        model.run()
        if model.shadow != _bytes(words, params.beat_bytes)[shadowed]:
            self.violations.append(Violation("C2", "the image is not that of the reference model",
                                             record.ended))

    def _model(self, words, guarded):
        memory = bytearray(_bytes(words, self.params.beat_bytes)[guarded])
        model = Snapshot(memory, bytearray(len(memory)), block_size=self.params.block_size)
        model.start()
        return model


class _View:
    """All of a run as if in one memory: a separate shadow is put behind the memory."""

    def __init__(self, bench):
        params = bench.params
        self.memory_base, self.memory_size = params.memory_base, params.memory_size
        self.block_size, self.beat_bytes = params.block_size, params.beat_bytes
        self.map_base, self.map_blocks = params.map_base, params.map_blocks
        self.shadow_base = params.shadow_base
        self.initial = bench.initial
        self.log = bench.memory.log
        if bench.shadow is not None:
            offset = len(self.initial)
            self.shadow_base += offset
            self.initial += bytes(params.shadow_base + params.memory_size)
            moved = [replace(entry, adr=entry.adr + offset // params.beat_bytes)
                     for entry in bench.shadow.log]
            self.log = sorted([*self.log, *moved], key=lambda entry: entry.effect)


def _longest_run(clocks):
    """The most clocks in a row."""
    longest = run = 0
    last = None
    for clock in clocks:
        run = run + 1 if last is not None and clock == last + 1 else 1
        longest = max(longest, run)
        last = clock
    return longest


def _bytes(words, word_bytes):
    return b"".join(word.to_bytes(word_bytes, "little") for word in words)


def _distinct(size, word_bytes):
    """An image in which every word is different, and no byte lane is like its neighbour."""
    size += -size % word_bytes
    lanes = sum(1 << 64 * at for at in range(-(-word_bytes // 8)))
    mask = (1 << 8 * word_bytes) - 1
    return b"".join((0x9e3779b97f4a7c15 * (at + 1) % (1 << 64 if word_bytes > 8 else mask + 1)
                     * lanes & mask).to_bytes(word_bytes, "little")
                    for at in range(0, size, word_bytes))
