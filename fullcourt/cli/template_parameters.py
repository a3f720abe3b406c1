"""What a flex template takes: options of a command, with what a form and the service want to know of them.

Names, help and defaults are the commands' own, so that there is one text of each.  The parser of the launcher and the
metadata beside the template are both made of these; templates/metadata is written by `make generate`.
"""

import argparse
import enum
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn

from fullcourt.cli.phases import PHASES
from fullcourt.domain.errors import UsageError
from fullcourt.domain.predictions.systems import SYSTEMS
from fullcourt.domain.processors import select

PHASE = "phase"
INGEST = "ingest"
BACKFILL = "backfill"
TEMPLATES = (INGEST, *PHASES, BACKFILL)
# The command of each that is no phase.
_COMMANDS: Mapping[str, tuple[str, ...]] = {INGEST: ("ingest",), BACKFILL: ("backfill", "slice")}
_DAY = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_NUMBER = r"\d+(\.\d+)?"
_WHOLE = r"\d+"
_PERCENT = r"100(\.0+)?|\d{1,2}(\.\d+)?"
_BOOLEAN = ("false", "true")


class Kind(enum.StrEnum):
    """The parameter types of Dataflow that we use."""

    TEXT = "TEXT"
    BOOLEAN = "BOOLEAN"
    ENUM = "ENUM"
    NUMBER = "NUMBER"


@dataclass(frozen=True)
class Parameter:
    """One parameter of a template.

    flag: how the command calls it, empty for its argument.  pattern: what a whole value must match.
    choices: of an ENUM or BOOLEAN.  default: None where the command has none, or must be told.
    """

    name: str
    flag: str
    label: str
    help: str
    group: str
    kind: Kind
    pattern: str = ""
    choices: tuple[str, ...] = ()
    required: bool = False
    default: str | None = None
    hidden: bool = False

    def check(self, value: str) -> str:
        """The value again; UsageError where it is none."""
        if self.choices and value not in self.choices:
            raise UsageError(f"template parameter {self.name}={value!r}: expected one of {', '.join(self.choices)}")
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise UsageError(f"template parameter {self.name}={value!r}: expected {self.pattern}")
        return value

    @property
    def metadata(self) -> dict[str, Any]:
        """As Dataflow's ParameterMetadata."""
        found: dict[str, Any] = {"name": self.name, "label": self.label, "helpText": self.help}
        found |= {"groupName": self.group, "paramType": self.kind.value, "isOptional": not self.required}
        if self.pattern:
            found["regexes"] = [f"^({self.pattern})$"]
        if self.kind is Kind.ENUM:
            found["enumOptions"] = [{"value": choice, "label": choice} for choice in self.choices]
        if self.default is not None:
            found["defaultValue"] = self.default
        if self.hidden:
            found["hiddenUi"] = True
        return found


@dataclass(frozen=True)
class _Offer:
    """How a template presents an option.

    names: what a comma-separated list may hold, by template.  help: where the command's own says too much.
    """

    label: str
    group: str
    pattern: str = ""
    names: Callable[[str], tuple[str, ...]] | None = None
    required: bool = False
    help: str = ""


def _processors(template: str) -> tuple[str, ...]:
    return tuple(processor.name for processor in select(PHASES[template].phase, None))


_WHAT, _HOW, _WHERE = "What to compute", "How strictly", "Where"
_OFFERS: Mapping[str, _Offer] = {
    "directory": _Offer("Landing directory", _WHAT, r"\S+", required=True),
    "plan_id": _Offer("Plan", _WHAT, r"\d{8}T\d{6}-[0-9a-f]{8}", required=True, help="The plan's id."),
    "slice_number": _Offer("Slice", _WHAT, _WHOLE, required=True),
    "token": _Offer("Token of the claim", _WHAT, _WHOLE, required=True),
    "days": _Offer("Days", _WHAT, rf"{_DAY}(,{_DAY})*", required=True),
    "start": _Offer("First day", _WHAT, _DAY, required=True),
    "end": _Offer("Last day", _WHAT, _DAY, required=True),
    "processors": _Offer("Processors", _WHAT, names=_processors),
    "systems": _Offer("Prediction systems", _WHAT, names=lambda _: SYSTEMS),
    "minimum_minutes": _Offer("Least minutes a game", _WHAT, _NUMBER),
    "minimum_quality": _Offer("Least feature quality", _WHAT, _PERCENT),
    "historical": _Offer("Days long past", _WHAT),
    "max_dead_percent": _Offer("Most unreadable rows, percent", _HOW, _PERCENT),
    "cascade_policy": _Offer("Upstream not ready", _HOW),
    "strict": _Offer("Refuse on unsafe upstreams", _HOW),
    "allow_demotion": _Offer("Allow demotion", _HOW),
    "recompute": _Offer("Compute even what did not change", _HOW),
    "skip_downstream_trigger": _Offer("Start nothing downstream", _HOW),
    "warehouse": _Offer(
        "Warehouse",
        _WHERE,
        r"bigquery://\S+[?&]staging=temp(&\S+)?",  # workers are elsewhere: they read and write the bucket
        required=True,
        help="bigquery://project?location=US&temp=gs://bucket/prefix&staging=temp, as workers see no other place.",
    ),
}
_RUN = ("start", "end", "allow_demotion", "recompute", "skip_downstream_trigger", "warehouse")
# What each template takes of its command, in the order in which a form shows it.
TAKES: Mapping[str, tuple[str, ...]] = {
    INGEST: ("directory", "max_dead_percent", "warehouse"),
    "analytics": ("processors", *_RUN),
    "precompute": ("processors", "strict", "cascade_policy", *_RUN),
    "predictions": ("systems", "minimum_minutes", "minimum_quality", "historical", *_RUN),
    BACKFILL: ("plan_id", "slice_number", "token", "days", "warehouse"),
}
_ABOUT = {
    INGEST: "Loads a directory of landing files into the raw tables.",
    "analytics": "Computes game summaries, and from these the contexts of fixtures.",
    "precompute": "Judges which entities have the games they need, and computes the features of those.",
    "predictions": "Predicts the points of every player who is ready, and says who was held back.",
    BACKFILL: "Computes a slice of a backfill; launched by `fullcourt backfill apply --on dataflow`, not by hand.",
}


