"""The compiled system with IO devices and with a separate shadow: images, holds, who waits."""

import numpy as np
import pytest
from memsnap import SnapshotParams
from memsnap.control import RegionKind
from memsnap.regs.fields import Cause
from memsnap_sim import soc
from memsnap_sim.elf import load
from memsnap_sim.soc import RunOptions, What
from memsnap_sim.surroundings import Fault
from memsnap_sim.toolchain import build_program
from test_soc import CLASSIC

pytestmark = pytest.mark.systems

#: All that the system can have beside its first port, on either bus.
SYSTEMS = {"pipelined": SnapshotParams(ports=2, io_hold=True), "classic-64": CLASSIC,
           "axi4-64": SnapshotParams(bus="axi4", data_width=64, ports=2, io_hold=True,
                                     copier_port="own", shadow="separate", shadow_base=0x20000)}
HOLD = {"POLICY": {"hold_io": 1}}


@pytest.fixture(scope="module", params=SYSTEMS)
def system(request):
    return soc.build(SYSTEMS[request.param])


@pytest.fixture(scope="module")
def packets():
    return load(build_program("packets"))


def regions(program):
    spans = [program.symbol(name) for name in ("ring", "buffers")]
    return tuple((at, at + size - 1, RegionKind.DMA) for at, size in spans)


def run(binary, program, **options):
    """Runs it; the snapshot starts with a packet in the midst of them."""
    result = soc.run(binary, program.segments, program.entry, RunOptions(**{
        "latency": 3, "at_address": program.symbol("checkpoint")[0], "nth": 30,
        "regions": regions(program), "wait": True, **options}))
    assert (result.ended, result.exit_code) == (True, 0), result.console
    return result


def slowly(binary):
    """The background copy takes some 600,000 clocks."""
    return {"PACE": 600_000 // binary.params.blocks}


def events(result, what):
    return result.events[result.events["what"] == what]


@pytest.mark.parametrize("ungated", [False, True], ids=["gated", "ungated"])
def test_images_are_exact_while_a_device_writes(system, packets, ungated):
    result = run(system, packets, ungated=ungated, registers=HOLD if ungated else {},
                 stall=0.1, seed=5, shadow_latency=9)
    assert result.status.done
    assert result.mismatch(system.params) is None
    assert " 0 lost to bus errors; 0 things wrong" in result.console
    counters = result.counters
    sent = events(result, What.PACKET)["clock"]
    end = counters.instant + counters.duration
    assert ((sent > counters.instant) & (sent < end)).sum() >= 3
    assert result.stalls["length"].sum() == counters.stall_total
    held = events(result, What.HOLD), events(result, What.HELD), events(result, What.LET_GO)
    assert [len(each) for each in held] == [int(ungated)] * 3
    if ungated:
        up, answer, down = (int(each["clock"][0]) for each in held)
        assert up <= answer <= counters.instant < down < end
        assert not (result.stalls["port"] == 1).any()


def test_a_gated_device_waits_for_no_copy_once_its_regions_are_copied(system, packets):
    slow = slowly(system)
    result = run(system, packets, registers=slow)
    size = system.params.block_size
    spans = {block for first, last, _ in regions(packets)
             for block in range(first // size, last // size + 1)}
    copied = result.copies[np.isin(result.copies["block"], list(spans))]
    assert len(copied) == len(spans)
    stalls = result.stalls
    later = stalls[(stalls["port"] == 1) & (stalls["clock"] > copied["clock"].max())]
    assert (later["length"] == 1).all(), "looks at the map, a clock each"
    assert (stalls[stalls["port"] == 0]["length"] > 1).any()
    without = run(system, packets, registers=slow, regions=())
    demanded = without.copies[np.isin(without.copies["block"], list(spans))
                              & (without.copies["kind"] == 0)]
    assert len(demanded), "without the regions it does"


def test_a_device_that_does_not_hold_still(system, packets):
    result = run(system, packets, ungated=True, deaf=True, registers=HOLD | {"TIMEOUT": 900})
    assert result.status.failed and result.status.cause is Cause.IO_TIMEOUT
    assert result.instant is None
    up, down = (int(events(result, what)["clock"][0]) for what in (What.HOLD, What.LET_GO))
    assert down - up == pytest.approx(900, abs=4)
    assert not len(events(result, What.HELD)) and not len(result.stalls)


def test_an_ungated_device_that_is_not_held_spoils_the_image(system, packets):
    """The simulation sees what the unit does not."""
    result = run(system, packets, ungated=True, regions=(), registers=slowly(system))
    assert result.status.done
    found = result.mismatch(system.params)
    assert any(first <= found.address <= last for first, last, _ in regions(packets))


@pytest.mark.parametrize("fault, cause", [
    (Fault(side="shadow", block=200), Cause.WRITE_ERROR),
    (Fault(side="memory", block=201, skip=3), Cause.READ_ERROR),
    (Fault(side="shadow", address=0xe049), Cause.WRITE_ERROR),
    (Fault(side="memory", silent=True, skip=500), Cause.TIMEOUT),
    (Fault(side="shadow", silent=True, skip=500), Cause.TIMEOUT),
])
def test_faults_are_met_and_survived(system, packets, fault, cause):
    result = run(system, packets, faults=(fault,), registers={"TIMEOUT": 3000})
    assert result.status.failed and result.status.cause is cause
    met = events(result, What.FAULT)
    first, last = fault.bytes_of(system.params)
    assert len(met) == 1
    assert first <= met["address"][0] <= last
    assert met["port"][0] == (fault.side == "shadow")
    if fault.block or fault.address:
        block = fault.block or fault.address // system.params.block_size
        assert result.status.fail_block == block
    assert result.stalls["clock"].max(initial=0) < result.counters.instant + \
        result.counters.duration


def test_no_program_mistakes_a_system_without_a_device(packets):
    binary = soc.build(SnapshotParams())
    result = soc.run(binary, packets.segments, packets.entry, RunOptions(snapshot="none"))
    assert (result.ended, result.exit_code) == (True, 1)
    assert "there is no IO device" in result.console
