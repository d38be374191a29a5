"""Whose is a transaction at the memory's AXI4 port, and did it come through unchanged?"""

from .axi4_burst import ADDRESS_FIELDS, is_error, places
from .matching import Matcher
from .wishbone import Access

__all__ = ["Axi4Matcher"]

_FOREVER = 1 << 62
_UNCHANGED = [name for name in ADDRESS_FIELDS if name != "id"]


class Axi4Matcher(Matcher):
    """By the source in a transaction's id: of each source and direction, one after the other.

    It decides C3 for what AXI4 adds: every attribute, the data, strobes, answers, and what
    accompanies them reach the other side unchanged, and no answer comes before the memory's own.

    Parameters
    ----------
    transactions : list of Transaction
        Those that the memory accepted, in order.
    source : callable
        From one of these to the number of its initiator, or None for the copier.
    id_width : int
        Of the initiators' ids: the lower bits of those at the memory.
    """

    def __init__(self, transactions, source, *, id_width):
        self.transactions = transactions
        self.source = source
        self.id_width = id_width

    def owners(self):
        """For each log entry a beat of the initiator's, or None for the copier's."""
        by_stream = {}
        for transaction in self.transactions:
            by_stream.setdefault((self.source(transaction), transaction.we),
                                 []).append(transaction)
        matched = {}
        for port, asked in enumerate(self.checker.ports):
            for we in False, True:
                self._match_stream([each for each in asked if each.we == we],
                                   by_stream.get((port, we), []), matched)
        owners, reached = [], {}
        for entry in self.log:
            asked = matched.get(entry.source)
            beat = reached.get(entry.source, 0)
            reached[entry.source] = beat + 1
            owners.append(None if asked is None else self._beat(entry, asked, beat))
        return owners

    def _match_stream(self, asked, accepted, matched):
        """Matches what an initiator asked in one direction with what the memory accepted of it."""
        at = 0
        for transaction in accepted:
            found = next((index for index in self._candidates(asked, at)
                          if self._is(asked[index], transaction)), None)
            if found is None:
                expected = f"; next is the {asked[at]}" if at < len(asked) else ""
                self.violated("C3", f"the memory got a {transaction}, which is not as its "
                                    f"initiator asked{expected}", transaction.accepted,
                              transaction.addr // self.checker.beat_bytes)
                continue
            for passed in asked[at:found]:
                self._unmatched(passed)
            at = found + 1
            matched[transaction] = asked[found]
            self._compare(asked[found], transaction)
        for passed in asked[at:]:
            self._unmatched(passed)

    def _candidates(self, asked, at):
        """Those that may be next at the memory, given what may never have reached it."""
        for index in range(at, len(asked)):
            yield index
            if not (asked[index].is_open or self._may_be_missing(asked[index])):
                return

    def _may_be_missing(self, transaction):
        return transaction.abandoned is not None or self._is_refused(transaction)

    def _is_refused(self, transaction):
        responses = {response.name for response in transaction.responses}
        return transaction.answered is not None and responses == {"SLVERR"} and self.is_refusal(
            self._words(transaction), transaction.we, transaction.requested, transaction.answered)

    def _words(self, transaction):
        return [word for word, _ in places(transaction, self.checker.beat_bytes)]

    def _is(self, asked, accepted):
        """Whether one may be the other."""
        if asked.requested is None or asked.requested > accepted.accepted:
            return False
        ended = asked.answered if asked.abandoned is None else asked.abandoned
        if accepted.accepted > (_FOREVER if ended is None else ended):
            return False
        if accepted.responses != asked.responses and self._is_refused(asked):
            return False
        count = len(accepted.data)
        return (asked.beats == accepted.beats
                and asked.id == accepted.id & (1 << self.id_width) - 1
                and all(getattr(asked, name) == getattr(accepted, name) for name in _UNCHANGED)
                and (not asked.we or asked.data[:count] == accepted.data
                     and asked.strobes[:count] == (accepted.strobes or [])
                     and all(user == asked.user for user in accepted.users)))

    def _compare(self, asked, accepted):
        """The answers that the initiator got with those that the memory gave."""
        count = len(asked.responses)
        users = [accepted.user] * count if asked.we else accepted.users[:count]
        clocks = [accepted.answered] if asked.we else accepted.clocks
        taken = [asked.answered] if asked.we else asked.clocks
        for got, given, what in ((asked.responses, accepted.responses[:count], "responses"),
                                 (asked.data_r, accepted.data_r[:count], "data"),
                                 (asked.users, users, "user bits")):
            if got != given:
                self.violated("C3", f"the {asked} got the {what} {_short(got)}, the memory gave "
                                    f"{_short(given)}", asked.clocks[-1] if not asked.answered
                              else asked.answered, asked.addr // self.checker.beat_bytes)
                return
        for got, given in zip(taken[:count], clocks[:count], strict=True):
            if got is not None and (given is None or got < given):
                self.violated("C3", f"the {asked} was answered before the memory did", got,
                              asked.addr // self.checker.beat_bytes)
                return

    def _unmatched(self, asked):
        """A transaction that never reached the memory."""
        word = asked.addr // self.checker.beat_bytes
        if asked.is_open or asked.abandoned is not None:
            return
        if self._is_refused(asked):
            self.check_refusal(self._words(asked), asked.we, asked.requested, asked.answered)
        else:
            self.violated("C3", f"the {asked} never reached the memory", asked.answered, word)

    @staticmethod
    def _beat(entry, asked, beat):
        """One beat of a transaction in the form that the contract is decided on."""
        index = 0 if asked.we else beat
        answered = index < len(asked.responses)
        response = None
        if answered:
            response = "err" if is_error(asked.responses[index]) else "ack"
        return Access(entry.adr, entry.we, entry.data, entry.sel, requested=asked.requested,
                      accepted=asked.accepted, response=response,
                      answered=asked.answered if asked.we or not answered
                      else asked.clocks[beat],
                      data_r=asked.data_r[beat] if answered and not asked.we else None)


def _short(values):
    """A list of answers for a person."""
    texts = [getattr(value, "name", None) or f"{value:#x}" for value in values[:4]]
    return ", ".join(texts) + (", …" if len(values) > 4 else "") if texts else "nothing"
