"""What a run leaves in its directory."""

import json
from pathlib import Path

from .html import render_html

__all__ = ["write_results"]


def write_results(report, out):
    """Writes ``report.json``, ``report.html`` and, of a complete snapshot, ``image.bin``.

    Results of an earlier run that this one does not have are removed, so that the directory never
    mixes two runs. Returns the paths that were written.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    for name in "image.bin", "image.core":
        (out / name).unlink(missing_ok=True)
    texts = {"report.json": json.dumps(report.to_json(), indent=2) + "\n",
             "report.html": render_html(report)}
    for name, text in texts.items():
        (out / name).write_text(text, encoding="utf-8")
    paths = [out / name for name in texts]
    if report.record.done:
        paths.append(out / "image.bin")
        paths[-1].write_bytes(report.record.image)
    return paths
