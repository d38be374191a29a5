"""Random runs of the unit: a configuration, a memory, traffic and a script, all from one seed."""

from types import SimpleNamespace

from memsnap import SnapshotParams
from memsnap.params import Release, Shadow

from . import pauses
from .axi4_fuzz import (
    axi4_options,
    axi4_params,
    axi4_shadow,
    axi4_short_params,
    axi4_traffic,
    is_axi4,
)
from .harness import Bench
from .memory import errors_at
from .random_map import random_map
from .wishbone import Access, burst

__all__ = ["fuzz", "random_params", "random_script", "random_traffic", "short_script"]

#: Clocks that a snapshot may take, roughly; memories are made small enough for it.
_CLOCKS = 3000
#: Numbers of jobs; those are taken that suffice for the ports.
_JOBS = (3, 4, 5, 8)


def fuzz(seed, *, bus="wishbone", snapshots=None, make_unit=None, **options):
    """Runs the random scenario of ``seed`` and returns its :class:`Bench`, unchecked.

    Parameters
    ----------
    seed : int or str
    bus : str
        ``"wishbone"`` or ``"axi4"``.
    snapshots : int or None
        Only on AXI4: so many short snapshots of a small memory, most of them without a look at the
        unit's figures; by default a few long ones.
    make_unit : callable or None
        From :class:`SnapshotParams` to the unit; by default the real one.
    options
        For :meth:`Bench.run`.
    """
    rng = pauses.generators(seed)
    shape = rng("shape")
    brief = snapshots is not None
    latency = shape.choice([1, 1, 2, 3, 4, 8] if brief else [1, 1, 2, 3, 4, 8, 16, 32])
    varies = shape.random() < 0.4
    kind = _BUSES[f"{bus} short" if brief else bus]
    params = kind.params(rng("params"), latency)
    busy = shape.random() < 0.3
    calm = params.share == 0
    traffic = [kind.traffic(rng(name), params, busy=busy and not calm)
               for name in ("traffic", *(f"traffic{port}" for port in range(1, params.ports)))]
    shadow = None
    if params.shadow is Shadow.SEPARATE:
        own = rng("shadow")
        shadow = {"latency": own.choice([1, 4, latency, 3 * latency]),
                  "stall": own.choice([pauses.never, pauses.sometimes(rng("x_stall"), 0.5)]),
                  "errors": _random_errors(own, params, brief=brief), **kind.shadow(rng)}
    bench = Bench(
        params, unit=make_unit and make_unit(params), traffic=traffic[0], others=traffic[1:],
        shadow=shadow, latency=pauses.uniform(rng("latency"), 1, latency) if varies else latency,
        stall=shape.choice([pauses.never, pauses.sometimes(rng("stall"), 0.2),
                            pauses.bursty(rng("stall"), 12, 4)]),
        errors=_random_errors(rng("errors"), params, brief=brief),
        **kind.options(rng, shape, params))
    script = rng("script")
    return bench.run(short_script(script, snapshots) if brief else random_script(script),
                     **options)


def _wishbone_options(rng, shape, params):
    """Options of the bench."""
    return {"bursts": shape.random() < 0.5, "max_in_flight": shape.choice([1, 2, 8, 32])}


