"""Writes the metadata of the flex templates: `python -m templates.generate`, then commit what changed.

It is made of the launcher's parameters; a test compares it with the launcher's parser, both ways.
"""

import json
from pathlib import Path

from fullcourt.cli.template_parameters import TEMPLATES, metadata

ROOT = Path(__file__).parent / "metadata"


def files() -> dict[str, str]:
    """Contents by file name."""
    return {f"{name}.json": json.dumps(metadata(name), indent=2, ensure_ascii=False) + "\n" for name in TEMPLATES}


def write(directory: Path = ROOT) -> None:
    directory.mkdir(exist_ok=True)
    for name, text in files().items():
        (directory / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
