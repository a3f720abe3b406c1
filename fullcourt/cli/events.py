"""`fullcourt events`: messages from one phase to the next, sent, listened to, looked for."""

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from fullcourt.cli.confirm import DryRunOption
from fullcourt.cli.on import On, Where
from fullcourt.cli.options import (
    DEFAULT_WAREHOUSE,
    Format,
    FormatOption,
    NowOption,
    WarehouseOption,
    grouped,
    parse_day,
    parse_now,
)
from fullcourt.cli.output import STDERR, show, show_one
from fullcourt.domain.days import sports_day
from fullcourt.domain.errors import EXIT_GATE
from fullcourt.pubsub.address import LEASE_SECONDS, VARIABLE, Address

app = typer.Typer(no_args_is_help=True)

PubSubOption = Annotated[str, typer.Option("--pubsub", envvar=VARIABLE, help="pubsub://project", show_default=False)]
_IDLE_SECONDS = 30.0  # between two looks at the outbox while nothing comes
_DAYS_BACK = 7


@app.command()
def setup(pubsub: PubSubOption, form: FormatOption = Format.TABLE) -> None:
    """Makes the topics and our subscriptions, as far as they are missing."""
    from fullcourt.pubsub.client import PubSub

    show(PubSub(Address.parse(pubsub)).set_up(), form, "Made")