@cache
def parameters(template: str) -> tuple[Parameter, ...]:
    """Of one template, in the order of a form; the first says which template it is."""
    if template not in TAKES:
        raise UsageError(f"unknown template {template!r}: expected one of {', '.join(TEMPLATES)}")
    which = Parameter(
        name=PHASE,
        flag="",
        label="Phase",
        help="Which pipeline of the image this template runs.",
        group=_WHAT,
        kind=Kind.TEXT,
        pattern=template,
        required=True,
        default=template,
        hidden=True,
    )
    options = {option.name: option for option in _command(template).params}
    order = [name for name in _OFFERS if name in TAKES[template]]
    return (which, *(_parameter(template, options[name], _OFFERS[name]) for name in order))


def metadata(template: str) -> dict[str, Any]:
    """As Dataflow's TemplateMetadata."""
    taken = parameters(template)
    return {
        "name": f"Full Court {template}",
        "description": _ABOUT[template],
        "parameters": [parameter.metadata for parameter in taken],
    }


def parser(template: str) -> argparse.ArgumentParser:
    """Of the launcher: `--name=value`, as the service passes parameters on."""
    made = Parser(allow_abbrev=False, add_help=False)
    for parameter in parameters(template):
        made.add_argument(
            f"--{parameter.name}",
            type=parameter.check,
            choices=parameter.choices or None,
            required=parameter.required,
            help=parameter.help,
        )
    return made


class Parser(argparse.ArgumentParser):
    """Raises what it cannot read, where argparse would end the process."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"template: {message}")


def checked(template: str, given: Mapping[str, str]) -> dict[str, str]:
    """The given parameters with the phase; UsageError for one that is unknown, lacking or malformed."""
    known = {parameter.name: parameter for parameter in parameters(template)}
    given = {PHASE: template, **given}
    for name in given:
        if name not in known:
            raise UsageError(f"template {template} has no parameter {name!r}: expected one of {', '.join(known)}")
    if lacking := [name for name, parameter in known.items() if parameter.required and name not in given]:
        raise UsageError(f"template {template} lacks {', '.join(lacking)}")
    return {name: known[name].check(value) for name, value in given.items()}


def command(template: str, given: Mapping[str, str]) -> Iterator[str]:
    """The words of the command that the parameters amount to, without Beam's own options."""
    yield from _COMMANDS.get(template, ("run", template))
    for parameter in parameters(template):
        value = given.get(parameter.name)
        if value is None or parameter.name == PHASE:
            continue
        if not parameter.flag:
            yield value
        elif parameter.kind is not Kind.BOOLEAN:
            yield f"{parameter.flag}={value}"
        elif value == "true":
            yield parameter.flag


def _command(template: str) -> Any:
    """The command whose options the template takes."""
    import typer

    from fullcourt.cli.main import app

    found: Any = typer.main.get_command(app)
    for word in _COMMANDS.get(template, ("run",)):
        found = found.commands[word]
    return found


def _parameter(template: str, option: Any, offer: _Offer) -> Parameter:
    pattern, about = offer.pattern, offer.help or str(option.help)
    choices: tuple[str, ...] = ()
    kind, default = Kind.TEXT, None if offer.required or option.default is None else str(option.default)
    if getattr(option, "is_flag", False):
        kind, choices, default = Kind.BOOLEAN, _BOOLEAN, "false"
    elif isinstance(option.default, enum.Enum):
        kind, choices, default = Kind.ENUM, tuple(map(str, type(option.default))), str(option.default)
    elif pattern in (_NUMBER, _PERCENT, _WHOLE):
        kind = Kind.NUMBER
    if offer.names:
        names = offer.names(template)
        one = "|".join(map(re.escape, names))
        pattern, about = rf"({one})(,({one}))*", f"{about} Of: {', '.join(names)}."
    return Parameter(
        name=str(option.name),
        flag=option.opts[0] if option.opts[0].startswith("--") else "",
        label=offer.label,
        help=about,
        group=offer.group,
        kind=kind,
        pattern=pattern,
        choices=choices,
        required=offer.required,
        default=default,
    )
