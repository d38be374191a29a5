"""Adds the registers as PeakRDL's HTML to the pages, and a link to them."""

import tempfile
from pathlib import Path

from memsnap.export.registers import write_html
from mkdocs.structure.files import File

_made = tempfile.TemporaryDirectory(prefix="memsnap-registers-")


def on_files(files, config):
    root = Path(_made.name)
    write_html(root)
    for path in sorted(each for each in root.rglob("*") if each.is_file()):
        name = path.relative_to(root)
        if not any(part.startswith((".", "launcher")) for part in name.parts):
            files.append(File.generated(config, f"registers-html/{name}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown, page, config, files):
    if page.file.src_uri != "registers.md":
        return None
    heading, _, rest = markdown.partition("\n")
    return (f"{heading}\n\nThe same [to browse](registers-html/index.html), if a web server brings "
            f"the pages (`python -m http.server -d build/docs`).\n{rest}")
