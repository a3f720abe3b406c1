"""The reference gate against figures a reader can check by hand (domain.md 9), and the leagues it is used with."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fullcourt.domain.windows import Window, days, games
from tests.leagues import days_of, game_id, other_results_from, reordered, seasons, seasons_with_day, teams_batches
from tests.reference_gate import (
    BoxRow,
    Counts,
    Game,
    Inactive,
    Judgement,
    Season,
    Upstream,
    game_days,
    judge_players,
    judge_teams,
)

START = 738_000  # an ordinal; games of the tables below lie three days apart, so that ten of them outlast bootstrap
L5, L10, L15, L20 = games(5), games(10), games(15), games(20)
WINDOWS = (L5, L10, days(7), days(14))
slow_data = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Table:
    """A season of ATL's games (and CHI's, on the same days, each against a guest), with `ann` to follow.

    Team scores are 10: a regular scores 8 in every box and ann the other 2 when she plays, else the regular has 10.
    """

    def __init__(self) -> None:
        self.games: list[Game] = []
        self.box: list[BoxRow] = []
        self.inactives: list[Inactive] = []
        self.summaries: list[Upstream] = []
        self.team_rows: list[Upstream] = []

    def game(self, number: int, ann: str = "played", team: str = "ATL", status: str = "final") -> str:
        """Game `number` (from 1) of `team`.

        ann: played, dnp, inactive, unlisted, no_summary (played, not upstream), lost (the box is, and hers upstream),
        partial (the box lacks the regular, ann is unlisted).
        """
        day = START + 3 * (number - 1)
        guest = {"ATL": "BOS", "CHI": "DEN"}[team]
        score = 10 if status == "final" else None
        game = Game(game_id(day, team, guest), f"{team}{number}", day, team, guest, status, score, score)
        self.games.append(game)
        self.team_rows.append(Upstream(team, game.game_id, 1, team))
        played = ann in ("played", "no_summary")
        if ann not in ("lost", "partial"):
            self.box.append(BoxRow("regular", game.game_id, team, True, 8 if played else 10))
        if played or ann == "dnp":
            self.box.append(BoxRow("ann", game.game_id, team, played, 2 if played else None))
        if ann == "inactive":
            self.inactives.append(Inactive("ann", game.game_id, team))
        if ann == "played":
            self.summaries.append(Upstream("ann", game.game_id, 1, team))
        return game.game_id

    def season(self) -> Season:
        return Season(
            tuple(self.games), tuple(self.box), tuple(self.inactives), tuple(self.summaries), tuple(self.team_rows)
        )

    def ann(self, number: int, *windows: Window, trend: tuple[Window, ...] = ()) -> Judgement | None:
        """What is said of ann on the day of game `number`, which is added without her."""
        if not any(game.day == START + 3 * (number - 1) for game in self.games):
            self.game(number, "unlisted")
        return judge_players(self.season(), windows or (L10,), trend).get(("ann", START + 3 * (number - 1)))


def table(*fates: str) -> Table:
    filled = Table()
    for number, fate in enumerate(fates, start=1):
        filled.game(number, fate)
    return filled


def one(expected: int, excused: int, actual: int, missing: tuple[str, ...] = (), window: Window = L10) -> dict:
    return {window: Counts(expected, excused, actual, missing)}


# Teams


@pytest.mark.parametrize(
    ("played", "upstream", "counts", "pct", "verdict"),
    [
        pytest.param(15, 15, (15, 15), 100.0, "ready", id="LAL-and-GSW"),
        pytest.param(15, 14, (15, 14), 93.3, "ready", id="BOS"),
        pytest.param(15, 13, (15, 13), 86.7, "incomplete", id="PHX"),
        pytest.param(15, 10, (15, 10), 66.7, "incomplete", id="ten-of-fifteen"),
        pytest.param(15, 0, (15, 0), 0.0, "incomplete", id="nothing-of-fifteen"),
        pytest.param(17, 15, (15, 13), 86.7, "incomplete", id="only-the-last-fifteen-are-asked-for"),
        pytest.param(3, 3, (3, 3), 100.0, "ready", id="fourth-game-of-the-season"),
        pytest.param(4, 2, (4, 2), 50.0, "flagged", id="bootstrap"),
        pytest.param(4, 0, (4, 0), 0.0, "incomplete", id="bootstrap-with-nothing-to-compute-from"),
    ],
)
def test_team_fixtures(played, upstream, counts, pct, verdict):
    """The newest upstream rows are the missing ones."""
    full = table(*["unlisted"] * played)
    full.team_rows = full.team_rows[:upstream]
    missing = tuple(game.game_id for game in full.games[upstream:])
    full.game(played + 1)
    judged = judge_teams(full.season(), (L15,))["ATL", START + 3 * played]
    assert judged == Judgement(verdict, "", one(*counts[:1], 0, counts[1], missing, L15))
    assert round(judged.windows[L15].pct, 1) == pct


def test_nine_of_ten_is_ready_and_the_threshold_is_exact():
    full = table(*["unlisted"] * 11)
    del full.team_rows[5]
    verdicts = [judge_teams(full.season(), (L10,), limit)["ATL", START + 30].verdict for limit in (899, 900, 901)]
    assert verdicts == ["ready", "ready", "incomplete"]


@pytest.mark.parametrize(("games_before", "verdict"), [(9, "flagged"), (10, "incomplete")])
def test_bootstrap_is_days_0_to_29(games_before, verdict):
    full = table(*["unlisted"] * (games_before + 1))
    del full.team_rows[3:5]
    day = {9: START + 29, 10: START + 30}[games_before]
    full.games[games_before] = replace(full.games[games_before], day=day)
    assert judge_teams(full.season(), (L10,))["ATL", day].verdict == verdict


def test_every_team_has_a_verdict_on_every_game_day_even_before_its_first_game():
    full = table("unlisted", "unlisted")
    full.game(3, "unlisted", team="CHI")
    judged = judge_teams(full.season(), (L15,))
    assert sorted(judged) == [(t, START + 3 * n) for t in ("ATL", "BOS", "CHI", "DEN") for n in range(3)]
    assert judged["DEN", START + 6] == Judgement("excluded", "no_expected_games", one(0, 0, 0, window=L15))


def test_only_final_games_with_scores_and_stale_scheduled_ones_are_expected():
    full = table("unlisted")
    stale = full.game(2, "unlisted", status="scheduled")
    full.game(3, "unlisted", status="postponed")
    full.game(4, "unlisted", status="cancelled")
    scoreless = full.game(5, "unlisted")
    full.game(6, "unlisted")
    full.games[4] = replace(full.games[4], away_score=None)
    assert game_days(full.season()) == [START, START + 3, START + 15]
    full.team_rows = [row for row in full.team_rows if row.game_id not in (stale, scoreless)]
    assert judge_teams(full.season(), (L15,))["ATL", START + 15].windows == one(2, 0, 1, (stale,), L15)


def test_a_days_window_begins_n_days_before_and_ends_the_day_before():
    full = table(*["unlisted"] * 5)
    full.team_rows = []
    ids = [game.game_id for game in full.games]
    judged = judge_teams(full.season(), (days(6), days(5), days(2)))["ATL", START + 12]
    assert judged.windows == {
        **one(2, 0, 0, tuple(ids[2:4]), days(6)),
        **one(1, 0, 0, tuple(ids[3:4]), days(5)),
        **one(0, 0, 0, (), days(2)),
    }


# Players: did not play


def test_three_dnps_of_ten_leave_seven_of_seven():
    fates = ["played", "dnp", "played", "played", "inactive", "played", "unlisted", "played", "played", "played"]
    assert table(*fates).ann(11) == Judgement("ready", "", one(7, 3, 7))


def test_without_evidence_the_same_is_seven_of_ten():
    fates = ["played", "lost", "played", "played", "partial", "played", "lost", "played", "played", "played"]
    full = table(*fates)
    missing = tuple(full.games[number].game_id for number in (1, 4, 6))
    assert full.ann(11) == Judgement("incomplete", "", one(10, 0, 7, missing))


def test_a_games_window_looks_past_the_excused_games():
    full = table(*["played"] * 8, *["dnp"] * 3, *["played"] * 3)
    assert full.ann(15).windows == one(10, 3, 10)
    assert full.ann(15, L5).windows == one(5, 3, 5, window=L5)
    assert full.ann(15, games(3)).windows == one(3, 0, 3, window=games(3))


@pytest.mark.parametrize(
    ("fate", "excused"),
    [
        pytest.param("dnp", True, id="box-says-so"),
        pytest.param("inactive", True, id="inactive-list-says-so"),
        pytest.param("unlisted", True, id="absent-from-a-whole-game"),
        pytest.param("partial", False, id="absent-from-a-partial-game"),
        pytest.param("lost", False, id="absent-from-a-lost-game"),
        pytest.param("no_summary", False, id="played-but-not-upstream"),
    ],
)
def test_what_excuses(fate, excused):
    full = table("played", fate, "played")
    missing = full.games[1].game_id
    assert full.ann(4).windows == (one(2, 1, 2) if excused else one(3, 0, 2, (missing,)))


def test_evidence_outside_a_whole_game_also_excuses():
    full = table("played", "dnp", "inactive", "played")
    full.box = [row for row in full.box if row.player == "ann"]
    assert full.ann(5).windows == one(2, 2, 2)


def test_an_upstream_row_is_present_whatever_the_box_says():
    full = table("played", "dnp", "played")
    full.summaries.append(Upstream("ann", full.games[1].game_id, 1, "ATL"))
    assert full.ann(4).windows == one(3, 0, 3)


def test_played_outweighs_the_inactive_list():
    full = table("played", "no_summary", "played")
    missing = full.games[1].game_id
    full.inactives.append(Inactive("ann", missing, "ATL"))
    assert full.ann(4).windows == one(3, 0, 2, (missing,))


def test_a_stale_scheduled_game_is_never_whole():
    full = table("played")
    stale = full.game(2, "unlisted", status="scheduled")
    full.game(3, "played")
    assert full.ann(4).windows == one(3, 0, 2, (stale,))


def test_not_even_when_its_row_already_carries_the_score():
    full = table("played", "unlisted", "played")
    full.games[1] = replace(full.games[1], status="scheduled")
    assert full.ann(4).windows == one(3, 0, 2, (full.games[1].game_id,))


def test_an_upstream_row_alone_lists_her_and_is_present():
    full = table("lost", "lost")
    full.summaries.append(Upstream("ann", full.games[0].game_id, 1, "ATL"))
    assert full.ann(2).windows == one(1, 0, 1)
    assert full.ann(3).windows == one(2, 0, 1, (full.games[1].game_id,))


def test_doubled_rows_count_once():
    full = table("played", "unlisted", "no_summary", "played")
    once = full.ann(5)
    full.box, full.summaries = full.box * 2, full.summaries * 2
    assert full.ann(5) == once
    assert once.windows == one(3, 1, 2, (full.games[2].game_id,))


# Players: season start, trades, who is judged


def test_third_game_of_the_season():
    """domain.md says three of three; before the fourth game that is, as D's own game never counts."""
    full = table("played", "played", "played")
    assert full.ann(3).windows == one(2, 0, 2)
    assert full.ann(4).windows == one(3, 0, 3)


