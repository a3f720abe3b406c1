"""Groups of options: written once, taken by several commands."""

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from fullcourt.cli.options import grouped


@dataclass(frozen=True)
class Colours:
    sky: Annotated[str, typer.Option(help="Of the sky.")]
    sea: Annotated[str, typer.Option(help="Of the sea.")] = "grey"

    def __post_init__(self) -> None:
        if self.sky == "plaid":
            raise typer.BadParameter("no sky is plaid")


def painted(*arguments):
    """(exit code, what was said) of a command with a group between two options of its own."""
    app = typer.Typer()

    @app.command()
    @grouped
    def paint(*, context: typer.Context, wide: bool = False, colours: Colours, frame: str = "oak") -> None:
        """Paints."""
        typer.echo(f"{context.info_name} {wide} {colours} {frame}")

    ended = CliRunner().invoke(app, arguments)
    return ended.exit_code, ended.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--sky", "blue"), "paint False Colours(sky='blue', sea='grey') oak"),
        (("--sea", "green", "--frame", "ash", "--sky", "red", "--wide"), "True Colours(sky='red', sea='green') ash"),
    ],
)
def test_a_group_is_made_of_its_options(arguments, said):
    code, output = painted(*arguments)
    assert (code, said in output) == (0, True)


@pytest.mark.parametrize(("arguments", "complaint"), [((), "--sky"), (("--sky", "plaid"), "no sky is plaid")])
def test_what_a_group_refuses_is_a_usage_error(arguments, complaint):
    code, output = painted(*arguments)
    assert (code, complaint in output) == (2, True)


def test_help_has_the_options_where_the_group_stands():
    _, output = painted("--help")
    places = [output.index(words) for words in ("Paints.", "--wide", "Of the sky.", "Of the sea.", "--frame")]
    assert places == sorted(places)


def test_two_options_of_one_name_are_refused():
    def paint(sky: str, colours: Colours) -> None: ...

    with pytest.raises(ValueError, match="duplicate parameter name: 'sky'"):
        grouped(paint)
