"""The state of the model: one record for each part of the unit and its surroundings.

Everything is a whole number of 64 bits, and what the unit takes modulo something counts on here.
A beat of the memory is named by its *place*, the number of the beat from the memory's start.
"""

from collections import namedtuple

import numpy as np

__all__ = ["ASKED", "AXI4_WRITES", "Arrays", "GATE", "LOOK", "MAP", "MOST_JOBS", "MOST_PORTS",
           "NOBODY", "PICK", "PROPOSED", "READ", "UNIT", "WRITE"]

MOST_JOBS = 64
MOST_PORTS = 4
_MOST_REGIONS = 16

# Who asked something of a memory: a gate (by its number), a half of the copier, or the copy map
NOBODY, GATE, READ, WRITE, MAP = -1, 0, 4, 5, 6

#: AXI4 writes whose data is still to pass the arbiter, at the most.
AXI4_WRITES = 16

# What the sequencer is about
PICK, PROPOSED, ASKED, LOOK = range(4)


def _record(names, **arrays):
    fields = [(name, np.int64) for name in names.split()]
    return np.dtype(fields + [(name, np.int64, (size,)) for name, size in arrays.items()])


#: The configuration, and what is asked of this run.
_PARAMS = _record(
    "memory_base shadow_base beats beat_bits blocks rows jobs background_jobs buffer_depth reserve "
    "max_in_flight ports regions words separate in_memory map_base map_first map_blocks "
    "rows_of_beat rows_of_block notes early pipelined share pace ready start_clock start_beat kept "
    "initiator_in_flight log burst_beats chunk_beats read_port write_port small map_beside "
    "deep_notes map_latency",
    first=_MOST_REGIONS, last=_MOST_REGIONS)

#: What the parts tell each other in a clock.
_WIRES = _record(
    "answer shadow_answer owner port accepted read_ready write_ready read_answer write_answer "
    "issue issue_last issue_place issue_job skip target unread_next take captured captured_job "
    "copied copied_job enable open visit follow demand late job place find kind grant whole held "
    "asker looking scan scan_row scanned reads_ahead initial_next background_next "
    "background_claim own_next own_copied set_valid set_ready set_done set_block retire "
    "finished_taken map_ready map_answer map_written map_read map_returns map_misses put put_we "
    "put_row next_row full start can_arm stands waits copier read_place write_place data "
    "data_last map_offers map_done comes",
    hold=MOST_PORTS, claims=MOST_PORTS, asks=MOST_PORTS, taken=MOST_PORTS, refuse=MOST_PORTS,
    looks=MOST_PORTS, permits=MOST_PORTS, secured=MOST_PORTS, granted=MOST_PORTS,
    reads=MOST_PORTS, reads_taken=MOST_PORTS, owners=2, read_home=3, write_home=3)

_INITIATOR = _record(
    "port base count more made accepted answered current adr we pulled next_adr next_we wait "
    "last_answer")

_GATE = _record(
    "row_known row row_bits reads read_row read_bits looked seen settled granted_valid "
    "granted_whole granted ask_valid ask in_flight refusing due stalled held_for waited")

# On AXI4, each with one of both directions, reads and writes
_AXI4_INITIATOR = _record("data beat", begun=2, accepted=2, answered=2)
_AXI4_GATE = _record(
    "walking stuck asked at here last within row_here row_copied here_copied here_granted drained "
    "dropping answering", in_flight=2)
_AXI4_ARBITER = _record("first count", denied=2, due=2, turn=2, order=AXI4_WRITES)
_AXI4_SKID = _record("kept place count offers")
_AXI4_MEMORY = _record("data beats", head=2, tail=2, last=2)
_AXI4_COPY = _record("", asked=2, lag=2, slow=2, was_slow=2)
_AXI4_RUNS = _record("valid sent first count last idle offers extends passes taken ready")
_AXI4_COPY_WRITES = _record("queued staged announced sent answered index unsent left")
_AXI4_MAP = _record("valid we row addressed sent pending writes reading begun")

_JOIN = _record("last waiting waiting_owner")
_ARBITER = _record("denied due kept kept_owner read_done write_done map_done")
_MEMORY = _record("head tail last_answer busy done")
_MAP = _record(
    "block count writing completes completing word setting take_hit take_blank fetching fetch_row "
    "asked wrote scanned scan_at scan_hit sweeping sweep_row unwritten unwritten_row whole "
    "blank_from")
