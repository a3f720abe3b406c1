"""What is odd in the real seasons is treated by rule: moved games, the cup final, missing lists, double listings."""

import pytest

MOVED = {
    # league id -> (day played, day released)
    "0022200769": ("2023-03-07", "2023-02-01"),  # DET-WAS, postponed
    "0022200973": ("2023-03-05", "2023-03-06"),
    "0022200977": ("2023-03-06", "2023-03-07"),
    "0022300576": ("2024-02-15", "2024-01-17"),  # UTA-GSW, postponed
    "0022300589": ("2024-04-02", "2024-01-19"),  # GSW-DAL, postponed
}
CUP_FINAL = ("0062300001", "2023-12-09")


@pytest.fixture(scope="module")
def anomalies(oracle, data):
    """known_anomalies.csv: (league game id, day, tricode, player id) by kind."""
    rows = oracle.rows(
        "SELECT kind, game_id, game_date, team_tricode, player_id FROM read_csv(?, all_varchar = TRUE)",
        str(data / "known_anomalies.csv"),
    )
    return {kind: [row[1:] for row in rows if row[0] == kind] for kind in {row[0] for row in rows}}


def test_moved_games_are_expected_on_the_day_played(oracle, anomalies):
    listed = {game: day for game, day, _, _ in anomalies["game_moved"]}
    assert {game: day for game, (day, _) in MOVED.items()}.items() <= listed.items()
    for game, day in listed.items():
        for table, team in (("player_game_summary", "team_abbr"), ("team_defense_game_summary", "defending_team_abbr")):
            found = oracle.rows(
                f"SELECT game_date::VARCHAR, game_id[:8], count(DISTINCT {team}) FROM warehouse.nba_analytics.{table} "
                "WHERE nba_game_id = ? GROUP BY ALL",
                game,
            )
            assert found == [(day, day.replace("-", ""), 2)]


def test_a_moved_game_enters_windows_only_after_it_was_played(oracle):
    """DET-WAS of 1 February 2023 was played on 7 March: DET's fifteen games of 2 February do not hold it."""
    last_games = "SELECT game_id FROM conceded WHERE team = 'DET' AND day < ?::DATE ORDER BY day DESC LIMIT 15"
    assert ("0022200769",) not in oracle.rows(last_games, "2023-02-02")
    assert ("0022200769",) in oracle.rows(last_games, "2023-03-08")
    stored = (
        "SELECT expected_games_count, actual_games_count, missing_games_count "
        "FROM warehouse.nba_precompute.team_defense_zone_analysis WHERE team_abbr = 'DET' AND analysis_date = ?::DATE"
    )
    assert oracle.rows(stored, "2023-02-02") == [(15, 15, 0)]
    assert oracle.rows(stored, "2023-03-09") == [(15, 15, 0)]


def test_the_cup_final_does_not_count(oracle):
    game, day = CUP_FINAL
    raw = "SELECT count(*) FROM warehouse.nba_raw.{} WHERE nba_game_id = ?"
    assert oracle.value(raw.format("nbac_schedule"), game) == 1
    assert oracle.value(raw.format("nbac_gamebook_player_stats"), game) == 28
    for table in ("player_game_summary", "team_offense_game_summary", "team_defense_game_summary"):
        assert oracle.value(f"SELECT count(*) FROM warehouse.nba_analytics.{table} WHERE nba_game_id = ?", game) == 0
    for receipts in ("nba_orchestration.publish_receipts", "nba_precompute.team_defense_zone_analysis"):
        on_day = f"SELECT count(*) FROM warehouse.{receipts} WHERE analysis_date = ?::DATE"
        assert oracle.value(on_day, day) == 0, "2023-12-09 is no game day"


def test_preseason_and_all_star_games_stay_raw(oracle):
    kinds = dict(oracle.rows("SELECT season_type, count(*) FROM warehouse.nba_raw.nbac_schedule GROUP BY season_type"))
    assert (kinds["preseason"], kinds["all_star"], kinds["cup_final"]) == (143, 8, 1)
    days = "SELECT count(*) FROM warehouse.nba_orchestration.publish_receipts WHERE analysis_date = '{}'"
    assert oracle.value(days.format("2023-02-19")) == 0, "the All-Star game's day is no game day"


def test_games_without_inactive_lists_are_no_gap(oracle, anomalies):
    """Absent from a whole game is enough to be excused; the list is not needed."""
    without = [(game, team) for game, _, team, _ in anomalies["no_inactive_list"]]
    assert len(without) == 101
    named = set(oracle.rows("SELECT DISTINCT nba_game_id, team_abbr FROM warehouse.nba_raw.inactive_lists"))
    assert not named.intersection(without)
    gaps = (
        "SELECT count(*) FROM warehouse.nba_precompute.player_shot_zone_analysis "
        "WHERE len(list_intersect(missing_nba_game_ids, ?::VARCHAR[])) > 0"
    )
    assert oracle.value(gaps, [game for game, _ in without]) == 0


