"""Spreads the points over cores or machines; Dask's distributed scheduler does the work."""

import logging
import os

from distributed import Client, LocalCluster, as_completed

from ..errors import InputError
from .work import Outcome, measure

__all__ = ["run"]

#: Seconds that a scheduler may take to answer.
_PATIENCE = 10

def run(points, source, start_access, *, scheduler=None, workers=None, progress=None,
        work=measure, **options):
    """Measures all points; gives their outcomes in order.

    A worker that dies costs its point another try, up to three times (Dask's setting
    ``distributed.scheduler.allowed-failures``); a point whose tries are used up, or whose work
    fails, is an outcome with a ``problem``. An interrupt (Ctrl-C) ends the sweep with what there
    is.

    Parameters
    ----------
    points : list of Point
    source : TraceSource or PatternSource
        With a ``scheduler`` the workers must find a trace under the same path.
    start_access : int
    scheduler : str or None
        The address of a Dask scheduler, such as ``"tcp://host:8786"``; None starts workers here.
    workers : int or None
        How many; by default one for each core.
    progress : callable
        Told the number of outcomes so far.
    work : callable
        What is done for a point; see :func:`memsnap_sim.sweep.work.measure`.
    options
        Of ``work``.

    Raises
    ------
    InputError
        The scheduler does not answer.
    """
    progress = progress or (lambda done: None)
    outcomes = [None] * len(points)
    with _client(scheduler, workers, len(points)) as client:
        futures = {client.submit(work, point, source, start_access, pure=False, **options): number
                   for number, point in enumerate(points)}
        try:
            for done, future in enumerate(as_completed(futures), 1):
                outcomes[futures[future]] = _outcome(future, points[futures[future]])
                progress(done)
        except KeyboardInterrupt:
            client.cancel(list(futures))
    return [outcome or Outcome(point=point, problem="was not measured: the sweep was interrupted")
            for outcome, point in zip(outcomes, points, strict=True)]


def _outcome(future, point):
    error = future.exception()
    if error is None:
        return future.result()
    return Outcome(point=point, problem=f"{type(error).__name__}: {error}")


class _Local:
    """A cluster of this machine's cores, as long as it is needed."""

    def __init__(self, workers):
        self._cluster = LocalCluster(n_workers=workers, threads_per_worker=1, processes=True,
                                     dashboard_address=None, silence_logs=logging.CRITICAL)
        self._client = Client(self._cluster)

    def __enter__(self):
        return self._client

    def __exit__(self, *exception):
        self._client.close()
        self._cluster.close()


def _client(scheduler, workers, most):
    if scheduler is None:
        return _Local(min(workers or os.cpu_count() or 1, max(1, most)))
    try:
        return Client(scheduler, timeout=_PATIENCE)
    except (OSError, ValueError) as error:
        raise InputError(f"no Dask scheduler answers at {scheduler!r} ({error}): start one with "
                         f"`dask scheduler`, and workers with `dask worker ADDRESS`") from None
