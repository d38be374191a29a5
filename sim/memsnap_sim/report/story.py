"""What happened in a run, in sentences, and which port waited for what."""

from collections import Counter
from dataclasses import dataclass

from .words import count

__all__ = ["PortStalls", "port_name", "stalls_by_port", "story"]

#: Bus errors that are told one by one.
ERRORS = 4


@dataclass(frozen=True)
class PortStalls:
    """How the writes of one port waited: ``held`` of them, ``longest`` and ``total`` in clocks.

    ``for_copies`` waited for a copy, the others for a look at the copy map alone; ``later`` are
    those of the former that came when the regions had been copied.
    """

    port: int
    held: int
    for_copies: int
    later: int
    longest: int
    total: int


def port_name(port):
    """Who is at a port of the simulated system."""
    return "CPU" if port == 0 else "IO device" if port == 1 else f"IO device {port}"


def regions_copied(record):
    """The clock in which the last block of the regions was copied, or None."""
    size, base = record.params.block_size, record.params.memory_base
    blocks = {block for first, last in record.regions
              for block in range((first - base) // size, (last - base) // size + 1)}
    return max((copy.clock for copy in record.copies if copy.block in blocks), default=None)


def stalls_by_port(record):
    """A :class:`PortStalls` for each port of the unit."""
    copied = {copy.block: copy.clock for copy in record.copies}
    initial = regions_copied(record)
    size, base = record.params.block_size, record.params.memory_base

    def for_copy(stall):
        clock = copied.get((stall.address - base) // size)
        return clock is None or clock > stall.clock

    ports = []
    for port in range(record.params.ports):
        stalls = [stall for stall in record.stalls if stall.port == port]
        waits = [stall for stall in stalls if for_copy(stall)]
        ports.append(PortStalls(
            port, len(stalls), len(waits),
            sum(initial is None or stall.clock > initial for stall in waits),
            max((stall.length for stall in stalls), default=0),
            sum(stall.length for stall in stalls)))
    return ports


def story(record):
    """Sentences, in the order of time; empty where nothing happened but the copying."""
    parts = _hold, _map, _initial, _faults, _errors, _failure, _packets, _device
    return [line[0].upper() + line[1:] for part in parts for line in part(record)]


def _at(record, clock):
    after = "" if record.instant is None else f" (T\N{NO-BREAK SPACE}{clock - record.instant:+,})"
    return f"clock {count(clock)}{after}"


def _some(number, one, many=None):
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def _events(record, what):
    return [event for event in record.events if event.what == what]


def _hold(record):
    held = {event.what: event.clock for event in record.events}
    if "hold" not in held:
        return
    asked, gone = held["hold"], held.get("let go")
    if "held" not in held:
        yield (f"from {_at(record, asked)} on the unit asked the ungated IO device to hold still, "
               f"and it never did" + (f"; at {_at(record, gone)} the unit gave up" if gone else ""))
        return
    wait = held["held"] - asked
    yield (f"the ungated IO device was asked to hold still at {_at(record, asked)} and did so "
           f"{_some(wait, 'clock')} later, before T")
    if gone:
        yield (f"it was let go at {_at(record, gone)}, after {_some(gone - asked, 'clock')}, when "
               f"the content of its regions was safe")


def _map(record):
    """Of a copy map in the memory: where it is, and when it was safe."""
    params = record.params
    blocks = getattr(params, "map_blocks", 0)
    if not blocks or record.instant is None:
        return
    first = params.map_first_block
    copied = [copy.clock for copy in record.copies if first <= copy.block < first + blocks]
    where = (f"the copy map is in {_some(blocks, 'block')} of the memory, from "
             f"{params.map_base:#x} on")
    if len(copied) == blocks:
        yield f"{where}; these were in the shadow at {_at(record, max(copied))}"
    else:
        yield where


def _initial(record):
    clock = regions_copied(record)
    if clock is not None and record.instant is not None:
        yield f"the regions were in the shadow at {_at(record, clock)}"


def _faults(record):
    """Faults by what they befell, each block for itself."""
    params = record.params
    groups = {}
    for fault in _events(record, "fault"):
        base = params.shadow_base if fault.port else params.memory_base
        groups.setdefault((fault.port, (fault.address - base) // params.block_size),
                          []).append(fault)
    for (shadow, block), faults in list(groups.items())[:ERRORS]:
        access = _some(len(faults), "write" if shadow else "read")
        when = f"at {_at(record, faults[0].clock)}"
        if len(faults) > 1:
            when = f"from {when[3:]} to {_at(record, faults[-1].clock)}"
        yield (f"this simulation made the {'shadow' if shadow else 'memory'} fail {access} of the "
               f"unit for block {count(block)}, {when}")
    if len(groups) > ERRORS:
        yield f"the same befell {_some(len(groups) - ERRORS, 'more block')}"
    if groups and record.policy:
        yield f"when a copy fails, the policy is to {record.policy}"
    if groups and record.done and not _events(record, "bus error"):
        yield "the unit did it again, with success, and nobody noticed"


def _errors(record):
    errors = _events(record, "bus error")
    for error in errors[:ERRORS]:
        yield (f"an access of the {port_name(error.port)} to {error.address:#x} was answered with "
               f"a bus error at {_at(record, error.clock)}; the memory did not change")
    if len(errors) > ERRORS:
        yield f"so were {_some(len(errors) - ERRORS, 'more access', 'more accesses')}"
    if errors and record.done and _events(record, "fault"):
        yield "the snapshot went on, and its image is complete"


def _failure(record):
    if not record.failed or record.instant is None:
        return
    end = record.instant + record.clocks_to_done
    late = [stall for stall in record.stalls if stall.clock + stall.length > end]
    if late:
        yield f"{_some(len(late), 'write')} waited beyond the end of the snapshot"
    else:
        yield (f"the snapshot ended at {_at(record, end)}; every held write went on then, and none "
               f"was held later")
    if record.exit_code is not None:
        yield f"the program ran on to its end, with exit code {record.exit_code}"


def _packets(record):
    packets = _events(record, "packet")
    if not packets or record.instant is None:
        return
    end = record.instant + record.clocks_to_done if record.done or record.failed else record.clocks
    while_taken = [packet for packet in packets if record.instant <= packet.clock <= end]
    bad = sum(packet.port for packet in packets)
    yield (f"the IO device wrote {_some(len(packets), 'packet')}, {count(len(while_taken))} of "
           "them while the snapshot was taken; "
           + (f"{count(bad)} met a bus error" if bad else "none met a bus error"))


def _device(record):
    for port in stalls_by_port(record)[1:]:
        if record.instant is None or (port.port == 1 and record.ungated):
            continue
        name = port_name(port.port)
        if regions_copied(record) is None:
            if port.for_copies:
                yield (f"{_some(port.for_copies, 'write')} of the {name} waited for a copy, at "
                       f"most {_some(port.longest, 'clock')}")
        elif port.later:
            yield (f"{_some(port.later, 'write')} of the {name} waited for a copy after the "
                   f"regions were copied")
        else:
            looks = port.held - port.for_copies
            yield (f"once the regions were copied, no write of the {name} waited for a copy"
                   + (f"; {_some(looks, 'write')} waited for a look at the copy map" if looks
                      else ""))


def summary(record):
    """How many of what, for ``report.json``."""
    return dict(Counter(event.what.replace(" ", "_") for event in record.events))