def test_players_with_zero_minutes_played(oracle):
    """They entered the game: rows like any other, and games of their windows. Two have no time recorded at all."""
    rows = oracle.rows(
        "SELECT g.season_year, count(*) FROM landing.player_box AS b JOIN warehouse.nba_analytics.player_game_summary "
        "AS g ON g.nba_game_id = b.game_id AND g.player_lookup = key_of(b.player_id, b.player_name) "
        "WHERE b.played AND b.minutes = 0 GROUP BY 1 ORDER BY 1"
    )
    landed = oracle.rows("SELECT season[:4]::INT, count(*) FROM box WHERE played AND minutes = 0 GROUP BY 1 ORDER BY 1")
    assert rows == landed
    assert sum(count for _, count in rows) == 237
    untimed = oracle.rows(
        "SELECT player_lookup, nba_game_id FROM warehouse.nba_analytics.player_game_summary "
        "WHERE minutes_played IS NULL ORDER BY player_lookup"
    )
    assert untimed == [("dennisschroder", "0022200140"), ("isaiahjackson", "0022301133")]


def test_listed_inactive_and_in_the_box(oracle, anomalies):
    """The box wins: who played has a row and owes the game; who did not is excused once."""
    listed = {(game, player) for game, _, _, player in anomalies["listed_inactive_and_in_box"]}
    assert ("0022200140", "203471") in listed, "Dennis Schröder played, says the box"
    owed = {
        (game, player): required
        for game, player, required in oracle.rows(
            "SELECT o.game_id, b.player_id::VARCHAR, o.required FROM player_owes AS o "
            "JOIN box AS b ON b.game_id = o.game_id AND b.player = o.entity"
        )
    }
    assert {pair: owed[pair] for pair in listed} == {pair: pair == ("0022200140", "203471") for pair in listed}
    rows = (
        "SELECT count(*) FROM warehouse.nba_analytics.player_game_summary "
        "WHERE nba_game_id = ? AND universal_player_id = ?"
    )
    assert {pair: oracle.value(rows, *pair) for pair in listed} == {pair: int(owed[pair]) for pair in listed}


def test_two_teams_on_one_day(oracle, anomalies):
    """On the trade deadline's day two players are named for both teams: from it on they are the new one's.

    Mo Bamba is suspended for ORL and inactive for LAL; Davon Reed, not in the list of anomalies, is inactive for both.
    Neither played: the day is one excused game more, not two, and none missing.
    """
    ((_, day, team, _),) = anomalies["two_teams_same_day"]
    assert (day, team) == ("2023-02-09", "LAL")
    twice = oracle.rows(
        "SELECT player, day::VARCHAR, list(team ORDER BY team) FROM listed GROUP BY ALL HAVING count(*) > 1 ORDER BY 1"
    )
    assert twice == [("davonreed", day, ["DEN", "LAL"]), ("mobamba", day, ["LAL", "ORL"])]
    stored = (
        "SELECT expected_games_count, dnp_games_count, missing_games_count FROM "
        "warehouse.nba_precompute.player_shot_zone_analysis WHERE player_lookup = ? AND analysis_date = ?::DATE"
    )
    for player, _, _ in twice:
        ((expected, excused, missing),) = oracle.rows(stored, player, day)
        assert missing == 0
        assert oracle.rows(stored, player, "2023-02-10") == [(expected, excused + 1, 0)]


def test_players_without_a_league_id_are_judged_by_name(oracle):
    """They never played: each of their days is excluded, none is a gap."""
    reasons = oracle.rows(
        "SELECT DISTINCT processor_name, entity_id, failure_reason FROM warehouse.nba_processing.precompute_failures "
        "WHERE entity_id IN (SELECT lookup(player_name) FROM landing.inactives WHERE player_id IS NULL)"
    )
    assert {name for _, name, _ in reasons} == {"charlesbediako", "jaylingalloway", "justinlewis", "sirjabaririce"}
    # Analysed from the day after his first listing, every game is excused; a box score that is his first listing
    # makes him a fixture's before anything is expected of him.
    analysed = {(name, reason) for processor, name, reason in reasons if processor == "player_shot_zone_analysis"}
    assert len(analysed) == 4
    assert {reason for _, reason in analysed} == {"all_games_excused"}
    assert {reason for _, _, reason in reasons} == {"all_games_excused", "no_expected_games"}


def test_the_two_days_around_the_all_star_break(oracle):
    count = "SELECT count(*) FROM warehouse.nba_analytics.player_game_summary WHERE game_date = ?::DATE"
    assert oracle.value(count, "2023-02-23") == 187
    assert oracle.value(count, "2023-02-24") == 175
