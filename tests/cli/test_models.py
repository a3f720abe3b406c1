"""`run all`, `run predictions`, `train` and `grade` from the command line: what they print and how they end."""

import csv
import io
import json

import pytest

from fullcourt.domain.predictions.systems import SYSTEMS


def on(house):
    return ("--warehouse", house.url)


def at(house):
    return (*on(house), "--now", house.now.isoformat())


@pytest.fixture
def house(chain, tmp_path):
    return chain.house.copy(tmp_path / "house.duckdb")


def test_all_phases_run_in_order_and_say_what_they_did(cli, loaded_house, league):
    days = sorted(set(league.team_boxscores["game_date"].to_pylist()))
    code, out, err = cli("run", "all", "--start", days[0], "--end", days[-1], *at(loaded_house), "--format", "json")
    rows = json.loads(out)
    assert code == 0
    phases = [row["phase"] for row in rows]
    assert phases == sorted(phases, key=["analytics", "precompute", "predictions"].index)
    assert (len(rows), rows[-1]["processor"]) == (11, "player_prop_predictions")
    assert [step for step in err.splitlines() if "computing" in step] == [
        f"run {phase}: computing {len(days)} game days" for phase in ("analytics", "precompute", "predictions")
    ]


def test_predictions_print_the_coordinators_line(cli, chain, house):
    day = chain.days[-1]
    code, out, _ = cli("run", "predictions", "--date", day, *at(house))
    assert code == 0
    assert f"{day}: " in out
    assert " ready, mean completeness " in out
    assert " dispatched" in out


def test_a_model_is_trained_used_and_graded(cli, chain, season, house, tmp_path):
    first, last = season.days[-12], season.days[-5]
    for phase in ("analytics", "precompute"):
        house.run(phase, first, last)
    model = tmp_path / "points.json"
    code, out, _ = cli("train", "--start", first, "--end", last, "--model", model, *on(house), "--format", "json")
    (trained,) = json.loads(out)
    assert code == 0
    assert (trained["trained_to"], trained["feature_version"]) == (last.isoformat(), "v1_baseline_25")
    days = ("--start", chain.days[0], "--end", chain.days[-1])
    assert cli("run", "predictions", *days, "--model", model, *at(house))[0] == 0
    code, out, _ = cli("grade", *days, *at(house), "--format", "csv")
    grades = {row["system_id"]: row for row in csv.DictReader(io.StringIO(out))}
    assert (code, list(grades)) == (0, list(SYSTEMS))
    assert grades["xgboost_v1"]["ml_model_id"] == trained["model"]
    assert float(grades["ensemble_v1"]["mae"]) > 0
    code, out, _ = cli("grade", *days, *at(house))
    assert code == 0
    assert "ready feature rows with a result" in out
    # The model knows its own range, and nothing may be predicted there with it.
    code, _, err = cli("run", "predictions", "--date", last, "--model", model, *at(house), "--historical")
    assert (code, "knows results up to" in err) == (1, True)


REFUSED = {
    "unknown-system": (("run", "predictions", "--date", "{day}", "--systems", "crystal_ball"), 2, "crystal_ball"),
    "unknown-policy": (("run", "precompute", "--date", "{day}", "--cascade-policy", "maybe"), 2, "maybe"),
    "no-model-file": (("run", "predictions", "--date", "{day}", "--model", "none.json"), 2, "none.json"),
    "too-far-back": (("run", "predictions", "--date", "2024-01-02"), 1, "--historical"),
    "minutes": (("run", "predictions", "--date", "{day}", "--minimum-minutes", "90"), 2, "minimum_minutes"),
    "processors-with-all": (("run", "all", "--date", "{day}", "--processors", "player_daily_cache"), 2, "one phase"),
    "unknown-processor": (("run", "predictions", "--date", "{day}", "--processors", "oracle"), 2, "oracle"),
    "unknown-phase": (("run", "dreams", "--date", "{day}"), 2, "predictions, all"),
    "nothing-to-train-on": (("train", "--start", "2024-01-01", "--end", "2024-01-02"), 1, "no ready feature rows"),
    "nothing-to-grade": (("grade", "--start", "2024-01-01", "--end", "2024-01-02"), 1, "no ready predictions"),
    "ends-before-it-starts": (("grade", "--start", "2024-01-02", "--end", "2024-01-01"), 2, "must not be after"),
}


@pytest.mark.parametrize(("arguments", "code", "named"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_is_said_in_one_line(cli, chain, monkeypatch, tmp_path, arguments, code, named):
    monkeypatch.chdir(tmp_path)
    where = on(chain.house) if arguments[0] == "train" else at(chain.house)
    ended, out, err = cli(*(part.format(day=chain.days[-1]) for part in arguments), *where)
    assert (ended, out) == (code, "")
    assert named in err
    assert not list(tmp_path.iterdir())


def test_a_day_off_is_no_error(cli, house):
    code, out, _ = cli("run", "all", "--date", "2024-11-28", *at(house))  # Thanksgiving: no games
    assert (code, "No games" in out) == (0, True)
