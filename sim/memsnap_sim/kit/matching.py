"""Whose is an access at the memory's port: an initiator's, or the copier's?"""

__all__ = ["Matcher", "WishboneMatcher"]

_FOREVER = 1 << 62


class Matcher:
    """What the matchers of all buses share: which answers may be the unit's own.

    A matcher is given to :class:`ContractChecker`, which calls :meth:`match`.
    """

    def match(self, checker):
        """For each entry of the log the initiator's access that it is, or None: the copier's."""
        self.checker = checker
        self.snapshots = checker.snapshots
        self.log = checker.log
        return self.owners()

    def owners(self):
        """See :meth:`match`; violations of C3 and C7 go to the checker."""
        raise NotImplementedError

    def touches_shadow(self, words):
        """Whether one of these words is in the shadow."""
        return any(0 <= word - self.checker.shadow < self.checker.beats for word in words)

    def is_refusal(self, words, we, decided, answered):
        """Whether an error to an access to these words may be the unit's own.

        It was decided on at clock ``decided`` at the earliest.
        """
        if any(word in self.checker.map for word in words) and we:
            return True
        if self.touches_shadow(words) and (we or self.checker.deny_read):
            return True
        touches = any(0 <= word - self.checker.memory < self.checker.beats for word in words)
        return we and touches and any(
            record.fail_write and record.instant is not None
            and record.instant <= answered and decided <= record.last + 2
            for record in self.snapshots)

    def check_refusal(self, words, we, requested, answered):
        """C7: writes to the shadow are refused at no other time than during a snapshot."""
        if we and self.touches_shadow(words) and not any(
                record.requested <= answered and requested <= record.last_refusal
                for record in self.snapshots):
            self.violated("C7", "a write to the shadow was refused outside a snapshot",
                          answered, words[0])

    def violated(self, rule, text, clock, adr):
        """Tells the checker."""
        self.checker.violated(rule, text, clock, adr)


class WishboneMatcher(Matcher):
    """By address, data and time: an initiator's accesses reach the memory in their order."""

    def owners(self):
        """For each log entry the initiator's access that it is, or None for the copier's."""
        by_clock = {}
        for entry in self.log:
            by_clock.setdefault(entry.clock, []).append(entry)
        owners = []
        ports = self.checker.ports
        reached = [0] * len(ports)         # of each port, how many were matched or passed over
        for entry in self.log:
            found = [(accesses[index].accepted != entry.clock, port, index)
                     for port, accesses in enumerate(ports)
                     if (index := self._candidate(accesses, reached[port], entry, by_clock))
                     is not None]
            if not found:
                owners.append(None)
                continue
            _, port, index = min(found)
            for passed in ports[port][reached[port]:index]:
                self._unmatched(passed)
            reached[port] = index + 1
            access = ports[port][index]
            owners.append(access)
            cut_off = entry.answered is None and self._was_cut_off(access)
            if access.response not in (None, entry.response) and not cut_off:
                self.violated("C3", f"the {access}, but the memory answered {entry.response}",
                              entry.clock, entry.adr)
        for accesses, count in zip(ports, reached, strict=True):
            for access in accesses[count:]:
                self._unmatched(access)
        return owners

    def _candidate(self, accesses, start, entry, by_clock):
        """Which of an initiator's accesses, from ``start`` on, a log entry may be; or None."""
        for index in range(start, len(accesses)):
            access = accesses[index]
            if self._is(access, entry):
                exact = [each for each in by_clock.get(access.accepted, ())
                         if self._is(access, each)]
                return index if not exact or any(each is entry for each in exact) else None
            if access.requested > entry.clock or self._may_yet_come(access, entry.clock):
                return None
        return None

    def _may_yet_come(self, access, clock):
        """Whether an access must still reach the memory, at this clock or later."""
        if access.response is None or self._is_refused(access):
            return False
        return access.answered >= clock and not self._was_cut_off(access)

    def _is_refused(self, access):
        return access.response == "err" and self.is_refusal(
            [access.adr], access.we, access.answered, access.answered)

    def _is(self, access, entry):
        last = _FOREVER if access.answered is None else access.answered
        sel = self.checker.all_lanes if access.sel is None else access.sel
        return (access.adr == entry.adr and access.we == entry.we and sel == entry.sel
                and access.requested <= entry.clock <= last
                and (not access.we or access.data == entry.data))

    def _unmatched(self, access):
        """An access that never reached the memory."""
        if access.response is None:
            return                        # given up, or open at the end
        if self._is_refused(access):
            self.check_refusal([access.adr], access.we, access.requested, access.answered)
        elif not self._was_cut_off(access):
            self.violated("C3", f"the {access} never reached the memory", access.answered,
                          access.adr)

    def _was_cut_off(self, access):
        """Whether the unit gave up a silent memory: it may then answer ``err`` in its place."""
        return access.response == "err" and any(
            record.result == "failed" and record.requested <= access.answered <= record.last_copy
            for record in self.snapshots)