def test_a_debutant_is_expected_from_his_first_listing():
    full = table("unlisted", "unlisted", "played", "played")
    assert full.ann(3) is None
    assert full.ann(5).windows == one(2, 0, 2)


def test_traded_six_and_four():
    full = table(*["played"] * 6)
    for number in range(7, 11):
        full.game(number, "unlisted")  # ATL plays on without her
        full.game(number, "played", team="CHI")
    assert full.ann(11) == Judgement("ready", "", one(10, 0, 10))


def test_traded_between_two_games_the_old_team_is_expected_until_the_new_one_lists_her():
    full = table("played", "played", "lost")
    full.game(3, "unlisted", team="CHI")
    full.game(4, "unlisted")
    full.game(4, "dnp", team="CHI")
    assert full.ann(5).windows == one(3, 1, 2, (full.games[2].game_id,))


def test_a_return_to_the_old_team_is_a_new_stint():
    full = table("played")
    full.game(2, "lost")
    full.game(2, "played", team="CHI")
    full.game(3, "played")
    full.game(3, "lost", team="CHI")
    assert full.ann(4).windows == one(3, 0, 3)


@pytest.mark.parametrize(
    ("for_atl", "for_chi", "before", "belongs_to"),
    [
        pytest.param("played", "dnp", "CHI", "ATL", id="where-she-played"),
        pytest.param("dnp", "played", "CHI", "CHI", id="where-she-played-even-if-not-new"),
        pytest.param("dnp", "inactive", "CHI", "ATL", id="else-the-new-team"),
        pytest.param("inactive", "dnp", "ATL", "CHI", id="else-the-new-team-other-way"),
        pytest.param("played", "played", "CHI", "ATL", id="played-for-both-so-the-new-team"),
        pytest.param("dnp", "dnp", None, "CHI", id="else-the-last-of-the-alphabet"),
    ],
)
def test_listed_for_two_teams_on_one_day(for_atl, for_chi, before, belongs_to):
    """Told apart by game 3, which is lost for both teams."""
    full = Table()
    for team, fate in (("ATL", for_atl), ("CHI", for_chi)):
        full.game(1, "dnp" if team == before else "unlisted", team=team)
        full.game(2, fate, team=team)
        full.game(3, "lost", team=team)
    (missing,) = (game.game_id for game in full.games if game.home == belongs_to and game.day == START + 6)
    assert full.ann(4).windows[L10].missing == (missing,)


