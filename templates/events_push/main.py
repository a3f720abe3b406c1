"""What functions-framework serves: `functions-framework --source main.py --target receive`. See docs/events.md."""

import os

from fullcourt.cli.push import endpoint

receive = endpoint(os.environ)
