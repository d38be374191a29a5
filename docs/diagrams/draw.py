"""Draws the timing diagrams of the documentation from a simulation of the unit.

``python docs/diagrams/draw.py`` writes ``docs/img/*.svg``; with ``--check`` it says which are
not what the unit does now. Each clock of a diagram was sampled, so none of them can be wrong.
"""

import argparse
import io
import json
import sys
from pathlib import Path

import wavedrom
from memsnap import SnapshotParams
from memsnap.control import State
from memsnap_sim.kit import Bench, read, write

OUT = Path(__file__).parents[1] / "img"
PARAMS = dict(memory_size=0x80, shadow_base=0x80, addr_width=9, block_size=16, buffer_depth=16)


class Recorder:
    """Samples a unit on a bench, clock by clock."""

    def __init__(self, bench):
        self.bench = bench
        self.rows = []

    async def clocks(self, count, **pins):
        """Goes on for some clocks, with input pins held at these values."""
        for name, value in pins.items():
            self.bench._ctx.set(getattr(self.bench.unit, name), value)
        for _ in range(count):
            self.rows.append(self._row())
            await self.bench.clocks(1)

    def _row(self):
        unit, get = self.bench.unit, self.bench.sample
        row = {name: get(getattr(unit, name)) for name in ("trigger", "io_hold", "io_held")
               if hasattr(unit, name)}
        row |= {"state": State(get(unit.trace.state)).name, "active": get(unit.trace.active),
                "held": get(unit.trace.held) & 1}
        for name in "s_wb", "m_wb":
            bus = getattr(unit, name)
            row[f"{name} cyc"] = get(bus.cyc)
            row[f"{name} ack"], row[f"{name} err"] = get(bus.ack), get(bus.err)
            asks = get(bus.cyc) and get(bus.stb)
            row[name] = f"{'w' if get(bus.we) else 'r'} {4 * get(bus.adr):x}" if asks else ""
            row[f"{name} stall"] = get(bus.stall) if asks else 0
        return row


def wave(rows, lanes, *, first=0, text=""):
    """WaveDrom's description of some lanes: pairs of a row's key and the name shown."""
    signal = [{"name": "clk", "wave": "p" + "." * (len(rows) - 1)}]
    for key, name in lanes:
        values = [row[key] for row in rows]
        shape, labels, before = "", [], None
        for at, value in enumerate(values):
            request = isinstance(value, str) and key != "state"
            again = value == before and not (request and value and not rows[at - 1][f"{key} stall"])
            if again:
                shape += "."
            elif isinstance(value, str):
                shape += "=" if value else "z" if request else "x"
                labels += [_label(values, at)] if value else []
            else:
                shape += str(value)
            before = value
        signal.append({"name": name, "wave": shape, **({"data": labels} if labels else {})})
    return {"signal": signal, "head": {"tick": first}, "foot": {"text": text},
            "config": {"hscale": 1}}


def _label(values, at):
    """A value as it is shown; shortened where there is no room for it."""
    value = values[at].lower()
    alone = at + 1 < len(values) and values[at + 1] != values[at]
    return value[:3] + "." if alone and len(value) > 5 else value


def simulate(script, *, latency=2, **changes):
    """The rows that ``script(bench, recorder)`` recorded."""
    rows = []

    async def run(bench):
        recorder = Recorder(bench)
        await bench.ready()
        await script(bench, recorder)
        rows.extend(recorder.rows)
        bench.memory.answering = True
        await bench.clocks(400)

    Bench(SnapshotParams(**{**PARAMS, **changes}), latency=latency).run(run)
    return rows


# The diagrams ------------------------------------------------------------------------------------

REQUESTS = [("s_wb", "s_wb request"), ("s_wb stall", "s_wb stall"), ("s_wb ack", "s_wb ack"),
            ("m_wb", "m_wb request"), ("m_wb ack", "m_wb ack")]


