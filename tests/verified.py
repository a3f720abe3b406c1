"""A small season through every phase, and every check of `verify` computed a second time, in plain Python over rows."""

import datetime as dt
from collections import Counter, defaultdict
from pathlib import Path

from fullcourt.domain.processors import PROCESSORS, Entity, Phase
from fullcourt.warehouse.views import COMPUTED_REASONS
from schemas import TABLES
from tests.houses import House

CALLED_OFF = {"Postponed", "Cancelled", "Canceled", "PPD"}
ZONES = {
    "player_game_summary": ("paint_attempts", "mid_range_attempts", "three_pt_zone_attempts"),
    "team_offense_game_summary": ("team_paint_attempts", "team_mid_range_attempts"),
    "team_defense_game_summary": ("opp_paint_attempts", "opp_mid_range_attempts", "opp_three_pt_attempts"),
    "team_defense_zone_analysis": [f"{zone}_attempts_allowed_per_game" for zone in ("paint", "mid_range", "three_pt")],
    "player_shot_zone_analysis": [f"{zone}_attempts_per_game" for zone in ("paint", "mid_range", "three_pt")],
}
LANDED = ("nbac_schedule", "nbac_gamebook_player_stats", "nbac_team_boxscore", "shot_zones")


def game_days(house: House) -> list[dt.date]:
    rows = house.query("SELECT DISTINCT game_date AS day FROM nba_raw.counted_team_games ORDER BY game_date")
    return [row["day"] for row in rows]


def build(loaded: House, directory: Path) -> None:
    """Every phase over every game day of a season that is loaded."""
    house = loaded.copy(directory / "verified.duckdb")
    days = game_days(house)
    for phase in ("analytics", "precompute", "predictions"):
        house.run(phase, days[0], days[-1])


def execute(house: House, *statements: str, **parameters: object) -> None:
    with house.warehouse.transaction({}) as session:
        for statement in statements:
            session.execute(statement, **{name: v for name, v in parameters.items() if f"@{name}" in statement})