def test_the_stint_stays_open_after_an_unlisted_whole_game_so_a_lost_newest_game_is_seen_at_once():
    full = table("played", "played", "unlisted", "lost")
    assert full.ann(4).windows == one(2, 1, 2)
    assert full.ann(5) == Judgement("flagged", "", one(3, 1, 2, (full.games[3].game_id,)))


@pytest.mark.parametrize(("whole", "judged"), [(9, True), (10, False)])
def test_ten_whole_games_unlisted_end_the_rows(whole, judged):
    full = table("played", *["unlisted"] * (whole - 1), "partial", "unlisted")
    assert (full.ann(whole + 3) is not None) == judged


def test_a_new_listing_brings_the_rows_back():
    full = table("played", *["unlisted"] * 10, "played")
    assert full.ann(12) is None
    assert full.ann(13).windows == one(2, 10, 2)


# Nothing expected


def test_all_games_excused():
    assert table("dnp", "inactive", "unlisted").ann(4) == Judgement("excluded", "all_games_excused", one(0, 3, 0))


def test_one_all_excused_window_is_neutral():
    full = table("played", "played", "dnp", "dnp")
    judged = full.ann(5, L5, days(6))
    assert judged == Judgement("ready", "", {**one(2, 2, 2, window=L5), **one(0, 2, 0, window=days(6))})


