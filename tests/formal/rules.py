"""The rules of a bus, for a specification to assume of one side and to assert of the other."""

from amaranth.hdl import Assert, Assume

__all__ = ["Rules"]


class Rules:
    """What a bus's rules have in common: conditions by the message of their assert."""

    @staticmethod
    def assume(rules, *names):
        """Assumes the rules, or those whose message ends with one of ``names``."""
        return [Assume(rule) for text, rule in rules.items() if _chosen(text, names)]

    @staticmethod
    def check(rules, *names):
        """Asserts the rules, or those whose message ends with one of ``names``."""
        return [Assert(rule, text) for text, rule in rules.items() if _chosen(text, names)]


def _chosen(text, names):
    return not names or text.rsplit(" ", 1)[1] in names
