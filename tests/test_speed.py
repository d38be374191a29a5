"""The comparison of simulation speeds: that it runs and says so; how fast is not tested."""

import io

import pytest
from memsnap_sim.speed import Speed, measure, table
from rich.console import Console


@pytest.mark.soak
def test_each_way_is_measured():
    speeds = measure("touch", at_clock=5000, amaranth_clocks=800)
    assert len(speeds) == 3
    assert all(speed.clocks > 500 and speed.seconds > 0 for speed in speeds)


def test_the_table_has_ratios():
    speeds = [Speed("slow", 1000, 2.0), Speed("fast", 3_000_000, 1.5)]
    text = io.StringIO()
    Console(file=text, width=100).print(table(speeds))
    text = text.getvalue()
    assert "2,000,000" in text and "4,000" in text
