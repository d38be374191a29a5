"""The table of the bench: which figures are counted on which builds.

The whole product of latencies, widths, block sizes, maps, shadows, ports and buses takes hours.
Every value of each is here, with the corners, and with the middle where one of them is varied.
"""

from . import bench_figures as figures

__all__ = ["FIGURES", "cases"]

#: The figure that each scenario counts.
FIGURES = {figures.access_cost: "P1", figures.copy_rate: "P2", figures.longest_stall: "P3",
           figures.stall_at_instant: "P3", figures.arming: "P4", figures.finishing: "P6"}

_LATENCIES = 1, 4, 16, 32
_AXI4 = {"bus": "axi4", "data_width": 64}
_SEPARATE = {"shadow": "separate", "buffer_depth": 128}
_MAP = {"map": "memory"}
_LATE = {"map_latency": 2}
_KINDS = ("read, idle", "write, idle", "read, copied", "write, copied, row at hand",
          "write, copied, row not at hand", "stream of reads, idle", "stream of writes, idle",
          "stream of writes, copied")


def cases():
    """All cases, as (scenario, keyword arguments)."""
    for make in _access_costs, _copy_rates, _stalls, _instants, _armings, _finishings:
        yield from make()


def _access_costs():
    def case(kind, **build):
        return figures.access_cost, {"kind": kind, **build}
    for kind in _KINDS:
        yield case(kind)
    for kind in _KINDS:
        yield case(kind, latency=2, **_AXI4)
    for kind in _KINDS[2:5]:
        yield case(kind, latency=32, data_width=64)
        yield case(kind, **_MAP)
        yield case(kind, latency=4, ports=2)
        yield case(kind, latency=16, **_SEPARATE)
        yield case(kind, latency=32, bus="axi4", data_width=128)
    yield case(_KINDS[4], latency=4, map_cache=2, **_MAP)
    yield case(_KINDS[3], latency=2, **_MAP, **_AXI4)
    for kind in *_KINDS[2:5], _KINDS[7]:
        yield case(kind, **_LATE)
    for kind in _KINDS[4], _KINDS[7]:
        yield case(kind, latency=2, **_LATE, **_AXI4)
    yield case(_KINDS[7], **_MAP)
    yield case(_KINDS[7], ports=2)
    yield case(_KINDS[7], latency=2, ports=2, **_AXI4)


def _copy_rates():
    def case(latency, block_size, **build):
        return figures.copy_rate, {"latency": latency, "block_size": block_size, **build}
    for data_width in 32, 64:
        for latency in _LATENCIES:
            yield case(latency, 64, data_width=data_width)
        for latency in 1, 32:
            yield case(latency, 16, data_width=data_width)
    yield case(4, 512)
    yield case(16, 512, data_width=64)
    yield case(32, 4096)
    for latency in _LATENCIES:
        yield case(latency, 4096, data_width=64)
    # A separate shadow
    for latency, block_size in (1, 16), (32, 16), (4, 64), (32, 64), (32, 4096):
        yield case(latency, block_size, **_SEPARATE)
    for latency, block_size in (16, 512), (32, 16):
        yield case(latency, block_size, data_width=64, **_SEPARATE)
    # The map in the memory
    for latency, block_size in (32, 16), (4, 64), (16, 512):
        yield case(latency, block_size, **_MAP)
    yield case(32, 4096, data_width=64, **_MAP)
    yield case(32, 64, ports=2)
    # The map's rows in a register first
    for latency, block_size in (4, 16), (4, 64):
        yield case(latency, block_size, **_LATE)
    yield from _axi4_copy_rates(case)


def _axi4_copy_rates(case):
    for latency in _LATENCIES:
        yield case(latency, 64, **_AXI4)
    for latency in 1, 32:
        yield case(latency, 4096, **_AXI4)
    yield case(16, 512, **_AXI4)
    yield case(32, 64, bus="axi4", data_width=32)
    for latency, block_size in (1, 64), (32, 64), (32, 4096):
        yield case(latency, block_size, bus="axi4", data_width=128)
    for data_width in 32, 64, 128:
        yield case(32, 16, bus="axi4", data_width=data_width)
    yield case(32, 64, shadow="separate", **_AXI4)
    yield case(32, 64, copier_port="own", **_AXI4)
    for block_size in 16, 32, 64:
        yield case(32, block_size, **_LATE, **_AXI4)
    yield case(32, 64, **_MAP, **_AXI4)
    yield case(32, 64, ports=2, **_AXI4)


def _stalls():
    def case(latency, block_size, **build):
        return figures.longest_stall, {"latency": latency, "block_size": block_size, **build}
    for block_size in 16, 64:
        for latency in _LATENCIES:
            yield case(latency, block_size)
        for latency in 1, 32:
            yield case(latency, block_size, data_width=64)
    for latency in 4, 16:
        yield case(latency, 512)
    for latency in _LATENCIES:
        yield case(latency, 4096, data_width=64)
        yield case(latency, 64, ports=2)
    yield case(1, 16, ports=2)
    yield case(4, 512, ports=2)
    for latency in 1, 32:
        yield case(latency, 64, **_SEPARATE)
    for latency, block_size in (32, 16), (4, 64), (32, 64), (4, 512):
        yield case(latency, block_size, **_MAP)
    for latency in 1, 4, 32:
        yield case(latency, 16, blocks=256, map_cache=2, **_MAP)
    for latency in 1, 4, 32:
        yield case(latency, 64, **_LATE)
    yield case(4, 64, ports=2, **_LATE)
    yield from _axi4_stalls(case)


def _axi4_stalls(case):
    for latency in 1, 32:
        yield case(latency, 16, **_AXI4)
        yield case(latency, 4096, **_AXI4)
        yield case(latency, 64, ports=2, **_AXI4)
        yield case(latency, 64, bus="axi4", data_width=128)
    for latency in _LATENCIES:
        yield case(latency, 64, **_AXI4)
    for latency in 4, 16:
        yield case(latency, 512, **_AXI4)
    yield case(4, 64, bus="axi4", data_width=32)
    yield case(4, 64, copier_port="own", **_AXI4)
    yield case(4, 64, **_LATE, **_AXI4)
    yield case(16, 64, shadow="separate", **_AXI4)
    yield case(4, 64, **_MAP, **_AXI4)


def _instants():
    for latency in _LATENCIES:
        yield figures.stall_at_instant, {"latency": latency}
    for latency in 4, 32:
        yield figures.stall_at_instant, {"latency": latency, **_AXI4}


def _armings():
    def case(memory_size, **build):
        return figures.arming, {"memory_size": memory_size, **build}
    for memory_size in 0x1000, 0x10000, 0x100000:
        yield case(memory_size)
    yield case(0x10000, latency=32, data_width=64, ports=2)
    yield case(0x10000, latency=4, **_MAP)
    yield case(0x10000, latency=16, **_SEPARATE)
    for memory_size in 0x1000, 0x100000:
        yield case(memory_size, **_AXI4)
    yield case(0x10000, latency=32, bus="axi4", data_width=128, ports=2)


def _finishings():
    def case(left, **build):
        return figures.finishing, {"left": left, **build}
    for left in 1, 3:
        yield case(left, data_width=64)
    yield case(2, latency=32, data_width=64)
    yield case(1, data_width=64, **_LATE)
    yield case(1, latency=32, block_size=16, **_SEPARATE)
    yield case(1, latency=4, data_width=64, **_MAP)
    yield case(1, bus="axi4")
    yield case(3, latency=32, bus="axi4")