def instant():
    """Writes in each clock, a start, the first write that is held."""
    async def script(bench, recorder):
        await bench.write("PAUSE", 1)
        bench.initiator.add(*(write(4 + at, at) for at in range(8)))
        await recorder.clocks(4)
        await recorder.clocks(1, trigger=1)
        await recorder.clocks(12, trigger=0)
        await bench.write("PAUSE", 0)

    return wave(simulate(script), [("trigger", "trigger"), ("state", "STATUS.state"),
                                   ("active", "active"), ("held", "write held"), *REQUESTS],
                text="T is the first clock with active; w 24 comes after it, and is held")


def held_write():
    """A write to a block that nobody has copied."""
    return wave(_writes()[:20], [("held", "write held"), *REQUESTS],
                text="read latency 2; the block is 60 to 6f, its place in the shadow e0 to ef")


def copied_write():
    """A write to a block that is copied, once its row is at hand and once it is not."""
    return wave(_writes()[23:], [("held", "write held"), *REQUESTS],
                text="w 64 waits one clock for the map's row")


def _writes():
    async def script(bench, recorder):
        await bench.write("PAUSE", 1)
        await recorder.clocks(1, trigger=1)
        await recorder.clocks(6, trigger=0)
        recorder.rows.clear()
        bench.initiator.add(write(0x18, 1), write(0x19, 2, gap=16), read(0x18),
                            write(0x18, 3))
        await recorder.clocks(34)
        await bench.write("PAUSE", 0)

    return simulate(script)


def io_hold():
    """An ungated master is asked to hold still; one region of one block."""
    async def script(bench, recorder):
        await bench.set_regions([(0x40, 0x4F)], kind=2)
        await bench.set_policy(hold_io=1)
        await bench.write("PAUSE", 1)
        await recorder.clocks(2)
        await recorder.clocks(1, trigger=1)
        await recorder.clocks(3, trigger=0)
        await recorder.clocks(1, io_held=1)
        while recorder.rows[-1]["io_hold"]:
            await recorder.clocks(1)
        await recorder.clocks(2, io_held=0)
        await bench.write("PAUSE", 0)

    return wave(simulate(script, io_hold=True),
                [("trigger", "trigger"), ("io_hold", "io_hold"), ("io_held", "io_held"),
                 ("state", "STATUS.state"), ("active", "active"), ("m_wb", "m_wb request"),
                 ("m_wb ack", "m_wb ack")],
                text="T waits for io_held; io_hold falls when the region is inside the unit")


def timeout():
    """A memory that answers no more; TIMEOUT is 6."""
    async def script(bench, recorder):
        await bench.write("TIMEOUT", 6)
        await recorder.clocks(1, trigger=1)
        await recorder.clocks(8, trigger=0)
        recorder.rows.clear()
        bench.memory.answering = False
        bench.initiator.add(read(0x10))
        while not recorder.rows or recorder.rows[-1]["state"] != "CLEARING":
            await recorder.clocks(1)
        recorder.rows.pop()

    return wave(simulate(script, buffer_depth=4), [("state", "STATUS.state"), ("active", "active"),
                                   ("s_wb", "s_wb request"), ("s_wb ack", "s_wb ack"),
                                   ("s_wb err", "s_wb err"), ("m_wb cyc", "m_wb cyc"),
                                   ("m_wb", "m_wb request"), ("m_wb ack", "m_wb ack")],
                text="the memory is silent; after TIMEOUT clocks cyc falls, and the read gets err")


DIAGRAMS = {"instant": instant, "held-write": held_write,
            "copied-write": copied_write, "io-hold": io_hold, "timeout": timeout}


def svg(description):
    """The picture of WaveDrom's description."""
    stream = io.StringIO()
    wavedrom.render(json.dumps(description)).write(stream)
    return stream.getvalue().rstrip() + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing, say what is stale")
    check = parser.parse_args().check
    stale = []
    for name, draw in DIAGRAMS.items():
        path, text = OUT / f"{name}.svg", svg(draw())
        if not path.exists() or path.read_text() != text:
            stale.append(str(path))
            if not check:
                path.write_text(text)
                print("wrote", path)
    if check and stale:
        sys.exit(f"stale: {', '.join(stale)}; run python {__file__}")


if __name__ == "__main__":
    main()
