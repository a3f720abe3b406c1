"""What functions-framework serves: `functions-framework --source main.py --target clean`. See docs/deploy.md."""

import os
from typing import Any

import functions_framework

from fullcourt.cli import logs
from fullcourt.cli.cleanup_function import handler

logs.configure(verbose=True, debug=False)
handle = handler(os.environ)


@functions_framework.cloud_event
def clean(event: Any) -> None:
    handle(event)