class Reference:
    """(check, table) -> day -> (found, expected, passes), of one warehouse whose games are all of the regular season.

    coverage_pct of predictions is left out.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self.today = (house.now - dt.timedelta(hours=5)).date()  # noon UTC is the same day in New York
        games = [row for row in self._rows("nbac_schedule") if row["season_type"] == "regular"]
        self.games = [row for row in games if row["game_status_text"] not in CALLED_OFF]
        self.final = [game for game in self.games if game["game_status"] == 3]
        self.days = {game["game_date"] for game in self.final} | {
            game["game_date"] for game in self.games if game["game_date"] < self.today
        }
        self.final_days = {game["game_date"] for game in self.final}
        self.sides = [
            (game["game_date"], game["game_id"], game[f"{side}_team_tricode"], game[f"{side}_team_score"])
            for game in self.final
            for side in ("home", "away")
        ]

    def of(self, phase: str) -> dict[tuple[str, str], dict[dt.date, tuple[float, float, bool]]]:
        self.found: dict[tuple[str, str], dict[dt.date, tuple[float, float, bool]]] = defaultdict(dict)
        if phase in ("landing", "raw"):
            getattr(self, phase)()
        else:
            for processor in PROCESSORS:
                if processor.phase is Phase[phase.upper()]:
                    self._output(processor)
        return {key: days for key, days in self.found.items() if days}

    def landing(self) -> None:
        listed = {row["file_name"] for row in self._rows("landing_manifest") if row["status"] != "ignored"}
        for name in LANDED:
            by_day = defaultdict(set)
            for row in self._rows(name):
                by_day[row["game_date"]].add(row["source_file"])
            for day in self.days:
                self._put("game_days", name, day, day in by_day, True)
            for day, files in by_day.items():
                self._put("files_listed", name, day, len(files & listed), len(files))

    def raw(self) -> None:
        box, team_box = self._rows("nbac_gamebook_player_stats"), self._rows("nbac_team_boxscore")
        for day in self.days:
            if day < self.today:
                final, games = (sum(game["game_date"] == day for game in part) for part in (self.final, self.games))
                self._put("final_games", "nbac_schedule", day, final, games)
        scores = Counter()
        for row in box:
            scores[row["game_id"], row["team_abbr"]] += row["points"] or 0
        teams = {(row["game_id"], row["team_abbr"]) for row in team_box}
        whole = {(game, team) for _, game, team, score in self.sides if scores.get((game, team)) == score}
        parts = (
            ("nbac_gamebook_player_stats", box, "whole_team_games", whole),
            ("nbac_team_boxscore", team_box, "team_rows", teams),
        )
        for name, rows, check, there in parts:
            held = {row["game_date"] for row in rows}
            for day in self.final_days:
                self._put("game_days", name, day, day in held, True)
                if day in held:
                    sides = [(game, team) for on, game, team, _ in self.sides if on == day]
                    self._put(check, name, day, len(there.intersection(sides)), len(sides))
        for name in LANDED[:3]:
            self._repeats(name, self._rows(name))

    def _output(self, processor) -> None:
        table, day_of = TABLES[processor.name], processor.day_column
        rows = [row for row in self._rows(processor.name) if row.get("is_active", True)]
        by_day = defaultdict(list)
        for row in rows:
            by_day[row[day_of]].append(row)
        receipts = {}
        for receipt in sorted(self._rows("publish_receipts"), key=lambda row: (row["published_at"], row["publish_id"])):
            if receipt["processor_name"] == processor.name:
                receipts[receipt["analysis_date"]] = receipt
        lacking = set()
        for day in self.final_days:
            computed = self._computed(table, by_day[day])
            receipt = receipts.get(day)
            excused = receipt and receipt["status"] == "COMPLETE" and not receipt["coverage_written"]
            there = bool(computed) or bool(excused)
            self._put("game_days", processor.name, day, there, True)
            lacking |= set() if there else {day}
        self._repeats(processor.name, [row for row in rows if row[day_of] not in lacking])
        for day in self.days - lacking:
            here, receipt = by_day[day], receipts.get(day)
            self._put("complete_receipts", processor.name, day, bool(receipt and receipt["status"] == "COMPLETE"), True)
            if receipt:
                self._put("published_rows", processor.name, day, len(here), receipt["row_count"])
            computed = self._computed(table, here)
            if processor.name in ZONES and computed:
                worst = max(sum(row[zone] is None for row in computed) for zone in ZONES[processor.name])
                share = 100 * worst / len(computed)
                self._put("unknown_zones_pct", processor.name, day, round(share, 1), 20.0, share < 20)
            if processor.phase is Phase.ANALYTICS and processor.entity is Entity.TEAM:
                games = sum(game["game_date"] == day for game in (self.games if processor.fixtures else self.final))
                excused = receipt["coverage_explained"] if receipt and processor.fixtures else 0
                if games:
                    self._put("team_rows", processor.name, day, len(here) + excused, 2 * games)
            if processor.name == "player_game_summary" and day in self.final_days:
                entered = {
                    row["player_lookup"]
                    for row in self._rows("nbac_gamebook_player_stats")
                    if row["game_date"] == day and row["played"] and row["player_lookup"]
                }
                keys = {row["player_lookup"] for row in here}
                self._put("players", processor.name, day, len(keys), len(entered), 10 * len(keys) >= 9 * len(entered))
            if processor.phase is not Phase.PREDICTIONS:
                self._coverage(processor, day, here)

    def _coverage(self, processor, day: dt.date, here: list[dict]) -> None:
        """There, or explained, of what the day owed."""
        sides = [(game, team, score) for on, game, team, score in self.sides if on == day]
        if processor.name == "player_game_summary":
            scores = Counter()
            for row in here:
                scores[row["game_id"], row["team_abbr"]] += row["points"]
            owed, there = len(sides), sum(scores.get((game, team)) == score for game, team, score in sides)
        elif not processor.windows:
            team_of = TABLES[processor.name].grain[1]
            # Rows are joined, so that a row that is there twice counts twice, on both sides.
            held = Counter((row["game_id"], row[team_of]) for row in here)
            owed = sum(max(1, held[game, team]) for game, team, _ in sides)
            there = sum(held[game, team] for game, team, _ in sides)
        else:
            key = processor.key_column
            explained = {
                row["entity_id"]
                for row in self._rows("precompute_failures")
                if (row["processor_name"], row["analysis_date"]) == (processor.name, day)
                and row["failure_category"] == "EXPECTED_INCOMPLETE"
            }
            if processor.entity is Entity.PLAYER:
                summaries = self._rows("player_game_summary")
                entities = {row["player_lookup"] for row in summaries if row["game_date"] == day}
                listed = defaultdict(list)
                for row in (*self._rows("nbac_gamebook_player_stats"), *self._rows("inactive_lists")):
                    listed[row["player_lookup"]].append(row["game_date"])
                explained |= {player for player in entities if listed[player] and min(listed[player]) == day}
            else:
                entities = {team for _, team, _ in sides}
            held, good = (
                Counter(row[key] for row in here),
                Counter(row[key] for row in self._computed(TABLES[processor.name], here)),
            )
            owed = sum(max(1, held[name]) for name in entities)
            there = sum(good[name] if held[name] else name in explained for name in entities)
        if not owed and day not in self.final_days:
            return
        percent = 100 * there / owed if owed else 0.0
        self._put("coverage_pct", processor.name, day, int(10 * percent) / 10, 90.0, percent >= 90)

    def _repeats(self, name: str, rows: list[dict]) -> None:
        table = TABLES[name]
        copies, first = Counter(), {}
        for row in sorted(rows, key=lambda row: row[table.day]):
            key = tuple(row[column] for column in table.supersede_by or table.grain)
            copies[key] += 1
            first.setdefault(key, row[table.day])
        repeated = Counter()
        for key, count in copies.items():
            repeated[first[key]] += count - 1
        for day, count in repeated.items():
            self._put("repeated_keys", name, day, count, 0)

    def _computed(self, table, rows: list[dict]) -> list[dict]:
        return [row for row in rows if not table.readiness or row["processing_decision_reason"] in COMPUTED_REASONS]

    def _rows(self, name: str) -> list[dict]:
        if not hasattr(self, "_cache"):
            self._cache: dict[str, list[dict]] = {}
        if name not in self._cache:
            self._cache[name] = self._house.query(f"SELECT * FROM {TABLES[name].id}")
        return self._cache[name]

    def _put(self, check: str, name: str, day: dt.date, found: float, expected: float, ok: bool | None = None) -> None:
        self.found[check, TABLES[name].id][day] = (found, expected, found == expected if ok is None else ok)