@app.command()
def send(
    pubsub: PubSubOption,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Sends the messages that wait in the outbox, at least once each; what is held stays.

    Exit code 1 when the broker did not acknowledge all of them; these wait for the next time.
    """
    from fullcourt.orchestration.events import outbox
    from fullcourt.pubsub.client import PubSub
    from fullcourt.warehouse import open_warehouse

    sent = outbox.send(open_warehouse(warehouse), PubSub(Address.parse(pubsub)), parse_now(now))
    show([{"sent": sent.count, "failed": len(sent.failed)}], form)
    for event_id, why in sent.failed.items():
        _say(f"{event_id} was not acknowledged and waits: {why}")
    if sent.failed:
        raise typer.Exit(EXIT_GATE)


@app.command()
@grouped
def listen(
    *,
    pubsub: PubSubOption,
    until_idle: Annotated[
        float | None,
        typer.Option(min=1, help="Stop when nothing has come for so many seconds; else listen until interrupted."),
    ] = None,
    lease_seconds: Annotated[
        int, typer.Option(min=10, max=600, help="After which a message of a listener that was killed comes again.")
    ] = LEASE_SECONDS,
    model: Annotated[
        Path | None,
        typer.Option(envvar="FULLCOURT_MODEL", help="Predictions: the model of xgboost_v1; else its stand-in."),
    ] = None,
    where: On,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    now: NowOption = None,
) -> None:
    """Takes in messages, one at a time, and starts the phase that the tables say is due: here, or on Dataflow.

    A run here is waited for; a job on Dataflow is not, and its messages leave with the listener's next look at the
    outbox.  What cannot be read is recorded and taken; what fails because of the warehouse or the machine comes again.
    """
    from fullcourt.cli.job_launch import JobLaunch
    from fullcourt.cli.local_launch import LocalLaunch
    from fullcourt.orchestration.events.subscriber import Subscriber
    from fullcourt.pubsub.client import PubSub
    from fullcourt.warehouse import open_warehouse
    from fullcourt.warehouse.ddl import check_schema

    store, clock = open_warehouse(warehouse), _clock(now)
    broker = PubSub(Address.parse(pubsub), lease_seconds=lease_seconds)
    check_schema(store)
    launch = LocalLaunch(warehouse, clock, model) if where.on is Where.HERE else JobLaunch(store.url, where)
    subscriber = Subscriber(store, launch, broker, clock, typer.echo, _say)
    subscriber.send()
    broker.listen(subscriber.take, lambda: subscriber.send() > 0 or until_idle is None, until_idle or _IDLE_SECONDS)


@app.command()
def reconcile(
    pubsub: Annotated[
        str | None, typer.Option("--pubsub", envvar=VARIABLE, help="pubsub://project; else nothing is sent yet.")
    ] = None,
    start: Annotated[str | None, typer.Option(help=f"First day; {_DAYS_BACK} days before today by default.")] = None,
    end: Annotated[str | None, typer.Option(help="Last day; belongs to it; tomorrow by default.")] = None,
    grace_minutes: Annotated[float, typer.Option(min=0, help="For which a message may be under way.")] = 60,
    dry_run: DryRunOption = False,
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
    now: NowOption = None,
) -> None:
    """Finds phases that may start by the tables and have not, because a message was lost, and has them triggered."""
    from fullcourt.orchestration.events.reconcile import look, repair
    from fullcourt.warehouse import open_warehouse

    store, instant = open_warehouse(warehouse), parse_now(now)
    today = sports_day(instant)
    first = parse_day(start) if start else today - dt.timedelta(_DAYS_BACK)
    last = parse_day(end) if end else today + dt.timedelta(1)
    findings = look(store, first, last, instant, dt.timedelta(minutes=grace_minutes))
    show([finding.row for finding in findings], form, f"Not up to date, {first} to {last}")
    if dry_run:
        _say("dry run: nothing was changed")
        return
    count = repair(store, findings, instant)
    _say(f"{count} phases are triggered")
    if count and pubsub is None:
        _say(f"their messages wait in the outbox: `fullcourt events send`, or set {VARIABLE}")
    elif count:
        announce(warehouse, instant, pubsub)


@app.command("list")
def list_(warehouse: WarehouseOption = DEFAULT_WAREHOUSE, form: FormatOption = Format.TABLE) -> None:
    """Lists what waits in the outbox or is held, and messages that came and could not be handled."""
    from fullcourt.orchestration.events import outbox
    from fullcourt.orchestration.events.handle import dead_letters
    from fullcourt.warehouse import open_warehouse

    store = open_warehouse(warehouse)
    waiting, dead = outbox.waiting(store), dead_letters(store)
    if form is Format.JSON:
        show_one({"outbox": waiting, "dead_letters": dead})
        return
    show(waiting, form, "Not sent")
    show(dead, form, "Came, and could not be handled")


@app.command()
def release(
    start: Annotated[str, typer.Option(help="First game day.")],
    end: Annotated[str, typer.Option(help="Last game day; belongs to it.")],
    reason: Annotated[
        str, typer.Option(help="Why they are held, as `events list` says it.")
    ] = "skip_downstream_trigger",
    warehouse: WarehouseOption = DEFAULT_WAREHOUSE,
    form: FormatOption = Format.TABLE,
) -> None:
    """Lets go of messages that are held; the next sending takes them along."""
    from fullcourt.orchestration.events import outbox
    from fullcourt.warehouse import open_warehouse

    count = outbox.release(open_warehouse(warehouse), parse_day(start), parse_day(end), reason)
    show([{"released": count}], form)


def announce(warehouse: str, now: dt.datetime, pubsub: str | None = None) -> None:
    """Sends what waits in the outbox, to the Pub/Sub named or that of the environment; without one nobody listens.

    A failure is told and fails nothing: what was published stands, and the messages wait.
    """
    address = Address.parse(pubsub) if pubsub else Address.configured()
    if address is not None:
        from fullcourt.orchestration.events.subscriber import send_quietly
        from fullcourt.pubsub.client import PubSub
        from fullcourt.warehouse import open_warehouse

        send_quietly(open_warehouse(warehouse), PubSub(address), now, _say)


def say_announced(announced: Mapping[str, int], held: bool) -> None:
    """What a load tells of, where it differs from what one might expect."""
    if held:
        _say(f"ingest: {announced['messages']} completion messages are held in, nothing downstream starts")
    elif announced["days"] and not announced["messages"]:
        _say(f"ingest: {announced['days']} game days are history, no messages tell of them; `fullcourt backfill` does")


def _clock(now: str | None) -> Callable[[], dt.datetime]:
    """That of the machine, or one that stands still."""
    if now is None:
        return lambda: dt.datetime.now(dt.UTC)
    instant = parse_now(now)
    return lambda: instant


def _say(text: str) -> None:
    STDERR.print(text, markup=False, highlight=False, soft_wrap=True)
