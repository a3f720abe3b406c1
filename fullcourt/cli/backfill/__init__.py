"""`fullcourt backfill`: past days computed anew, in parallel, and done only when what was published covers them."""

from fullcourt.cli.backfill.commands import app

__all__ = ["app"]
