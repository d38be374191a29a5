"""Explores configurations on a stream of accesses with the cycle-level model: ``memsnap sweep``."""

from .engine import run
from .source import PatternSource, TraceSource
from .space import Point, parse_vary, points

__all__ = ["PatternSource", "Point", "TraceSource", "parse_vary", "points", "run"]
