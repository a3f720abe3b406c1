"""What the image of the flex templates runs: a template's parameters as a command, whose job nobody waits for.

The service's launcher passes the parameters on as `--name=value`, with Beam's own options among them.  It must not
wait for the job: the job's last step publishes.
"""

from collections.abc import Sequence
from typing import Any

from fullcourt.cli.main import app
from fullcourt.cli.main import main as run_command
from fullcourt.cli.template_parameters import PHASE, TEMPLATES, Parser, command, parser
from fullcourt.domain.errors import UsageError

# The image of the workers is the launcher's: there is nothing to compare, and asking pip takes seconds.
_ADDED = ("--experiments=disable_logging_submission_environment",)


def words(arguments: Sequence[str]) -> list[str]:
    """The command for a template's parameters. UsageError for what is no parameter, or lacks."""
    which = Parser(allow_abbrev=False, add_help=False)
    which.add_argument(f"--{PHASE}", required=True, choices=TEMPLATES)
    template = which.parse_known_args(list(arguments))[0].phase
    given, beam = parser(template).parse_known_args(list(arguments))
    _check_image(beam)
    chosen = {name: value for name, value in vars(given).items() if value is not None}
    return [*command(template, chosen), "--detach", "--", *beam, *_ADDED]


def main() -> None:
    run_command(commands=_launch)  # ends the process


def _launch(arguments: list[str]) -> Any:
    return app(words(arguments))


def _check_image(beam: Sequence[str]) -> None:
    """Beam's own image, the default, lacks this package: its workers would start and fail."""
    asked = Parser(allow_abbrev=False, add_help=False)
    asked.add_argument("--runner")
    asked.add_argument("--sdk_container_image")
    found = asked.parse_known_args(list(beam))[0]
    if str(found.runner).lower() == "dataflowrunner" and not found.sdk_container_image:
        raise UsageError("no --sdk_container_image: the template's spec must name it in its defaultEnvironment")
