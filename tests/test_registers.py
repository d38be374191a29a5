"""Every field of the description by its kind, locks, errors, and counters that move."""

import pytest
from amaranth.hdl import Value
from memsnap import SnapshotParams, control
from memsnap.regs.bank import ADR_WIDTH, RegisterBank
from memsnap.regs.constants import constants
from memsnap.regs.fields import REGISTERS
from memsnap.regs.table import Kind

from sim import seeded, simulate

WORD = 0xFFFFFFFF
LATENCY = 3

BUILDS = {
    "default": SnapshotParams(),
    "wide": SnapshotParams(addr_width=64, memory_base=1 << 40, shadow_base=3 << 40, regions=16,
                           data_width=64, release="copied", timeout=7, share=0),
    "small": SnapshotParams(addr_width=9, memory_base=0x40, memory_size=48, shadow_base=0x80,
                            block_size=16, buffer_depth=8, regions=1, pipelined=False),
}


class Bank:
    """The bank's access port and control side in a test."""

    def __init__(self, pins, params):
        self.pins = pins
        self.params = params

    async def access(self, kind, offset, value=0, sel=0b1111):
        """One access; gives the answer's data, error and latency in clocks."""
        port = self.pins.access
        while not port.ready:
            await port.tick()
        port.drive(adr=offset // 4, data_w=value, sel=sel)
        await port.pulse(kind)
        port.drive(adr=0, data_w=0, sel=0)
        for latency in range(1, 100):
            if port.done:
                answer = port.data_r, port.error, latency
                await port.tick()
                assert not port.done
                return answer
            await port.tick()
        raise AssertionError(f"no answer to a {kind} of {offset:#x}")

    async def read(self, offset):
        data, error, _ = await self.access("read", offset)
        assert not error, f"error at {offset:#x}"
        return data

    async def write(self, offset, value, sel=0b1111):
        _, error, _ = await self.access("write", offset, value, sel)
        assert not error, f"error at {offset:#x}"

    def member(self, path):
        head, _, rest = path.partition(".")
        member = getattr(self.pins._dut.control, head)
        return Value.cast(member[rest] if rest else member)

    def get(self, path):
        return self.pins._ctx.get(self.member(path))

    def set(self, path, value):
        self.pins._ctx.set(self.member(path), value)

    def instances(self, *kinds):
        """Register, index, offset and field of every field of these kinds in this build.

        Without LOCK, after which most others cannot be written.
        """
        for register in REGISTERS.values():
            if register.name == "LOCK":
                continue
            for index in range(min(register.count, self.params.regions)):
                for field in register.fields:
                    if field.kind in kinds:
                        yield register, index, register.address(index), field

    def implemented(self, field):
        """The bits of a configuration field that this build has."""
        width = field.width
        if field.member in {"regions.base", "regions.limit"} and field.member_lsb:
            width = min(width, max(0, self.params.addr_width - field.member_lsb))
        if field.member == "deny_read":
            width = self.params.ports
        return (1 << width) - 1


def lanes(sel):
    return sum(0xFF << 8 * byte for byte in range(4) if sel >> byte & 1)


def with_bank(build, script, make=RegisterBank):
    params = BUILDS[build]
    simulate(make(params), lambda pins: script(Bank(pins, params)))


every_build = pytest.mark.parametrize("build", BUILDS)


# Fields by their kind ----------------------------------------------------------------------------

@every_build
def test_constant(build):
    async def script(bank):
        values = constants(bank.params)
        for register, _, offset, field in bank.instances(Kind.CONSTANT):
            expected = values.get(field.member, field.reset) >> field.member_lsb
            for _ in range(2):
                assert field.get(await bank.read(offset)) == expected & field.mask >> field.lsb, (
                    register.name, field.name)
                await bank.write(offset, WORD)      # and changes nothing
    with_bank(build, script)


def test_constants_fit_their_fields():
    most = SnapshotParams(block_size=65536, memory_size=1 << 20, shadow_base=1 << 20, regions=16,
                          buffer_depth=4096, jobs=64, data_width=64)
    for register in REGISTERS.values():
        for field in register.fields:
            if field.kind is Kind.CONSTANT and "_base" not in field.member:
                value = constants(most).get(field.member, 0) >> field.member_lsb
                assert value < 1 << field.width, (register.name, field.name)


@every_build
def test_status(build):
    rng = seeded(1)

    async def script(bank):
        for register, _, offset, field in bank.instances(Kind.STATUS):
            width = len(bank.member(field.member))
            assert width == field.width
            for value in 0, (1 << width) - 1, rng.getrandbits(width):
                bank.set(field.member, value)
                assert field.get(await bank.read(offset)) == value, (register.name, field.name)
                await bank.write(offset, WORD)
                assert field.get(await bank.read(offset)) == value
            bank.set(field.member, 0)
    with_bank(build, script)


@every_build
def test_latched(build):
    rng = seeded(2)

    async def script(bank):
        latch = REGISTERS["CONTROL"].pack(latch=1)
        for register, _, offset, field in bank.instances(Kind.LATCHED):
            most = bank.params.blocks if "blocks" in field.member else (1 << field.width) - 1
            assert await bank.read(offset) == field.reset
            for value in most, rng.randint(0, most):
                before = await bank.read(offset)
                bank.set(field.member, value << field.member_lsb)
                await bank.write(offset, WORD)
                assert await bank.read(offset) == before, register.name
                await bank.write(REGISTERS["CONTROL"].offset, latch)
                assert await bank.read(offset) == value, register.name
            bank.set(field.member, 0)
            await bank.write(REGISTERS["CONTROL"].offset, latch)
    with_bank(build, script)


@every_build
def test_config(build):
    rng = seeded(3)

    async def script(bank):
        resets = constants(bank.params)
        for register, _, offset, field in bank.instances(Kind.CONFIG):
            bits = bank.implemented(field) << field.lsb
            state = resets.get(field.member, field.reset) << field.lsb & bits
            assert await bank.read(offset) & field.mask == state, register.name
            for sel in [0b1111, *range(16)]:
                value = rng.getrandbits(32)
                await bank.write(offset, value, sel)
                state = state & ~lanes(sel) | value & lanes(sel) & bits
                assert await bank.read(offset) & field.mask == state, (register.name, sel)
                if not field.member.startswith(("bank.", "regions.")):
                    shown = bank.get(field.member) >> field.member_lsb
                    assert shown & bank.implemented(field) == state >> field.lsb, register.name
            await bank.write(offset, 0)
        await bank.pins.warm_reset()
        for _, _, offset, field in bank.instances(Kind.CONFIG):
            reset = resets.get(field.member, field.reset) & bank.implemented(field)
            assert field.get(await bank.read(offset)) == reset
    with_bank(build, script)


def test_config_registers_do_not_disturb_each_other():
    rng = seeded(4)

    async def script(bank):
        expected = {}
        every = list(bank.instances(Kind.CONFIG))
        for _ in range(3):
            for register, index, offset, _ in rng.sample(every, len(every)):
                value = rng.getrandbits(32)
                await bank.write(offset, value)
                for other in register.fields:
                    expected[register.name, index, other.name] = (
                        other.get(value) & bank.implemented(other))
            for register, index, offset, field in every:
                assert field.get(await bank.read(offset)) == expected[
                    register.name, index, field.name]
    with_bank("default", script)


def test_command():
    async def clocks(bank, field, value, sel):
        """The clocks after the strobe in which the command is at the control interface."""
        port = bank.pins.access
        port.drive(adr=REGISTERS["CONTROL"].offset // 4, data_w=value, sel=sel)
        await port.pulse("write")
        seen = []
        for clock in range(1, 6):
            if bank.get(field.member):
                seen.append(clock)
            await port.tick()
        return seen

    async def script(bank):
        seen = set()
        for register, _, offset, field in bank.instances(Kind.COMMAND):
            assert await bank.read(offset) & field.mask == 0
            if field.member.startswith("bank."):
                continue
            assert register.name == "CONTROL"
            lane = 1 << field.lsb // 8
            assert await clocks(bank, field, field.mask, lane) == [2]
            assert await clocks(bank, field, WORD, 0b1111) == [2]
            assert await clocks(bank, field, WORD & ~field.mask, 0b1111) == []
            assert await clocks(bank, field, WORD, 0b1111 & ~lane) == []
            seen.add(field.name)
        assert seen == {"start", "cancel", "clear"}
    with_bank("default", script)


def test_a_start_waits_while_a_policy_is_new():
    """``checking`` is up in the clock of the write, and in the first in which the policy holds."""
    async def script(bank):
        port = bank.pins.access
        register = REGISTERS["POLICY"]
        await bank.read(register.offset)
        port.drive(adr=register.offset // 4, data_w=register.pack(retries=1), sel=0b1111)
        await port.pulse("write")
        seen = []
        for _ in range(5):
            seen.append((bank.get("retries"), bank.get("checking")))
            await port.tick()
        assert seen == [(0, 1), (1, 1), (1, 0), (1, 0), (1, 0)]
    with_bank("default", script)


def test_event_and_interrupt():
    enable, status, test = (REGISTERS[name].offset
                            for name in ("IRQ_ENABLE", "IRQ_STATUS", "IRQ_TEST"))

    async def script(bank):
        async def end():
            bank.set("ended", 1)
            await bank.pins.tick()
            bank.set("ended", 0)

        pins = bank.pins
        assert await bank.read(status) == 0
        await end()
        assert await bank.read(status) == 1 and not pins.irq
        await bank.write(enable, 1)
        assert pins.irq
        for value, sel in (0, 0b1111), (WORD - 1, 0b1111), (1, 0b1110):
            await bank.write(status, value, sel)
            assert pins.irq and await bank.read(status) == 1
        await bank.write(status, 1)
        assert not pins.irq and await bank.read(status) == 0

        await bank.write(test, WORD - 1)
        await bank.write(test, 1, 0b1110)
        assert not pins.irq
        await bank.write(test, 1)
        assert pins.irq and await bank.read(test) == 0
        await bank.write(enable, 0)
        assert not pins.irq and await bank.read(status) == 1

        # An end in the clock of the clearing write is not lost.
        bank.set("ended", 1)
        pins.access.drive(adr=status // 4, data_w=1, sel=0b1111)
        await pins.access.pulse("write")
        await pins.tick()
        bank.set("ended", 0)
        await pins.tick(2)
        assert await bank.read(status) == 1
    with_bank("default", script)


@pytest.mark.parametrize("build, delay", [("default", 0), ("default", 1), ("small", 9)])
def test_window(build, delay):
    rng = seeded(5)
    index, data = REGISTERS["MAP_INDEX"].offset, REGISTERS["MAP_DATA"].offset

    async def script(bank):
        rows = bank.params.map_rows
        pins = bank.pins
        for row in 0, rows - 1, rng.randrange(rows), rows, rows + 1, 1 << 31, WORD:
            await bank.write(index, row)
            assert await bank.read(index) == row
            bits = rng.getrandbits(32) | 1
            pins.access.drive(adr=data // 4)
            await pins.access.pulse("read")
            assert not pins.control.map_read
            await pins.tick()
            if row < rows:
                for _ in range(delay):
                    assert pins.control.map_read and pins.control.map_row == row
                    assert not pins.access.done
                    await pins.tick()
                pins.control.drive(map_valid=1, map_data=bits)
                assert pins.control.map_read and not pins.access.done
                await pins.tick()
                pins.control.drive(map_valid=0, map_data=0)
            else:
                assert not pins.control.map_read
                pins.control.map_data = bits
                await pins.tick()
            assert pins.access.done and not pins.access.error and not pins.control.map_read
            assert pins.access.data_r == (bits if row < rows else 0)
            await pins.tick()
            await bank.write(data, WORD)    # and changes nothing
    with_bank(build, script)


@every_build
def test_reserved_bits_read_0(build):
    """And so do those of write-only fields, whatever was written."""
    async def script(bank):
        for register in REGISTERS.values():
            if register.name in ("LOCK", "MAP_DATA"):
                continue
            shown = sum(field.mask for field in register.fields
                        if field.kind is not Kind.COMMAND)
            for index in range(min(register.count, bank.params.regions)):
                offset = register.address(index)
                await bank.write(offset, WORD)
                assert await bank.read(offset) & ~shown == 0, register.name
    with_bank(build, script)


def test_lock_by_byte():
    """LOCK is a configuration field that locks itself."""
    register = REGISTERS["LOCK"]
    field, = register.fields
    assert field.kind is Kind.CONFIG and register.locked

    async def script(bank):
        for sel in range(16):
            await bank.write(register.offset, WORD, sel & ~1)
            await bank.write(register.offset, WORD & ~1, sel)
            assert await bank.read(register.offset) == 0
        await bank.write(register.offset, WORD, 1)
        assert await bank.read(register.offset) == 1
    with_bank("default", script)


def test_each_field_has_a_test_of_its_kind():
    """Those tests go through the description; where they name a field, it is all of its kind."""
    kinds = {kind: [f"{register.name}.{field.name}" for register in REGISTERS.values()
                    for field in register.fields if field.kind is kind] for kind in Kind}
    assert kinds[Kind.COMMAND] == ["CONTROL.start", "CONTROL.cancel", "CONTROL.clear",
                                   "CONTROL.latch", "IRQ_TEST.ended"]
    assert kinds[Kind.EVENT] == ["IRQ_STATUS.ended"]
    assert kinds[Kind.WINDOW] == ["MAP_DATA.copied"]
    assert all(kinds.values())
    for kind in kinds:
        name = "event_and_interrupt" if kind is Kind.EVENT else kind.value
        assert f"test_{name}" in globals()
    assert sum(map(len, kinds.values())) == sum(len(each.fields) for each in REGISTERS.values())


# Locks and errors --------------------------------------------------------------------------------

def test_locks():
    async def script(bank):
        locked = set()
        for register, _, offset, _ in bank.instances(*Kind):
            if register.name == "MAP_DATA":
                continue
            writable = {field.kind for field in register.fields} <= {Kind.CONFIG}
            before = await bank.read(offset)
            bank.set("locked", 1)
            _, error, _ = await bank.access("write", offset, before ^ WORD)
            assert error == register.locked, register.name
            after = await bank.read(offset) & ~(1 << 13 if register.name == "STATUS" else 0)
            if error:
                locked.add(register.name)
                assert after == before, register.name
            elif writable:
                assert after != before, register.name
            bank.set("locked", 0)
            _, error, _ = await bank.access("write", offset, before ^ WORD)
            assert not error
        assert locked == {"TIMEOUT", "DEADLINE", "HOLD_LIMIT", "POLICY", "PROTECT",
                          *(name for name in REGISTERS if name.startswith("REGION."))}
    with_bank("default", script)


def test_lock_until_reset():
    """What a snapshot locks stays locked; what may change in one still may; a reset lifts it."""
    async def script(bank):
        lock = REGISTERS["LOCK"].offset
        await bank.write(lock, 1, sel=0b1110)
        assert await bank.read(lock) == 0
        bank.set("locked", 1)
        assert (await bank.access("write", lock, 1))[1]
        bank.set("locked", 0)
        await bank.write(lock, 1)
        for register, _, offset, _ in bank.instances(Kind.CONFIG):
            before = await bank.read(offset)
            _, error, _ = await bank.access("write", offset, before ^ 1)
            assert error == register.locked, register.name
            assert await bank.read(offset) == before ^ (not error), register.name
        assert (await bank.access("write", lock, 0))[1] and await bank.read(lock) == 1
        await bank.pins.warm_reset()
        assert await bank.read(lock) == 0
        await bank.write(REGISTERS["TIMEOUT"].offset, 5)
    with_bank("default", script)


@every_build
def test_unmapped(build):
    rng = seeded(6)

    async def script(bank):
        mapped = {offset for _, _, offset, _ in bank.instances(*Kind)} | {REGISTERS["LOCK"].offset}
        configured = [(offset, await bank.read(offset))
                      for _, _, offset, _ in bank.instances(Kind.CONFIG)]
        for offset in range(0, 4 << ADR_WIDTH, 4):
            if offset in mapped:
                continue
            _, error, latency = await bank.access("read", offset)
            assert error and latency == LATENCY, f"{offset:#x}"
            _, error, _ = await bank.access("write", offset, rng.getrandbits(32))
            assert error, f"{offset:#x}"
        for offset, value in configured:
            assert await bank.read(offset) == value
        assert len(mapped) == 41 + 5 * bank.params.regions
    with_bank(build, script)


# Coherence of the counters -----------------------------------------------------------------------

COUNTERS = list(control.Counters.as_shape().members)


def counters_at(clock):
    """Counters that all change with each clock, so that no two clocks look alike."""
    return {name: clock * (3 * place + 1) + place for place, name in enumerate(COUNTERS)}


async def read_counters(bank, *, latch):
    """The counters as software reads them, while they change with each clock."""
    if latch:
        await bank.write(REGISTERS["CONTROL"].offset, REGISTERS["CONTROL"].pack(latch=1))
    values = {}
    for name in COUNTERS:
        if name == "instant":
            low = await bank.read(REGISTERS["INSTANT_LO"].offset)
            values[name] = low | await bank.read(REGISTERS["INSTANT_HI"].offset) << 32
        else:
            values[name] = await bank.read(REGISTERS[name.upper()].offset)
    return values


def check_coherent(values):
    clock = values["armed"] // 4    # counters_at()["armed"] == 4 * clock + 1
    assert values == counters_at(clock), "the counters are of different clocks"
    return clock


class Moving(Bank):
    """A bank whose counters change with each clock."""

    def __init__(self, bank):
        super().__init__(bank.pins, bank.params)
        self.clock = 1000
        self.move()

    @classmethod
    async def ready(cls, bank):
        while not bank.pins.access.ready:
            await bank.pins.tick()
        return cls(bank)

    def move(self):
        for name, value in counters_at(self.clock).items():
            self.set(f"counters.{name}", value)

    async def tick(self):
        await self.pins.tick()
        self.clock += 1
        self.move()

    async def access(self, kind, offset, value=0, sel=0b1111):
        port = self.pins.access
        port.drive(adr=offset // 4, data_w=value, sel=sel, **{kind: 1})
        await self.tick()
        port.drive(read=0, write=0)
        await self.tick()
        await self.tick()
        answer = port.data_r, port.error, LATENCY
        assert port.done
        await self.tick()
        return answer


class Unlatched(RegisterBank):
    """A broken bank: it shows the counters as they are, not as they were."""

    def _copy_counters(self, m):
        return {f"counters.{name}": Value.cast(self.control.counters[name])
                for name in COUNTERS}


BUILDS["many_blocks"] = SnapshotParams(memory_size=1 << 22, shadow_base=1 << 22)


def test_counters_are_of_one_clock():
    async def script(bank):
        bank = await Moving.ready(bank)
        for _ in range(3):
            before = bank.clock
            clock = check_coherent(await read_counters(bank, latch=True))
            assert clock == before + 3      # one after that of the command, two after its strobe
            again = await read_counters(bank, latch=False)
            assert check_coherent(again) == clock
    with_bank("many_blocks", script)


def test_counters_are_copied_when_a_snapshot_ends():
    async def script(bank):
        bank = await Moving.ready(bank)
        bank.set("ended", 1)
        await bank.tick()
        bank.set("ended", 0)
        await bank.tick()                   # nobody can know of the end sooner
        clock = check_coherent(await read_counters(bank, latch=False))
        assert clock == 1002                # the second clock after the end: they lag by one
    with_bank("many_blocks", script)


def test_the_coherence_check_can_fail():
    async def script(bank):
        with pytest.raises(AssertionError, match="of different clocks"):
            check_coherent(await read_counters(await Moving.ready(bank), latch=True))
    with_bank("many_blocks", script, Unlatched)


# The table's own messages ------------------------------------------------------------------------

def test_table_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match=r"^IRQ_ENABLE.ended must fit 1 bits, not 2$"):
        REGISTERS["IRQ_ENABLE"].pack(ended=2)
    with pytest.raises(KeyError,
                       match="CONTROL has no field 'go'; it has start, cancel, clear, latch"):
        REGISTERS["CONTROL"].pack(go=1)
    with pytest.raises(IndexError, match=r"^REGION.ATTR index must be 0 to 15, not 16$"):
        REGISTERS["REGION.ATTR"].address(16)


@pytest.mark.parametrize("bus, number", [("wishbone", 0), ("axi4", 1)])
def test_software_can_tell_the_bus(bus, number):
    async def script(bank):
        word = await bank.read(REGISTERS["CAPS0"].offset)
        assert word >> 21 & 0b11 == number
    params = SnapshotParams(bus=bus)
    simulate(RegisterBank(params), lambda pins: script(Bank(pins, params)))
