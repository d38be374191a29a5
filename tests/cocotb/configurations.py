"""The units that the suite exports, by name."""

__all__ = ["CONFIGURATIONS"]

#: Arguments of ``SnapshotParams``. Small memories, so that a snapshot takes a thousand clocks.
CONFIGURATIONS = {
    # One port for all
    "axi4": dict(bus="axi4", memory_base=0x1000, memory_size=24 * 64, shadow_base=0x2000,
                 addr_width=16, block_size=64, burst_beats=8, buffer_depth=32, regions=2),
    # A port for each purpose, registers on the other bus, user signals, short ids
    "axi4-ports": dict(bus="axi4", registers="wishbone", data_width=64, ports=2,
                       memory_base=0x800, memory_size=40 * 32, shadow="separate", shadow_base=0x800,
                       addr_width=14, block_size=32, copier_port="own", id_width=2, user_width=3,
                       buffer_depth=32, regions=2),
    # Blocks longer than a burst of the copier, the map in the memory, the strict release
    "axi4-map": dict(bus="axi4", map="memory", map_cache=2, data_width=32, memory_base=0,
                     memory_size=70 * 16, shadow_base=0x800, addr_width=12, block_size=16,
                     release="copied", retry=True, burst_beats=4, buffer_depth=16, regions=1),
    # Wishbone; registers on the other bus
    "wishbone": dict(registers="axi4-lite", memory_base=0x800, memory_size=40 * 32,
                     shadow_base=0x1000, addr_width=14, block_size=32, buffer_depth=16, regions=2),
    "wishbone-classic": dict(pipelined=False, ports=2, shadow="separate", shadow_base=0,
                             memory_size=20 * 64, addr_width=14, block_size=64, buffer_depth=16,
                             regions=2),
}
