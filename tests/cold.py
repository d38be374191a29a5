"""Exported Verilog without its initial values: what a reset does not clear then shows."""

import re

__all__ = ["cold"]


def cold(verilog):
    """The text in which registers and memories begin with X, or as the simulator has it."""
    text = re.sub(r"^  initial begin\n.*?^  end\n", "", verilog, flags=re.M | re.S)
    text = re.sub(r"^  initial .*;\n", "", text, flags=re.M)
    assert text != verilog and not re.search(r"^\s*initial\b", text, flags=re.M)
    return text
