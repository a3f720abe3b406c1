"""What is said before each game of a simulated league: lines on players' points, injury reports, spreads and totals.

All that is said about a game day rests on earlier games of the season alone.  Random numbers go by row, in order of
play, so that neither later games nor the results of the day itself change what was said before them.
"""

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcourt.demo.calendar import Ints
from fullcourt.demo.landing import REGULAR
from fullcourt.demo.rosters import Floats
from fullcourt.domain.days import EASTERN
from fullcourt.domain.names import TEAM_NAMES
from fullcourt.domain.numbers import TIMESTAMP

BOOKMAKERS = ("DraftKings", "FanDuel")
SNAPSHOTS = ((-1, 18), (0, 17))  # days from the game, hour of the day (Eastern): the opening and the current line
REPORT_HOURS = (11, 17)
POINTS, POINTS_REBOUNDS_ASSISTS = "points", "points_rebounds_assists"
SCORER, SCORERS_WITH_LINES, LINES_FROM_GAME = 10, 0.7, 3  # points a game, share of such players, games played before
COMBINED = 0.05  # share of player-games that have a line on points, rebounds and assists too
HOME_EDGE, USUAL_TOTAL, USUAL_GAMES = 2.0, 228.0, 5  # points; how many games the usual figure counts for
UNCERTAIN = 0.04  # share of the dressed players whom the injury report names
OUT, DOUBTFUL, QUESTIONABLE, PROBABLE, AVAILABLE = range(5)
STATUSES = ("Out", "Doubtful", "Questionable", "Probable", "Available")
REASONS = ("Injury/Illness - Left Ankle; Sprain", "Injury/Illness - Right Knee; Soreness", "Not With Team", "Rest")
_IN_ORDER = [("game_date", "ascending"), ("game_id", "ascending"), ("player_id", "ascending")]


def draw_market(seed: int, schedule: pa.Table, box: pa.Table, inactives: pa.Table) -> dict[str, pa.Table]:
    """prop_lines, injury_reports and game_lines of the league's regular games, by their names in League.

    Drawn from generators of their own, so that they leave the rest of the league as it is.
    """
    props, reports, lines = (np.random.Generator(np.random.PCG64(s)) for s in np.random.SeedSequence(seed).spawn(3))
    return {
        "prop_lines": _prop_lines(props, box.sort_by(_IN_ORDER)),
        "injury_reports": _injury_reports(reports, box, inactives),
        "game_lines": _game_lines(lines, schedule),
    }


def _prop_lines(rng: np.random.Generator, box: pa.Table) -> pa.Table:
    """Two snapshots by two bookmakers for most scorers, and a few lines on points, rebounds and assists together."""
    luck = rng.random((box.num_rows, 6))
    player = _codes(_text(box["season"], box["player_id"]))
    games = _before(player, _numbers(box["played"]))
    points, rebounds, assists = (_before(player, _numbers(box[name])) for name in ("pts", "reb", "ast"))
    mean, combined = points / np.maximum(games, 1), (points + rebounds + assists) / np.maximum(games, 1)
    offered = (games >= LINES_FROM_GAME) & (mean >= SCORER) & (luck[:, 0] < SCORERS_WITH_LINES)

    def quotes(market: str, expected: Floats, rows: Ints, snapshot: Ints, bookmaker: Ints) -> pa.Table:
        opening = np.floor(expected[rows] + 2 * luck[rows, 1 + bookmaker] - 1) + 0.5
        over = 5 * np.floor(5 * luck[rows, 4 + bookmaker]) - 120
        picked = box.take(pa.array(rows))
        instant = _instants(picked["game_date"], snapshot).cast(pa.timestamp("s", tz="UTC"))
        return pa.table(
            {
                "market": pa.repeat(market, len(rows)),
                "resolved_game_id": picked["game_id"],
                "player_name_as_listed": picked["player_name"],
                "resolved_player_id": picked["player_id"],
                "bookmaker": pa.array(BOOKMAKERS).take(pa.array(bookmaker)),
                "line": opening + snapshot * np.rint(3 * luck[rows, 3] - 1.5),  # moves by a point, or not at all
                "over_price": over,
                "under_price": -220 - over,
                "observed_at_utc": pc.strftime(instant, "%Y-%m-%dT%H:%M:%SZ"),
            }
        )

    at, snapshot, bookmaker = _every(np.flatnonzero(offered), 2, 2)
    few = np.flatnonzero(offered & (luck[:, 0] < COMBINED))
    more = quotes(POINTS_REBOUNDS_ASSISTS, combined, few, np.ones_like(few), np.zeros_like(few))
    return pa.concat_tables([quotes(POINTS, mean, at, snapshot, bookmaker), more])


