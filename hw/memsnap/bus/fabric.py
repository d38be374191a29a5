"""What every bus fabric offers to the core; and which data buses a unit has."""

from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..copier import Answer
from ..copy_buffer import write_layout
from ..map_requests import request_layout
from ..params import Bus, CopierPort, Map, Shadow
from ..ranges import beat_layout
from . import axi4, wishbone

__all__ = ["GateSignature", "bus_members", "fabric_members", "upstream_names"]


def upstream_names(params):
    """The names of the upstream ports: ``s_wb``, or of several ``s0_wb``, ``s1_wb``, …."""
    bus = "axi" if params.bus is Bus.AXI4 else "wb"
    if params.ports == 1:
        return [f"s_{bus}"]
    return [f"s{port}_{bus}" for port in range(params.ports)]


def bus_members(params):
    """The members for the data buses of a unit."""
    separate = params.shadow is Shadow.SEPARATE
    if params.bus is Bus.WISHBONE:
        bus = wishbone.Signature.of(params)
        members = {name: In(bus) for name in upstream_names(params)} | {"m_wb": Out(bus)}
        return members | ({"x_wb": Out(wishbone.Signature.of_shadow(params))} if separate else {})
    upstream = axi4.Signature.of(params, id_width=params.id_width)
    copier = axi4.Signature.of(params, id_width=1)
    members = {name: In(upstream) for name in upstream_names(params)}
    members["m_axi"] = Out(axi4.Signature.of(params, id_width=params.memory_id_width))
    members |= {"c_axi": Out(copier)} if params.copier_port is CopierPort.OWN else {}
    return members | ({"x_axi": Out(copier)} if separate else {})


class GateSignature(wiring.Signature):
    """What a gate and the core tell each other, seen from the gate.

    Parameters
    ----------
    params : SnapshotParams

    Members
    -------
    look, look_row, look_data, look_raw, flip
        Reader of the copy map, see :class:`memsnap.copy_map.CopyMap`.
    ask : ``Out(stream.Signature(beat_layout))``
        The place of the held write; withdrawn only when the snapshot ends. The place is granted
        with ``ask.ready``.
    whole : ``In(1)``
        With ``ask.ready``: the grant is for every beat of the block.
    deny_read : ``In(1)``
        Reads of a shadow behind the same port are answered with an error, too.
    fail : ``In(1)``
        The held write is answered with an error, and does not reach the memory.
    held : ``Out(1)``
        A write is being held in this clock.
    """

    def __init__(self, params):
        super().__init__({
            "look": Out(1),
            "look_row": Out(range(max(2, params.map_rows))),
            "look_data": In(params.map_row_bits),
            "look_raw": In(params.map_row_bits),
            "flip": In(1),
            "ask": Out(stream.Signature(beat_layout(params))),
            "whole": In(1),
            "deny_read": In(1),
            "fail": In(1),
            "held": Out(1),
        })


def fabric_members(params):
    """The members of a fabric: the data buses, and

    gates : ``Out(GateSignature).array(ports)``
    active : ``In(1)``
        From the instant to the end of the snapshot.
    protect : ``In(1)``
        Initiators' writes to a shadow behind the same port are refused.
    single : ``In(1)``
        From before ``active`` rises until the copier is at rest, and whenever a copy map in the
        memory may be read or written.
    can_arm : ``Out(1)``
        No write is at a memory port that could not be held: ``active`` may rise at the end of this
        clock.
    can_hold : ``Out(1)``
        No gate has a burst open whose next beat could not be held.
    drained : ``Out(1)``
        All writes that had been accepted when ``active`` rose have been answered.
    read, read_answer, write, write_answer
        See :class:`memsnap.copier.Copier`.
    urgent : ``In(1)``
        A held write waits for a read of the copier.
    share : ``In(32)``
        Clocks that the copier is denied a memory port before it comes first; 0 for any number.
    abort, aborting : ``In(memory_ports)``, ``Out(memory_ports)``
        Gives up what the copier asked of a memory: from the next clock on each request is answered
        with an error, and ``aborting`` lasts until all are.
    waiting : ``Out(memory_ports)``
        The memory owes an answer or an acceptance, and gives none in this clock.
    owing : ``Out(1)``
        The memory owes answers to requests that were given up; a start must wait.
    map_request, map_answer, map_urgent
        Only with a map in the memory: see :class:`memsnap.map_requests.MapRequests`.
    """
    ports = params.memory_ports
    members = {
        **bus_members(params),
        "gates": Out(GateSignature(params)).array(params.ports),
        "active": In(1),
        "protect": In(1),
        "single": In(1),
        "can_arm": Out(1),
        "can_hold": Out(1),
        "drained": Out(1),
        "read": In(stream.Signature(beat_layout(params))),
        "read_answer": Out(Answer(params.data_width)),
        "write": In(stream.Signature(write_layout(params))),
        "write_answer": Out(Answer(0)),
        "urgent": In(1),
        "share": In(32),
        "abort": In(ports),
        "aborting": Out(ports),
        "waiting": Out(ports),
        "owing": Out(1),
    }
    if params.map is Map.MEMORY:
        members |= {"map_request": In(stream.Signature(request_layout(params))),
                    "map_answer": Out(Answer(params.data_width)), "map_urgent": In(1)}
    return members
