"""How well each prediction system did over a range of days, one row per grading, system and model."""

from fullcourt.domain.tables import Column, PublishMode, Table
from schemas.columns import CREATED_AT

_INTERVAL = "end of its 95 % interval, clustered by game day; null under 5 days"


def _against(name: str, title: str) -> tuple[Column, ...]:
    return (
        Column(f"{name}_mae", "FLOAT64", f"Mean absolute error of {title} on the same rows, points."),
        Column(f"mae_less_{name}", "FLOAT64", f"Mean of |system's error| - |error of {title}|; negative is better."),
        Column(f"mae_less_{name}_low", "FLOAT64", f"Lower {_INTERVAL}."),
        Column(f"mae_less_{name}_high", "FLOAT64", f"Upper {_INTERVAL}."),
    )


TABLE = Table(
    name="prediction_grades",
    dataset="nba_predictions",
    doc="How well each prediction system did over a closed range of days, by what the players then scored.",
    columns=(
        Column("grade_id", "STRING", "The grading's own id.", required=True),
        Column("system_id", "STRING", "The prediction system.", required=True),
        Column("ml_model_id", "STRING", "The model behind it, 'stand_in_v1' or 'mixed'; null for systems without one."),
        Column("start_date", "DATE", "First day graded.", required=True),
        Column("end_date", "DATE", "Last day graded; belongs to the range.", required=True),
        Column("graded_count", "INT64", "Active predictions with a result: the player entered the game."),
        Column("ready_count", "INT64", "Ready feature rows with a result, predicted or not."),
        Column("mae", "FLOAT64", "Mean absolute error, points."),
        Column("rmse", "FLOAT64", "Root of the mean squared error, points."),
        Column("bias", "FLOAT64", "Mean of predicted less scored points."),
        *_against("season_average", "the season average"),
        *_against("last_5_average", "the average of the last 5 games"),
        Column("decided_count", "INT64", "Of them with a bookmaker's line, OVER or UNDER, and no push."),
        Column("hit_rate", "FLOAT64", "Share of these that were right, 0-1; null without bookmakers' lines."),
        Column("hit_rate_low", "FLOAT64", "Lower end of its 95 % Wilson interval."),
        Column("hit_rate_high", "FLOAT64", "Upper end of its 95 % Wilson interval."),
        CREATED_AT,
    ),
    grain=("grade_id", "system_id"),
    publish=PublishMode.APPEND,
    partition="end_date",
    cluster=("system_id",),
    day="end_date",
)