_REQUESTS = _record("valid we row block before reading after")
_OWN = _record("block claimed copied taken under_way done")
_LIFE = _record("started accepted armed active instant ended")
_SEQUENCER = _record(
    "state then probed row_bits behind reading turn stuck again here scanned leaving map_urgent",
    waiting=MOST_PORTS, visited=MOST_PORTS, securing=MOST_PORTS)
_TABLE = _record(
    "used finished leaving taken found found_job",
    busy=MOST_JOBS, captured=MOST_JOBS, copied=MOST_JOBS, block=MOST_JOBS, kind=MOST_JOBS)
_INITIAL = _record("region block proposed done")
_SCAN = _record("row seen_row seen todo_row todo proposed index fetched behind data done")
_PACE = _record("claimed")
_READER = _record(
    "now other chosen moved paused valid place asked read pending offered waits want_job want "
    "whose run_job first run_issued run_captured growing before",
    waiting=MOST_PORTS, due=MOST_PORTS,
    block=MOST_JOBS, beat=MOST_JOBS, left=MOST_JOBS, circle=MOST_JOBS, away=MOST_JOBS,
    visited=MOST_JOBS, stamp=MOST_JOBS, late=MOST_JOBS)
_BUFFER = _record(
    "free unread unwritten issued read taken answered offered put capture copy",
    end_slot=MOST_JOBS, end_job=MOST_JOBS)
_FIGURES = _record("held stall_longest stall_total stalls copies", blocks=3)

#: Everything that changes from clock to clock, but the arrays.
UNIT = np.dtype([
    ("clock", np.int64),
    ("params", _PARAMS),
    ("wires", _WIRES),
    ("initiator", _INITIATOR, (MOST_PORTS,)),
    ("gate", _GATE, (MOST_PORTS,)),
    ("join", _JOIN),
    ("arbiter", _ARBITER),
    ("memory", _MEMORY),
    ("shadow", _MEMORY),
    ("map", _MAP),
    ("requests", _REQUESTS),
    ("own", _OWN),
    ("life", _LIFE),
    ("sequencer", _SEQUENCER),
    ("table", _TABLE),
    ("initial", _INITIAL),
    ("words", _SCAN),
    ("background", _SCAN),
    ("pace", _PACE),
    ("reader", _READER),
    ("buffer", _BUFFER),
    ("figures", _FIGURES),
    ("axi4_initiator", _AXI4_INITIATOR, (MOST_PORTS,)),
    ("axi4_gate", _AXI4_GATE, (MOST_PORTS,)),
    ("axi4_arbiter", _AXI4_ARBITER),
    ("axi4_skid", _AXI4_SKID, (2,)),
    ("axi4_memory", _AXI4_MEMORY, (3,)),
    ("axi4_copy", _AXI4_COPY),
    ("axi4_read_runs", _AXI4_RUNS),
    ("axi4_write_runs", _AXI4_RUNS),
    ("axi4_writes", _AXI4_COPY_WRITES),
    ("axi4_map", _AXI4_MAP),
])

#: What has a size of its own.
#:
#: accesses : (ports, n, 3), the gap, the word address, and whether it is a write; on AXI4
#:     (ports, n, 4), with the beats
#: rows : (rows,) of uint32, the copy map, a set bit for a copied block
#: words : (words,) of uint32, its summary, a set bit for a row without a block that is left
#: tags : (lines,), which row of a map in the memory is in each line on chip
#: notes : (jobs * block_beats,), which beats were read
#: places : (buffer_depth,), the places of the beats in the buffer
#: answers, owners : (max_in_flight,), of what the memory owes: the clock, and to whom
#: shadow_answers : (max_in_flight,), the same for a separate shadow
#: stalls : (n, 6), copies : (n, 3), log : (ports, n, 3); see :class:`Result`
#: timing, shadow_timing : what the memories' timing keeps
#: asked : AXI4, (ports, 2, n, 3), the reads and writes that an initiator has begun
#: owed : AXI4, (3, 2, n, 4), the reads and writes that each memory's port has taken
#: lengths : AXI4, (buffer_depth,), beats of the copier's writes that are under way
Arrays = namedtuple("Arrays", "accesses rows words tags notes places answers owners shadow_answers "
                              "stalls copies log timing shadow_timing asked owed lengths")
