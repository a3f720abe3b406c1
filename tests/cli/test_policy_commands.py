"""`policy`: a gate changed for a while, on record, and obeyed by the next run."""

import datetime as dt
import json

import pytest

TDZA = "team_defense_zone_analysis"


def on(house, *more):
    return ("--warehouse", house.url, "--now", house.now.isoformat(), *more)


def change(cli, house, *words, reason="scraper is down", code=0):
    found, out, err = cli("policy", "set", TDZA, "--reason", reason, "--by", "ann", "--yes", *words, *on(house))
    assert found == code, err
    return out + err


def shown(cli, house, *more):
    return json.loads(cli("policy", "show", *on(house, "--format", "json"), *more)[1])


def verdict(house, team, day):
    (row,) = house.query(
        "SELECT completeness_percentage, is_production_ready, processing_decision_reason, data_quality_issues, "
        f"games_in_sample FROM nba_precompute.{TDZA} WHERE team_abbr = @team AND analysis_date = @day",
        team=team,
        day=day,
    )
    return tuple(row.values())


def test_a_lower_threshold_holds_from_the_next_run_on_and_lapses(cli, season, season_house):
    """The team lacks two of its last fifteen games: 86.7 %."""
    day, team, house = season.judged[0], season.team, season_house
    house.run("precompute", day, processors=[TDZA])
    held_back = (86.7, False, "incomplete_upstream_data", ["own_data_incomplete"], None)
    assert verdict(house, team, day) == held_back
    change(cli, house, "--threshold", "85", "--until", (house.now + dt.timedelta(days=2)).isoformat())
    assert verdict(house, team, day) == held_back, "nothing is processed by setting it"
    house.now += dt.timedelta(days=1)
    code, _, err = cli("run", "precompute", "--date", day, "--processors", TDZA, *on(house))
    assert (code, f"{TDZA}: the threshold is 85 %, by policy" in err) == (0, True)
    assert verdict(house, team, day) == (86.7, True, "processed_successfully", ["own_data_incomplete"], 13)
    assert json.loads(cli("check", team, "--date", day, *on(house, "--format", "json"))[1])["processors"][-1][
        "verdict"
    ] == ("ready")
    (policy,) = json.loads(cli("health", "--date", day, *on(house, "--format", "json"))[1])["policies"]
    assert (policy["processor"], policy["threshold_pct"], policy["set_by"]) == (TDZA, 85.0, "ann")
    house.now += dt.timedelta(days=1)  # it lapses
    cli("run", "precompute", "--date", day, "--processors", TDZA, "--allow-demotion", *on(house))
    assert verdict(house, team, day)[1:3] == (False, "incomplete_upstream_data")
    assert shown(cli, house) == []


def test_a_gate_that_is_off_lets_everything_through(cli, season, season_house):
    house, days = season_house, season.judged
    change(cli, house, "--gate-off")
    house.run("precompute", days[0], days[-1], processors=[TDZA])
    reasons = house.query(
        f"SELECT DISTINCT processing_decision_reason AS reason, is_production_ready AS ready FROM nba_precompute.{TDZA}"
    )
    assert reasons == [{"reason": "processed_successfully", "ready": True}]


def test_the_newest_change_holds_and_all_are_on_record(cli, empty_house):
    house = empty_house
    change(cli, house, "--threshold", "80.5")
    house.now -= dt.timedelta(hours=1)  # the clock jumps back
    change(cli, house, "--gate-off", reason="worse")
    (row,) = shown(cli, house)
    assert (row["gate"], row["threshold_pct"], row["default_pct"], row["reason"]) == ("off", 0.0, 90.0, "worse")
    change(cli, house, "--default", reason="over")
    assert shown(cli, house) == []
    history = shown(cli, house, "--history")
    assert [(row["gate"], row["threshold_pct"], row["reason"]) for row in history] == [
        (None, None, "over"),
        ("off", 0.0, "worse"),
        ("on", 80.5, "scraper is down"),
    ]
    assert "Every gate is on, with its default threshold of 90 %." in cli("policy", "show", *on(house))[1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param((), "exactly one of --threshold, --gate-off and --default", id="nothing"),
        pytest.param(("--threshold", "80", "--gate-off"), "exactly one of", id="two-things"),
        pytest.param(("--threshold", "0"), "got 0", id="too-low"),
        pytest.param(("--threshold", "101"), "got 101", id="too-high"),
        pytest.param(("--threshold", "85.55"), "with one decimal at most, got 85.55", id="too-fine"),
        pytest.param(("--threshold", "nan"), "got nan", id="no-number"),
        pytest.param(("--gate-off", "--until", "2020-01-01T00:00:00Z"), "the end must lie after now", id="past"),
        pytest.param(("--gate-off", "--until", "soon"), "'soon' is no instant", id="no-instant"),
        pytest.param(("--gate-off", "--reason", ""), "the reason is empty", id="no-reason"),
    ],
)
def test_bad_words_change_nothing(cli, empty_house, words, message):
    assert message in " ".join(change(cli, empty_house, *words, code=2).split())
    assert shown(cli, empty_house, "--history") == []


def test_a_processor_without_a_gate(cli, empty_house):
    command = ("policy", "set", "player_game_summary", "--gate-off", "--reason", "x", "--yes", *on(empty_house))
    code, _, err = cli(*command)
    assert (code, "unknown processor 'player_game_summary'" in err) == (2, True)


def test_a_dry_run_changes_nothing(cli, empty_house):
    assert "would get the gate off" in change(cli, empty_house, "--gate-off", "--dry-run")
    assert shown(cli, empty_house, "--history") == []