def test_no_expected_games():
    judged = table("played", "played").ann(4, days(2))
    assert judged == Judgement("excluded", "no_expected_games", one(0, 0, 0, window=days(2)))
    assert judged.windows[days(2)].pct is None


def test_trend_windows_never_gate():
    full = table("lost", "played", "played")
    full.inactives.append(Inactive("ann", full.games[0].game_id, "ATL"))
    full.game(4, "lost")
    full.game(5, "played")
    lost = full.games[3].game_id
    judged = full.ann(6, games(1), trend=(L20,))
    assert judged == Judgement("ready", "", {**one(1, 0, 1, window=games(1)), **one(4, 1, 3, (lost,), L20)})


def test_bootstrap_flags_on_a_game_that_only_the_trend_window_holds():
    full = table("played", "lost")
    lost = full.games[1].game_id
    assert full.ann(3, games(1)).verdict == "incomplete"
    judged = full.ann(3, games(1), trend=(L20,))
    assert judged == Judgement("flagged", "", {**one(1, 0, 0, (lost,), games(1)), **one(2, 0, 1, (lost,), L20)})


# What must not matter


def test_leakage_a_row_of_d_itself():
    full = table(*["played"] * 10)
    without = full.ann(11)
    full.games.pop()
    full.game(11, "played")
    assert full.ann(11) == without == Judgement("ready", "", one(10, 0, 10))