def random_params(rng, latency=1):
    """A configuration whose snapshots are short at this latency."""
    data_width = rng.choice([32, 32, 32, 64, 64, 8, 16])
    pipelined = rng.random() < 0.7
    beat = data_width // 8
    beats = _CLOCKS // (4 + latency // 8) if pipelined else _CLOCKS // (2 * latency + 4)
    sizes = [1 << k for k in range(4, 13) if beat <= 1 << k <= beats * beat]
    block_size = rng.choice(sizes or [16])
    blocks = rng.randint(1, max(1, min(beats * beat // block_size, rng.choice([4, 40, 100]))))
    memory_size = blocks * block_size
    span = 1 << (memory_size - 1).bit_length()
    places = rng.sample(range(4), 2)
    ports = rng.choice([1, 1, 1, 2, 2, 3, 4])
    addr_width = max(8, (4 * span - 1).bit_length()) + rng.choice([0, 0, 4])
    in_memory = random_map(rng, data_width, block_size, blocks, places[0] * span)
    return SnapshotParams(
        **in_memory,
        data_width=data_width, addr_width=addr_width, block_size=block_size,
        memory_size=memory_size, memory_base=places[0] * span, shadow_base=places[1] * span,
        buffer_depth=rng.choice([4, 8, 16, 64]),
        jobs=rng.choice([None, *(jobs for jobs in _JOBS if jobs > ports)]),
        max_in_flight=rng.choice([2, 4, 16, 64]), ports=ports,
        shadow=rng.choice(["same", "same", "separate"]), retry=rng.random() < 0.3,
        release=rng.choice(["captured", "copied"]),
        regions=rng.choice([1, 2, 4]), pipelined=pipelined,
        features=frozenset(name for name in ("rty", "lock", "cti", "bte") if rng.random() < 0.3),
        timeout=rng.choice([400, 1000]),
        share=rng.choice([0, 1, 4, 16] if ports == 1 else [1, 4, 16]),
        map_latency=1 if in_memory else rng.choice([1, 1, 2]))


def random_traffic(rng, params, *, busy=False):
    """Endless traffic of changing habits; with ``busy`` it hardly ever pauses."""
    beats = params.memory_size // params.beat_bytes
    memory = params.memory_base // params.beat_bytes
    shadow = params.shadow_base // params.beat_bytes
    end = (1 << params.addr_width) // params.beat_bytes
    lanes = (1 << params.beat_bytes) - 1
    in_bursts = not params.pipelined and "cti" in params.features

    def place():
        choice = rng.random()
        if choice < 0.9:
            return memory + rng.randrange(beats)
        if choice < 0.97:
            return shadow + rng.randrange(beats)
        return min(end - 1, memory + beats + rng.randrange(4))

    def one(adr, writes):
        if rng.random() < writes:
            return Access(adr, True, rng.getrandbits(params.data_width),
                          rng.choice([lanes, lanes, rng.randint(0, lanes)]))
        return Access(adr, sel=rng.choice([lanes, rng.randint(0, lanes)]))

    def some():
        """A stretch of one habit."""
        habit = rng.choice(["random", "random", "stream", "storm", "burst", "spot"])
        writes = rng.choice([0.1, 0.5, 0.9, 1.0])
        count = rng.randint(1, 60)
        if habit == "stream":
            first = rng.randrange(beats)
            return [one(memory + (first + at) % beats, writes) for at in range(count)]
        if habit == "storm":
            return [one(memory + block * params.block_beats % beats, 1.0)
                    for block in range(min(count, params.blocks))]
        if habit == "spot":
            spots = [place() for _ in range(3)]
            return [one(rng.choice(spots), writes) for _ in range(count)]
        if habit == "burst" and in_bursts:
            length = min(rng.randint(2, 12), beats)
            first = memory + rng.randint(0, beats - length)
            we = rng.random() < writes
            return burst(one(first + at, float(we)) for at in range(length))
        return [one(place(), writes) for _ in range(count)]

    while True:
        pause = 0 if busy else rng.choice([0, 0, 2, 5, 20])
        for access in some():
            if not access.cti:
                access.gap = rng.randint(0, pause)
                access.drop = access.gap > 1 and rng.random() < 0.5
                if rng.random() < 0.01:
                    access.abort = rng.randint(1, 20)
            yield access
        if not busy:
            yield Access(place(), gap=rng.choice([1, 30, 100]), drop=True)


def _random_errors(rng, params, *, brief=False):
    """Now and then, for good at one place, a single one, or none; not for good if ``brief``."""
    choice = rng.random()
    if params.retry and choice < 0.6:
        often = rng.choice([0.003, 0.03])
        return lambda index, adr, we: "err" if rng.random() < often else None
    if choice < 0.85:
        return None
    if brief:
        return lambda index, adr, we: (
            rng.choice(["err", "decerr"]) if rng.random() < 0.001 else None)
    beats = params.memory_size // params.beat_bytes
    base = rng.choice([params.memory_base, params.shadow_base]) // params.beat_bytes
    response = "err"
    if is_axi4(params):
        response = rng.choice(["err", "decerr"])
    if choice < 0.92:
        place = base + rng.randrange(beats)
        # With an error that stays in its map the unit would never be ready
        first = (params.map_base or 0) // params.beat_bytes
        stays = place in range(first, first + params.map_blocks * params.block_beats)
        return errors_at(addresses=[place], writes=not stays, response=response)
    return errors_at(nth=[rng.randrange(200, 200 + 8 * beats)], response=response)


def random_script(rng):
    """Several snapshots, most of them left alone, some of them disturbed."""
    async def script(bench):
        await bench.ready()
        for _ in range(rng.randint(1, 4)):
            await bench.clocks(rng.choice([0, 1, 30, rng.randrange(200)]))
            if rng.random() < 0.1:
                await _bad_region(bench, rng)
            await _choose_policy(bench, rng)
            record = await bench.start(pin=rng.random() < 0.3,
                                       regions=_random_regions(bench.params, rng))
            if record is None:
                bench.expect(False, "C4", "a sound start was refused")
                return
            await _disturb(bench, rng)
    return script


def short_script(rng, count):
    """So many snapshots, one after the other, some of them disturbed."""
    async def script(bench):
        await bench.ready()
        for _ in range(count):
            await bench.clocks(rng.choice([0, 1, rng.randrange(20)]))
            regions = _random_regions(bench.params, rng) if rng.random() < 0.1 else None
            await bench.start(pin=rng.random() < 0.5, regions=regions, ask=rng.random() < 0.1)
            await bench.clocks(rng.choice([0, 1, 2, rng.randrange(10), rng.randrange(60)]))
            event = rng.choice(["none"] * 40 + ["cancel"] * 3 + ["reset"] * 2 + ["mute"])
            if event == "reset":
                await bench.reset()
                await bench.ready()
                continue
            if event == "cancel":
                await bench.cancel()
            bench.memory.answering = event != "mute"
            record = await bench.end(figures=rng.random() < 0.1)
            bench.memory.answering = True
            if record.result != "done":
                await bench.ready()
            elif rng.random() < 0.2:
                await bench.clear()
    return script


async def _choose_policy(bench, rng):
    """What gives way, and when; background copy at its own pace."""
    params = bench.params
    spare = False
    if params.retry:
        spare = params.release is Release.COPIED and rng.random() < 0.5
        await bench.set_policy(retries=rng.choice([0, 1, 3, 15]), failure=int(spare))
    if rng.random() < 0.2:
        await bench.write("HOLD_LIMIT", rng.choice([0, 0, 20, 100]))
        await bench.write("DEADLINE", rng.choice([0, 0, 0, 500]))
    # Or a block that cannot be read keeps the snapshot, as long as it is written to
    if spare and not await bench.read("DEADLINE"):
        await bench.write("DEADLINE", bench.patience // 2)
    await bench.write("PACE", rng.choice([0, 0, 0, 10]))


async def _bad_region(bench, rng):
    params = bench.params
    first, last = params.memory_base, params.memory_base + params.memory_size - 1
    region, reason = rng.choice([((last, first), 2), ((first, last + 1), 3)])
    await bench.set_regions([region])
    before = len(bench.snapshots)
    bench.expect(await bench.start() is None, "C7", f"the region {region} was not refused")
    if len(bench.snapshots) == before:
        refusal = (await bench.fields("CAUSE"))["refusal"]
        bench.expect(refusal == reason, "C7", f"refusal is {refusal}, not {reason}")


def _random_regions(params, rng):
    regions = []
    for _ in range(rng.randint(0, params.regions)):
        first, last = sorted(rng.randrange(params.memory_size) for _ in range(2))
        regions.append((params.memory_base + first, params.memory_base + last))
    return regions


async def _disturb(bench, rng):
    """What happens from a start on."""
    event = rng.choice(["none"] * 6 + ["busy", "cancel", "reset", "mute", "map", "pause"])
    await bench.clocks(rng.choice([0, 1, 2, 5, rng.randrange(50), rng.randrange(1500)]))
    if event == "reset":
        await bench.reset(rng.randint(1, 3))
        await bench.ready()
        return
    if event == "busy":
        if (await bench.status())["locked"]:
            await bench.try_to_disturb()
    elif event == "cancel":
        await bench.cancel()
        if rng.random() < 0.2:
            await bench.cancel()
    elif event == "mute":
        bench.memory.answering = False
        await bench.clocks(rng.choice([20, 300, 1500]))
        bench.memory.answering = True
    elif event == "pause":
        await bench.write("PAUSE", 1)
        await bench.clocks(rng.choice([5, 100]))
        await bench.write("PAUSE", 0)
    elif event == "map":
        await bench.copy_map()
    record = await bench.end()
    if record.result == "done":
        await bench.clocks(rng.choice([0, 50]))
        if rng.random() < 0.4:
            await bench.clear()
            await bench.clocks(rng.choice([0, 50]))
    elif record.result != "running":
        if rng.random() < 0.3:
            await bench.clear()
        await bench.ready()


#: What is particular to a bus: configurations, traffic, and options of the bench.
_BUSES = {
    "wishbone": SimpleNamespace(params=random_params, traffic=random_traffic,
                                shadow=lambda rng: {}, options=_wishbone_options),
    "axi4": SimpleNamespace(params=axi4_params, traffic=axi4_traffic, shadow=axi4_shadow,
                            options=axi4_options),
    "axi4 short": SimpleNamespace(params=axi4_short_params, traffic=axi4_traffic,
                                  shadow=axi4_shadow, options=axi4_options),
}
