"""How long a report takes to draw and to open: 450 players over a season's 170 game days, in headless Chromium.

    python -m benchmarks.report [--players 450] [--days 170] [--runs 5]

Opening ends when two frames are painted after the page's `load`, heatmap and all; paging, when two are after a click.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from fullcourt.report.page import render
from tests.report.made import made

_PAINTED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--players", type=int, default=450)
    parser.add_argument("--days", type=int, default=170)
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    facts = made([f"player{number:03d}" for number in range(asked.players)], asked.days)
    begun = time.perf_counter()
    text = render(facts)
    drawn = time.perf_counter() - begun
    print(f"{asked.players} players, {asked.days} days: {len(text.encode()) / 1e6:.1f} MB, drawn in {drawn:.1f} s")
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "report.html"
        file.write_text(text, encoding="utf-8")
        opened, paged = browse(file, asked.runs)
    for what, seconds in (("opened", opened), ("next page", paged)):
        shown = f"{statistics.median(seconds):.2f} s (from {min(seconds):.2f} to {max(seconds):.2f})"
        print(f"{what}: {shown}, median of {asked.runs}")


def browse(file: Path, runs: int) -> tuple[list[float], list[float]]:
    """Seconds to open the file, each time in a new context, and to turn its page."""
    from playwright.sync_api import sync_playwright

    binary = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if binary is None:
        sys.exit("no headless Chromium: apt-get install chromium-headless-shell")
    opened, paged = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(runs):
            context = browser.new_context(offline=True, viewport={"width": 1400, "height": 900})
            page = context.new_page()
            begun = time.perf_counter()
            page.goto(file.as_uri())
            page.evaluate(_PAINTED)
            opened.append(time.perf_counter() - begun)
            begun = time.perf_counter()
            page.evaluate("document.getElementById('next').click()")
            page.evaluate(_PAINTED)
            paged.append(time.perf_counter() - begun)
            context.close()
    return opened, paged


if __name__ == "__main__":
    main()