def test_rows_that_name_no_game_or_a_team_that_does_not_play_in_it_are_no_listings():
    full = table("played", "played")
    before = full.ann(4)
    full.box.append(BoxRow("ann", full.games[1].game_id, "DEN", True, 5))
    full.inactives.append(Inactive("ann", "20230101_ATL_DEN", "DEN"))
    full.summaries.append(Upstream("ann", "20230101_ATL_DEN", 1, "DEN"))
    full.summaries.append(Upstream("bob", full.games[1].game_id, 1, "DEN"))
    assert full.ann(4) == before
    assert ("bob", START + 9) not in judge_players(full.season(), (L10,))


@pytest.mark.parametrize(
    "second",
    [
        pytest.param({"nba_game_id": "other"}, id="game-id-twice"),
        pytest.param({"game_id": "other", "day": START + 1}, id="league-id-twice"),
        pytest.param({"game_id": "other", "nba_game_id": None}, id="team-twice-on-a-day"),
        pytest.param({"game_id": "other", "nba_game_id": "other", "day": START + 1, "home_score": 0}, id="no-points"),
    ],
)
def test_a_schedule_that_ingest_would_not_let_through_is_refused(second):
    game = table("played").games[0]
    with pytest.raises(ValueError, match=r"more than one|positive"):
        Season((game, replace(game, **second)))


# Random leagues


@slow_data
@given(seasons_with_day())
def test_every_judgement_adds_up(season_and_day):
    season, day = season_and_day
    judged = judge_players(season, WINDOWS, (L20,), days=[day]) | judge_teams(season, WINDOWS, days=[day])
    for judgement in judged.values():
        for window, counts in judgement.windows.items():
            assert 0 <= counts.actual == counts.expected - len(counts.missing)
            assert window in (*WINDOWS, L20)
            assert counts.expected <= window.length
        assert (judgement.verdict == "excluded") == (judgement.reason != "")


@slow_data
@given(st.data())
def test_nothing_dated_d_or_later_matters(data):
    season = data.draw(seasons())
    day = data.draw(days_of(season))
    other = data.draw(other_results_from(season, day))
    assert game_days(other) == game_days(season)
    upto = [d for d in game_days(season) if d <= day]
    assert judge_teams(other, WINDOWS, days=upto) == judge_teams(season, WINDOWS, days=upto)
    assert judge_players(other, WINDOWS, (L20,), days=upto) == judge_players(season, WINDOWS, (L20,), days=upto)


@slow_data
@given(st.data())
def test_order_and_repeats_do_not_matter(data):
    season, day = data.draw(seasons_with_day())
    other = data.draw(reordered(season))
    assert judge_teams(other, WINDOWS, days=[day]) == judge_teams(season, WINDOWS, days=[day])
    assert judge_players(other, WINDOWS, (L20,), days=[day]) == judge_players(season, WINDOWS, (L20,), days=[day])


@slow_data
@given(st.data())
def test_a_missing_row_that_arrives_never_lowers_a_count(data):
    season, day = data.draw(seasons_with_day())
    before = judge_teams(season, WINDOWS, days=[day])
    gaps = [(team, game) for (team, _), j in before.items() for c in j.windows.values() for game in c.missing]
    if gaps:
        team, game = data.draw(st.sampled_from(gaps))
        arrived = replace(season, team_summaries=(*season.team_summaries, Upstream(team, game, 1, team)))
        after = judge_teams(arrived, WINDOWS, days=[day])
        for key, judgement in before.items():
            for window, counts in judgement.windows.items():
                assert after[key].windows[window].expected == counts.expected
                assert after[key].windows[window].actual >= counts.actual


@slow_data
@given(st.data())
def test_batches_are_teams_of_the_season(data):
    season = data.draw(seasons())
    batch = data.draw(teams_batches(season))
    assert {team for team, _ in judge_teams(season, (L15,))} >= set(batch)
