"""Runs commands as a user does."""

import logging
import sys

import pytest

from fullcourt.cli.main import main


@pytest.fixture
def cli(monkeypatch, capsys):
    """Runs a command as the installed script does: (exit code, stdout, stderr)."""
    levels = {name: logging.getLogger(name).level for name in ("", "fullcourt", "apache_beam")}

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["fullcourt", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    yield run
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
