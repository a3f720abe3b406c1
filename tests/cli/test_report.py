"""`fullcourt report`: writes the file, says what is in it, or says why not and leaves what was there."""

import json

import pytest


@pytest.fixture
def ask(cli, chain):
    """Runs the command over the chain's days, unless told otherwise."""

    def run(file, start=chain.days[0], end=chain.days[-1], *more):
        days = ("--start", start, "--end", end, "--now", "2025-02-01T12:00:00Z")
        return cli("report", *days, "-o", file, "--warehouse", chain.house.url, *more)

    return run


def test_the_report_is_written_and_summed_up(ask, chain, tmp_path):
    file = tmp_path / "report.html"
    code, out, _ = ask(file, chain.days[0], chain.days[-1], "--format", "json")
    assert code == 0
    (said,) = json.loads(out)
    text = file.read_text(encoding="utf-8")
    assert said["file"] == str(file)
    assert said["kilobytes"] == round(len(text.encode()) / 1024)
    assert said["game_days"] == len(chain.days)
    rows = "SELECT COUNT(*) AS n FROM nba_orchestration.entity_verdicts WHERE analysis_date BETWEEN @start AND @end"
    assert said["entity_days"] == chain.house.one(rows, start=chain.days[0], end=chain.days[-1])
    assert f"{said['ready_pct']} %" in text
    assert list(tmp_path.iterdir()) == [file]


def test_the_same_report_twice_is_the_same_file(ask, tmp_path):
    for name in ("one.html", "two.html"):
        assert ask(tmp_path / name)[0] == 0
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


@pytest.mark.parametrize(
    ("start", "end", "code", "said"),
    [
        pytest.param("2024-02-02", "2024-02-01", 2, "start=2024-02-02, end=2024-02-01", id="the wrong way round"),
        pytest.param("2001-01-01", "2001-01-31", 1, "no game days from 2001-01-01 to 2001-01-31", id="nothing there"),
        pytest.param("yesterday", "2024-02-01", 2, "'yesterday' is no day", id="no date"),
    ],
)
def test_a_range_that_cannot_be_reported_is_named(ask, tmp_path, start, end, code, said):
    got, _, err = ask(tmp_path / "report.html", start, end)
    assert got == code
    assert said in err
    assert not list(tmp_path.iterdir())


def test_fault_11_a_file_that_cannot_be_written_leaves_the_one_before(ask, tmp_path):
    for file in (tmp_path, tmp_path / "nowhere" / "report.html"):
        code, _, err = ask(file)
        assert code == 2
        assert f"cannot write {file}" in err
    before = tmp_path / "report.html"
    before.write_text("the report before")
    (tmp_path / "report.html.unfinished").mkdir()  # where the new one is written until it is whole
    code, _, err = ask(before)
    assert code == 3
    assert f"cannot write {before}" in err
    assert before.read_text() == "the report before"
