"""The table registry: one module per table, each declaring `TABLE`.

DDL, Arrow schemas, migrations, views and queries derive from these; nothing else says what a table holds.
"""

from fullcourt.domain.tables import Table
from schemas import (
    breaker_actions,
    cleanup_operations,
    dead_letters,
    game_lines,
    inactive_lists,
    injury_reports,
    landing_manifest,
    ml_feature_store_v2,
    nbac_gamebook_player_stats,
    nbac_schedule,
    nbac_team_boxscore,
    outbox_events,
    player_aliases,
    player_composite_factors,
    player_daily_cache,
    player_game_summary,
    player_prop_predictions,
    player_props,
    player_shot_zone_analysis,
    precompute_failures,
    prediction_grades,
    processor_run_history,
    publish_receipts,
    reprocess_attempts,
    shot_zones,
    team_defense_game_summary,
    team_defense_zone_analysis,
    team_offense_game_summary,
    upcoming_player_game_context,
    upcoming_team_game_context,
)

TABLES: dict[str, Table] = {
    module.TABLE.name: module.TABLE
    for module in (
        nbac_schedule,
        nbac_gamebook_player_stats,
        nbac_team_boxscore,
        shot_zones,
        inactive_lists,
        player_props,
        injury_reports,
        game_lines,
        player_aliases,
        player_game_summary,
        team_offense_game_summary,
        team_defense_game_summary,
        upcoming_player_game_context,
        upcoming_team_game_context,
        team_defense_zone_analysis,
        player_shot_zone_analysis,
        player_daily_cache,
        player_composite_factors,
        ml_feature_store_v2,
        player_prop_predictions,
        prediction_grades,
        reprocess_attempts,
        breaker_actions,
        publish_receipts,
        outbox_events,
        landing_manifest,
        dead_letters,
        cleanup_operations,
        precompute_failures,
        processor_run_history,
    )
}
