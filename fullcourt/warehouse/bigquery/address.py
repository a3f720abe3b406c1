"""Where a BigQuery warehouse is, read from its URL."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

from fullcourt.domain.errors import UsageError

SCHEME = "bigquery"
IN_BUCKET = "temp"  # staging=temp
FORM = "bigquery://project?location=US&temp=gs://bucket/prefix"
_REQUIRED = ("location", "temp")
_OPTIONAL = ("staging", "maximum_bytes_billed")
_PROJECT = re.compile(r"[a-z][a-z0-9.:-]*[a-z0-9]")
_BUCKET = re.compile(r"gs://([a-z0-9][a-z0-9._-]*[a-z0-9])(?:/(.*))?")


@dataclass(frozen=True)
class Address:
    """A project's datasets in one location.

    bucket, prefix: where staged files are uploaded to be loaded; the prefix has no slash at either end.
    staging: the directory on this machine in which runs stage their files; None: in the bucket, where they are loaded
        from, for runners whose workers are elsewhere.
    maximum_bytes_billed: a statement that would read more is refused; None: no limit of ours.
    """

    project: str
    location: str
    bucket: str
    prefix: str
    staging: Path | None
    maximum_bytes_billed: int | None = None

    @classmethod
    def parse(cls, url: str) -> "Address":
        """UsageError names what is lacking, unknown or malformed."""
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise UsageError(f"warehouse {url!r} cannot be read ({error}): expected {FORM}") from error
        given = parse_qsl(parts.query, keep_blank_values=True)
        options = dict(given)
        problems = [f"lacks {name}" for name in _REQUIRED if not options.get(name)]
        problems += [f"has unknown {name}" for name in options if name not in (*_REQUIRED, *_OPTIONAL)]
        problems += [f"names {name} twice" for name in options if [key for key, _ in given].count(name) > 1]
        if not _PROJECT.fullmatch(parts.netloc) or parts.path not in ("", "/") or parts.fragment:
            problems.append(f"names no project, but {(parts.netloc + parts.path)!r}")
        temp = _BUCKET.fullmatch(options.get("temp", ""))
        if options.get("temp") and not temp:
            problems.append(f"has temp={options['temp']!r}, which is no gs://bucket/prefix")
        limit = options.get("maximum_bytes_billed")
        if limit is not None and not re.fullmatch(r"[1-9][0-9]*", limit):
            problems.append(f"has maximum_bytes_billed={limit!r}, which is no number of bytes")
        if problems or temp is None:
            raise UsageError(f"warehouse {url!r} {', '.join(problems)}: expected {FORM}")
        project = parts.netloc
        return cls(
            project=project,
            location=options["location"],
            bucket=temp[1],
            prefix=(temp[2] or "").strip("/"),
            staging=_staging(options.get("staging"), project),
            maximum_bytes_billed=int(limit) if limit else None,
        )

    @property
    def url(self) -> str:
        """The same again, with the staging directory written out."""
        temp = f"gs://{self.bucket}/{self.prefix}".rstrip("/")
        options = {"location": self.location, "temp": temp, "staging": str(self.staging or IN_BUCKET)}
        if self.maximum_bytes_billed:
            options["maximum_bytes_billed"] = str(self.maximum_bytes_billed)
        return f"{SCHEME}://{self.project}?" + "&".join(f"{key}={quote(text)}" for key, text in options.items())


def _staging(given: str | None, project: str) -> Path | None:
    if given == IN_BUCKET:
        return None
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(given).absolute() if given else cache / "fullcourt" / project
