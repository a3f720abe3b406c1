"""Writes what Terraform takes from the code: `python -m templates.infra.generate`, then commit what changed.

Datasets come from the tables, topics from the messages, and what the clock calls from its functions; a test compares.
"""

import json
from pathlib import Path
from typing import Any

from fullcourt.cli import cleanup_function, reconcile_function
from fullcourt.domain.events import LISTENED, TOPICS
from schemas import TABLES

FILE = Path(__file__).parent / "generated.auto.tfvars.json"


def variables() -> dict[str, Any]:
    message = json.dumps(cleanup_function.TRIGGER)
    return {
        "datasets": sorted({table.dataset for table in TABLES.values()}),
        "topics": list(TOPICS),
        "listened_topics": list(LISTENED),
        "scheduled": {
            "cleanup": {"topic": cleanup_function.TOPIC, "message": message},
            "reconcile": {"topic": reconcile_function.TOPIC, "message": message},
        },
    }


def text() -> str:
    return json.dumps(variables(), indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
