"""`fullcourt schema`: prints DDL, plans and applies what a warehouse lacks."""

from typing import Annotated

import typer

from fullcourt.cli.options import DEFAULT_WAREHOUSE, Format, FormatOption, WarehouseOption
from fullcourt.cli.output import show
from fullcourt.domain.errors import EngineError, UsageError

app = typer.Typer(no_args_is_help=True)


@app.command()
def ddl(table: Annotated[str, typer.Argument(help="Table or view, with or without its dataset.")]) -> None:
    """Prints the BigQuery SQL that creates a table or view."""
    from fullcourt.domain.names import suggestions
    from fullcourt.warehouse.ddl import create_table, create_view
    from fullcourt.warehouse.views import VIEWS
    from schemas import TABLES

    name = table.rpartition(".")[2]
    if name in TABLES and table in (name, TABLES[name].id):
        typer.echo(create_table(TABLES[name]) + ";")
    elif name in VIEWS and table in (name, VIEWS[name].id):
        typer.echo(create_view(VIEWS[name]) + ";")
    else:
        close = suggestions(name, [*TABLES, *VIEWS])
        hint = f"did you mean {', '.join(close)}?" if close else f"expected one of {', '.join(TABLES)}"
        raise UsageError(f"unknown table {table!r}: {hint}")


@app.command()
def landing() -> None:
    """Prints the landing files that `ingest` loads, and the columns each needs, as Markdown."""
    from fullcourt.orchestration.landing_files import EXTENSIONS, SOURCES

    typer.echo("# Landing files\n")
    typer.echo("What `fullcourt schema landing` prints: the files that `fullcourt ingest` loads. Other files in the")
    typer.echo(
        f"directory are listed as ignored. Each may be {', '.join(f'`{end}`' for end in EXTENSIONS)}, with a season"
    )
    typer.echo("or date behind its name (`schedule-2023-24.csv.gz`). Further columns do no harm.")
    for source in SOURCES:
        copied = {column: raw for raw, column in source.LANDING.columns.items()}
        stem = source.LANDING.stem
        typer.echo(f"\n## {stem} → `{source.TABLE.id}`\n")
        if source.LANDING.labelled:
            typer.echo(f"A word may follow the stem, such as `{stem}_points-2023-24.csv.gz`; it is not read.\n")
        typer.echo("| column | type | becomes |\n|---|---|---|")
        for column in source.LANDING.needed:
            target = source.TABLE.by_name.get(copied.get(column, ""))
            kind = target.type if target else "text or number"
            typer.echo(
                f"| `{column}` | {kind} | {f'`{target.name}`: {target.doc}' if target else 'computed columns'} |"
            )


@app.command()
def plan(warehouse: WarehouseOption = DEFAULT_WAREHOUSE, form: FormatOption = Format.TABLE) -> None:
    """Prints the BigQuery SQL of what the warehouse lacks; drift is an error."""
    from fullcourt.warehouse import open_warehouse
    from fullcourt.warehouse.ddl import plan as make_plan

    lacking = make_plan(open_warehouse(warehouse).columns())
    _refuse_drift([str(drift) for drift in lacking.drift])
    if form is not Format.TABLE:
        show([{"statement": statement} for statement in lacking.changes], form)
        return
    for statement in lacking.changes:
        typer.echo(statement + ";\n")
    typer.echo(f"-- {len(lacking.changes)} changes" if lacking.changes else "-- nothing is lacking")


@app.command()
def apply(warehouse: WarehouseOption = DEFAULT_WAREHOUSE, form: FormatOption = Format.TABLE) -> None:
    """Performs what the plan shows; twice in a row is safe."""
    show([apply_plan(warehouse)], form)


def apply_plan(url: str) -> dict[str, str | int]:
    """Creates or completes the warehouse; says where it is and how much was done."""
    from fullcourt.warehouse import open_warehouse
    from fullcourt.warehouse.ddl import plan as make_plan

    warehouse = open_warehouse(url)
    lacking = make_plan(warehouse.columns())
    _refuse_drift([str(drift) for drift in lacking.drift])
    warehouse.apply(lacking.statements)
    return {"warehouse": warehouse.url, "changes": len(lacking.changes), "views_renewed": len(lacking.views)}


def _refuse_drift(drift: list[str]) -> None:
    if drift:
        raise EngineError(f"the warehouse differs from the schemas, which no migration repairs: {'; '.join(drift)}")