def _injury_reports(rng: np.random.Generator, box: pa.Table, inactives: pa.Table) -> pa.Table:
    """Two reports a game day: all who are out, and a few who might have been; some change between the two."""
    keys = ["game_date", "game_id", "team_tricode", "player_id", "player_name"]
    dressed = box.select(keys).append_column("out", pa.repeat(False, box.num_rows))
    absent = inactives.select(keys).append_column("out", pa.repeat(True, inactives.num_rows))
    listed = pa.concat_tables([dressed, absent]).sort_by(_IN_ORDER)
    luck = rng.random((listed.num_rows, 5))
    out = listed["out"].to_numpy()
    doubt = DOUBTFUL + np.floor(3 * luck[:, 1]).astype(np.int64)
    morning = np.where(out, np.where(luck[:, 2] < 0.85, OUT, QUESTIONABLE), doubt)
    evening = np.where(out, OUT, np.where(luck[:, 2] < 0.70, doubt, AVAILABLE))
    at, later = _every(np.flatnonzero(out | (luck[:, 0] < UNCERTAIN)), 2)
    spelt = np.floor(3 * luck[at, 3]).astype(np.int64)  # the source's case varies
    spellings = [spelling for name in STATUSES for spelling in (name, name.upper(), name.lower())]
    status = np.where(later, evening[at], morning[at])
    reason = np.floor(len(REASONS) * luck[at, 4]).astype(np.int64)
    return pa.table(
        {name: listed[name].take(pa.array(at)) for name in keys if name != "game_id"}
        | {
            "injury_status": pa.array(spellings).take(pa.array(3 * status + spelt)),
            "reason": pa.array(REASONS).take(pa.array(reason)),
            "report_hour": np.array(REPORT_HOURS)[later],
        }
    )


def _game_lines(rng: np.random.Generator, schedule: pa.Table) -> pa.Table:
    """Spreads and totals by two bookmakers in two snapshots, from what both teams' earlier games were like."""
    games = schedule.filter(pc.equal(schedule["season_type"], REGULAR)).sort_by(_IN_ORDER[:2])
    luck = rng.random((games.num_rows, 4))
    sides = [_text(games["season"], games[f"{side}_tricode"]) for side in ("home", "away")]
    team = _codes(pa.concat_arrays(sides)).reshape(2, -1).T  # (games, 2)
    over = pc.and_(games["home_score"].is_valid(), games["away_score"].is_valid()).to_numpy()[:, None]
    scores = np.stack([_numbers(games["home_score"]), _numbers(games["away_score"])], axis=1) * over

    def so_far(value: Ints) -> Ints:
        """(games, 2): the sum over each side's earlier games."""
        return _before(team.ravel(), np.broadcast_to(value, team.shape).ravel()).reshape(team.shape)

    played = so_far(over.astype(np.int64))
    rating = so_far(scores - scores[:, ::-1]) / (played + USUAL_GAMES)
    points = so_far(scores.sum(axis=1, keepdims=True))
    total = (points + USUAL_GAMES * USUAL_TOTAL).sum(axis=1) / (played + USUAL_GAMES).sum(axis=1)
    spread = -(HOME_EDGE + rating[:, 0] - rating[:, 1])  # the home team's

    at, snapshot, bookmaker, of_total, second = _every(np.arange(len(total)), 2, 2, 2, 2)
    moved = luck[at, bookmaker] - 0.5 + snapshot * (3 * luck[at, 2 + of_total] - 1.5)
    line = np.rint(2 * (np.where(of_total, total[at], spread[at]) + moved)) / 2
    names = {code: name for name, code in TEAM_NAMES.items()}
    home, away = (
        pa.array([names[code] for code in games[f"{side}_tricode"].to_pylist()]).take(pa.array(at))
        for side in ("home", "away")
    )
    outcomes = pa.array(["Over", "Under"]).take(pa.array(second))
    return pa.table(
        {
            "game_date": games["game_date"].take(pa.array(at)),
            "home_team": home,
            "away_team": away,
            "market_key": pa.array(["spreads", "totals"]).take(pa.array(of_total)),
            "bookmaker_key": pa.array([name.lower() for name in BOOKMAKERS]).take(pa.array(bookmaker)),
            "outcome_name": pc.choose(pa.array(np.where(of_total, 2, second)), home, away, outcomes),
            "outcome_point": np.where((second == 1) & (of_total == 0), -line, line) + 0.0,  # no minus zero
            "snapshot_timestamp": _instants(games["game_date"].take(pa.array(at)), snapshot),
        }
    )


def _before(group: Ints, value: Ints) -> Ints:
    """Per row the sum over the group's earlier rows; rows are in order of play."""
    order = np.argsort(group, kind="stable")
    running = np.cumsum(value[order]) - value[order]
    begin = np.flatnonzero(np.diff(group[order], prepend=-1))
    before = np.empty_like(running)
    before[order] = running - np.repeat(running[begin], np.diff(np.append(begin, len(group))))
    return before


def _every(rows: Ints, *choices: int) -> tuple[Ints, ...]:
    """Every row with every choice: the rows, then one array a choice, all of the same length."""
    place, *chosen = (index.ravel() for index in np.indices((len(rows), *choices)))
    return rows[place], *chosen


def _instants(days: pa.ChunkedArray, snapshot: Ints) -> pa.Array:
    """When a game day's snapshots were taken, in UTC."""
    distinct = days.unique()
    instants = [
        dt.datetime.combine(day + dt.timedelta(later), dt.time(hour), EASTERN)
        for day in distinct.to_pylist()
        for later, hour in SNAPSHOTS
    ]
    place = pc.index_in(days, distinct).to_numpy()
    return pa.array(instants, TIMESTAMP).take(pa.array(len(SNAPSHOTS) * place + snapshot))


def _text(*columns: pa.ChunkedArray) -> pa.Array:
    return pc.binary_join_element_wise(*(column.cast(pa.string()) for column in columns), " ").combine_chunks()


def _codes(names: pa.Array) -> Ints:
    return names.dictionary_encode().indices.to_numpy().astype(np.int64)


def _numbers(counts: pa.ChunkedArray) -> Ints:
    """Null as 0."""
    return pc.fill_null(counts.cast(pa.int64()), 0).to_numpy()
