"""The scan for zeros: every zero once, in order, whenever its rows come."""

import pytest
from memsnap.zero_scan import ZeroScan

from sim import seeded, simulate


@pytest.mark.parametrize("may_miss", [False, True], ids=["hits", "misses"])
@pytest.mark.parametrize("bits", [2, 32])
def test_random(bits, may_miss):
    rng = seeded(bits)
    rows = 11

    async def one_pass(pins):
        density = rng.choice([0, 0.05, 0.5, 1])
        data = [sum((rng.random() >= density) << bit for bit in range(bits)) for _ in range(rows)]
        given = [row for row in range(rows) if rng.random() < 0.7]
        zeros = [bits * row + bit for row in given for bit in range(bits)
                 if not data[row] >> bit & 1]
        seen, shown = [], None
        for _ in range(4000):
            pins.last = not given
            pins.row_valid = bool(given) and rng.random() < 0.8
            pins.row = given[0] if given else rng.randrange(rows)
            hit = rng.random() < 0.7
            pins.scan_data = data[shown] if shown is not None else rng.getrandbits(bits)
            if may_miss:
                pins.scan_valid = hit
                if not hit:
                    pins.scan_data = rng.getrandbits(bits)
            pins.scanned = pins.scan and rng.random() < 0.8
            pins.next = pins.proposed and rng.random() < 0.7
            if pins.next:
                seen.append(pins.index)
            if pins.done:
                break
            assert not pins.row_next or given
            shown = pins.row if pins.scanned else None
            if pins.row_next:
                given.pop(0)
            await pins.tick()
        assert pins.done and seen == zeros
        pins.drive(reset=1)
        await pins.tick()
        pins.drive(reset=0)

    async def script(pins):
        for _ in range(30):
            await one_pass(pins)
    simulate(ZeroScan(rows, bits, may_miss=may_miss), script)


def test_a_row_without_zeros_takes_a_clock():
    async def script(pins):
        row = clocks = 0
        while row < 20:
            pins.drive(row=row, row_valid=1, scan_data=0xff)
            pins.scanned = pins.scan
            row += pins.row_next
            clocks += 1
            await pins.tick()
        assert clocks == 20
    simulate(ZeroScan(20, 8), script)
