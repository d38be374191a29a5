"""Invariants of the core's inside, with which the proof of its contract ends."""

from amaranth.hdl import Assert, Cat, Const, Signal
from amaranth.lib import data
from memsnap.copy_buffer import write_layout

from .inside import look_inside
from .whole import WholeSpec

__all__ = ["HelpedSpec"]


def _total(*bits):
    return sum((bit for bit in bits), Const(0, 1))


class HelpedSpec(WholeSpec):
    """:class:`WholeSpec` for two blocks of two beats, with asserts on what lies inside.

    Each of them is proved like the contract itself.
    """

    def elaborate(self, platform):
        core = self._core
        self._core_fragment, self._inside = look_inside(core)
        m = super().elaborate(platform)
        self._count(m, core)
        self._follow(m, core)
        return m

    def _count(self, m, core):
        """What is in flight, counted in three places."""
        i = self._inside
        depth = self._params.buffer_depth
        queue, length = self._queue, self._length
        bus = core.m_wb

        def owned(owner):
            return _total(*((queue[k].owner == owner) & (length > k) for k in range(len(queue))))

        b = "copier.buffer."
        total = i[b + "unread"] + i[b + "unwritten"] + i[b + "writing"]
        used = {"unread": ("issued", "read"), "unwritten": ("read", "taken"),
                "writing": ("taken", "answered")}
        m.d.sync += [
            Assert(i["arbiter.in_flight"] == length, "arbiter and memory"),
            Assert((i["arbiter.put__addr"] - i["arbiter.get__addr"])[0] == length[0], "owners"),
            Assert((length == 0) | (i["arbiter.home"] == queue[0].owner), "oldest owner"),
            Assert(owned(0) == i["gate.in_flight"], "gate"),
            Assert(owned(1) + i["copier.reader.read__valid"] == i[b + "unread"], "reads"),
            Assert(owned(2) == i[b + "writing"], "writes"),
            Assert(i[b + "free"] + total == depth, "free"),
            Assert(bus.cyc | (length == 0), "cyc"),
            *(Assert((i[b + ahead] - i[b + behind])[:2] == i[b + count][:2], count)
              for count, (ahead, behind) in used.items()),
        ]

    def _follow(self, m, core):
        """The symbolic beat on its way."""
        i = self._inside
        active = core.trace.active
        bus = core.m_wb
        accepted = bus.cyc & bus.stb & ~bus.stall
        block = self.beat[self._params.beat_bits:]
        names = ("claimed", "issued", "other_issued", "read", "captured", "taken", "stored",
                 "freed", "mapped", "other_mapped", "other_claimed")
        g = {name: Signal(name="g_" + name) for name in names}
        image = self._image

        def here(place):
            return place == self.beat

        issue = i["copier.reader.issue"]
        issue_place = i["copier.reader.issue_place"]
        owner = i["arbiter.owner"]
        read = accepted & (owner == 1) & self._at(bus.adr, self._params.memory_base)
        taken = accepted & (owner == 2) & self._at(bus.adr, self._params.shadow_base)
        queue, length = self._queue, self._length
        answered = (bus.ack | bus.err) & (queue[0].owner == 1) & queue[0].mine
        retired = core.trace.copied
        opened = i["sequencer.open"]
        open_here = i["sequencer.probed"] == block
        retired_here = core.trace.block[:self._params.block_bits] == block
        issue_block = issue & (issue_place[1:] == block)
        slot = Signal.like(i["copier.buffer.issued"])
        events = {
            "claimed": opened & open_here, "other_claimed": opened & ~open_here,
            "issued": issue & here(issue_place), "other_issued": issue_block & ~here(issue_place),
            "read": read, "captured": answered, "taken": taken,
            "stored": taken & ~self._failing,
            "freed": i["copier.write_valid"] & g["taken"] & (i["copier.buffer.answered"] == slot),
            "mapped": retired & retired_here, "other_mapped": retired & ~retired_here,
        }
        with m.If(events["issued"]):
            m.d.sync += slot.eq(i["copier.buffer.issued"])
        for name, event in events.items():
            if name == "freed":
                event = event & ~g[name]
            m.d.sync += [g[name].eq(active & (g[name] | event)),
                         Assert(~(active & event & g[name]), f"{name} twice")]
        m.d.sync += [
            Assert(~active | g["read"] | (self._memory_value == image), "written before read"),
            Assert(~(active & g["stored"]) | (self._shadow_value == image), "shadow"),
            Assert(~(active & g["mapped"]) | g["taken"], "mapped, not written"),
            Assert(~(active & g["taken"]) | g["captured"], "written, not captured"),
            Assert(~(active & g["captured"]) | g["read"], "captured, not read"),
            Assert(~(active & g["read"]) | g["issued"], "read, not issued"),
            Assert(~(active & g["issued"]) | g["claimed"], "issued, not claimed"),
            Assert(~(active & g["mapped"]) | g["stored"] & g["freed"], "mapped, not stored"),
            Assert(~active | (g["mapped"] + g["other_mapped"] == i["map.count"]), "map count"),
        ]
        b = "copier.buffer."
        ahead = Signal.like(slot)
        held = active & g["issued"] & ~g["freed"]
        writing, unwritten, unread = (i[b + name] for name in ("writing", "unwritten", "unread"))
        m.d.comb += ahead.eq(slot - i[b + "answered"])
        m.d.sync += [
            Assert(~held | (ahead < writing + unwritten + unread), "slot"),
            Assert(~held | (g["taken"] == (ahead < writing)), "slot taken"),
            Assert(~held | (g["captured"] == (ahead < writing + unwritten)), "slot captured"),
        ]
        ends = [data.View(data.StructLayout({"slot": len(slot), "job": 1}), i[f"{b}end{k}"])
                for k in range(2)]
        valid = [(i[b + "uncopied"] == 2) | ((i[b + "uncopied"] == 1) & (i[b + "copy"] == k))
                 for k in range(2)]
        waits = [(i[b + "uncaptured"] == 2)
                 | ((i[b + "uncaptured"] == 1) & (i[b + "capture"] == k)) for k in range(2)]
        m.d.sync += [
            Assert(i[b + "uncaptured"] <= i[b + "uncopied"], "ends"),
            Assert(i[b + "uncopied"] <= 2, "ends"),
            Assert(((i[b + "put"] - i[b + "copy"])[0]) == i[b + "uncopied"][0], "ends put"),
            Assert(((i[b + "put"] - i[b + "capture"])[0]) == i[b + "uncaptured"][0], "ends put"),
            Assert(~(valid[0] & valid[1]) | (ends[0].job != ends[1].job), "ends differ"),
            *(Assert(~waits[k] | valid[k], "ends wait") for k in range(2)),
            *(Assert(~(active & valid[k]) | ((ends[k].slot - i[b + "answered"])[:2]
                                             < writing + unwritten + unread), "end slot")
              for k in range(2)),
        ]
        self._ends, self._valid, self._ahead = ends, valid, ahead
        write = data.View(write_layout(self._params), i["copier.buffer.write__payload"])
        offered = active & i["copier.buffer.write__valid"] & here(write.place.as_value())
        m.d.sync += Assert(~offered | (write.data == image) & g["captured"], "offered")
        for k, entry in enumerate(queue):
            m.d.sync += [
                Assert(~(active & (length > k) & (entry.owner == 1) & entry.mine)
                       | (entry.value == image) & g["read"] & ~g["captured"], "read value"),
            ]
        busy = [i[f"sequencer.table.busy{j}"] for j in range(2)]
        blocks = [i[f"sequencer.table.block{j}"] for j in range(2)]
        m.d.sync += Assert(~(busy[0] & busy[1] & (blocks[0] == blocks[1])), "two jobs a block")
        for j in range(2):
            left = i[f"copier.reader.left{j}"]
            is_here = busy[j] & (blocks[j] == block)
            stopping = ~active
            m.d.sync += [
                Assert(stopping | (left == 0) | busy[j], "left, not busy"),
                Assert(stopping | ~busy[j] | (blocks[j] == i[f"copier.reader.block{j}"]), "block"),
                Assert(stopping | ~is_here | (g["claimed"] & ~g["mapped"]), "busy"),
                Assert(stopping | ~(busy[j] & (blocks[j] != block))
                       | (g["other_claimed"] & ~g["other_mapped"]), "busy"),
                Assert(stopping | ~is_here
                       | (left + g["issued"] + g["other_issued"] == 2), "left"),
                Assert(stopping | ~(is_here & i[f"sequencer.table.copied{j}"])
                       | g["stored"] & g["freed"], "co"),
                *(Assert(stopping | ~(valid[k] & is_here & (ends[k].job == j))
                         | g["issued"] & g["other_issued"]
                         & (g["freed"] | (((ends[k].slot - i[b + "answered"])[:2]) >= ahead)),
                         "end") for k in range(2)),
                Assert(stopping | ((busy[j] & (left == 0) & ~i[f"sequencer.table.copied{j}"])
                                   == ((valid[0] & (ends[0].job == j))
                                       | (valid[1] & (ends[1].job == j)))), "has end"),
                Assert(stopping | ~(is_here & i[f"sequencer.table.captured{j}"]) | g["captured"],
                       "ca"),
            ]
        here_busy = Cat(busy[j] & (blocks[j] == block) for j in range(2)).any()
        m.d.sync += [
            Assert(~active | (here_busy == (g["claimed"] & ~g["mapped"])), "claimed"),
        ]
        granted = i["gate.granted"]
        m.d.sync += [
            Assert(~(active & i["gate.granted_valid"] & (granted[1:] == block)
                     & (i["gate.granted_whole"] | (granted == self.beat)))
                   | g["captured"], "granted"),
        ]
