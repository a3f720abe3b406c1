"""Who may work on a slice: one owner per processor and day, told from an earlier one by a token.

A claim lasts until its slice is settled, its lease ends, or its process is gone.  Whoever takes over gets a greater
token, and every later write under the old one is refused: a stale owner cannot publish.
"""

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fullcourt.domain.backfill import State, job_name
from fullcourt.domain.errors import OwnershipError
from fullcourt.domain.fingerprint import hash_settings
from fullcourt.warehouse import Session, Warehouse
from fullcourt.warehouse.owner import alive

LEASE = dt.timedelta(hours=1)
Clock = Callable[[], dt.datetime]
_SLICES = "nba_orchestration.backfill_slices"


class CancelledError(OwnershipError):
    """The plan was told to stop."""


@dataclass(frozen=True)
class Claim:
    """A slice in somebody's hands. It travels with the job to its last step, where the fence is asked.

    refused: the slice's days that no job was started for, and why.
    forced: days that are not covered count as done all the same.
    clock: read when it is settled.
    """

    plan_id: str
    slice_number: int
    token: int
    inputs_hash: str
    clock: Clock
    refused: Mapping[dt.date, str] = field(default_factory=dict)
    forced: bool = False

    def hold(self, session: Session, run_id: str | None) -> None:
        """OwnershipError unless the claim still stands, as of this transaction, or this very run has settled it.

        run_id: of the job; a retried last step finds its own settlement.  None if there was no job.
        """
        row = _slice(session, self.plan_id, self.slice_number)
        mine = row["state"] == State.RUNNING or (run_id is not None and row["run_id"] == run_id)
        if row["token"] == self.token and mine:
            return
        running = session.query(f"SELECT * FROM {_SLICES} WHERE state = '{State.RUNNING}'").to_pylist()
        takers = [other for other in running if _overlap(row, other)]
        by = f"{takers[0]['owner']}, backfill {takers[0]['plan_id']}" if takers else "another run, which is over"
        raise OwnershipError(
            f"slice {self.slice_number} of backfill {self.plan_id} was taken over by {by}; nothing was published"
        )

    def settle(self, session: Session, short: Mapping[dt.date, str], run_id: str | None) -> None:
        """Ends the claim: DONE, or FAILED with the days that are not done and why.

        short: of the days that were computed.  run_id: of the job; None if there was none.
        """
        self.hold(session, run_id)
        row = _slice(session, self.plan_id, self.slice_number)
        failed = {**self.refused, **({} if self.forced else short)}
        session.execute(
            f"UPDATE {_SLICES} SET state = @state, ended_at = @now, run_id = @run_id, lease_until = NULL, "
            "inputs_hash = @inputs_hash, failed_days = PARSE_JSON(@failed), published = PARSE_JSON(@published) "
            "WHERE plan_id = @plan_id AND slice_number = @number",
            state=(State.FAILED if failed else State.DONE).value,
            now=self.clock(),
            run_id=run_id,
            published=json.dumps(newest_publishes(session, row["processors"], row["days"])),
            inputs_hash=self.inputs_hash,
            failed=json.dumps({str(day): failed[day] for day in sorted(failed)}) if failed else "null",
            plan_id=self.plan_id,
            number=self.slice_number,
        )


def newest_publishes(source: Warehouse | Session, processors: Sequence[str], days: Sequence[str]) -> dict[str, str]:
    """Day -> hash of the ids of the processors' newest publishes of it; a day without any is left out."""
    rows = source.query(
        "SELECT analysis_date, publish_id FROM nba_orchestration.latest_receipts "
        "WHERE processor_name IN UNNEST(@processors) AND analysis_date IN UNNEST(@days) "
        "ORDER BY analysis_date, processor_name",
        processors=list(processors),
        days=[dt.date.fromisoformat(day) for day in days],
    ).to_pylist()
    ids: dict[str, list[str]] = {}
    for row in rows:
        ids.setdefault(str(row["analysis_date"]), []).append(row["publish_id"])
    return {day: hash_settings({"publishes": found}) for day, found in ids.items()}


def claim(
    session: Session,
    plan_id: str,
    number: int,
    owner: str,
    clock: Clock,
    inputs_hash: str,
    *,
    seen: int | None = None,
    forced: bool = False,
    by_job: bool = False,
) -> Claim | None:
    """Takes a slice; None when somebody has done it since it was seen to be left.

    seen: its token then.  by_job: a job of Dataflow is to compute it, whose name is recorded.
    CancelledError: the plan was told to stop.  OwnershipError: somebody else has the days.
    """
    now = clock()
    plan = session.query(
        "SELECT cancelled_at, cancelled_by FROM nba_orchestration.backfill_plans WHERE plan_id = @plan_id",
        plan_id=plan_id,
    ).to_pylist()[0]
    if plan["cancelled_at"] is not None:
        raise CancelledError(f"backfill {plan_id} was cancelled by {plan['cancelled_by']} at {plan['cancelled_at']}")
    wanted = _slice(session, plan_id, number)
    if wanted["state"] == State.DONE and wanted["token"] != seen:
        return None
    for other in session.query(f"SELECT * FROM {_SLICES} WHERE state = '{State.RUNNING}'").to_pylist():
        if not _overlap(wanted, other):
            continue
        # All jobs of a place have one owner, and none of them gives way to another.
        if (other["owner"] != owner or other["job_name"] is not None) and stands(other, now):
            raise OwnershipError(
                f"{', '.join(sorted({*wanted['processors']} & {*other['processors']}))} of {other['days'][0]} to "
                f"{other['days'][-1]} belong to backfill {other['plan_id']}, run by {other['owner']} since "
                f"{other['started_at']:%Y-%m-%d %H:%M} UTC; wait for it, or end it with "
                f"`fullcourt backfill cancel {other['plan_id']}`"
            )
        _release(session, other)
    newest = session.query(f"SELECT COALESCE(MAX(token), 0) AS token FROM {_SLICES}").to_pylist()[0]["token"]
    session.execute(
        f"UPDATE {_SLICES} SET state = '{State.RUNNING}', token = @token, owner = @owner, lease_until = @until, "
        "started_at = @now, ended_at = NULL, run_id = NULL, failed_days = NULL, inputs_hash = @inputs_hash, "
        "job_name = @job_name, job_id = NULL "
        "WHERE plan_id = @plan_id AND slice_number = @number",
        token=newest + 1,
        owner=owner,
        until=now + LEASE,
        now=now,
        inputs_hash=inputs_hash,
        job_name=job_name(plan_id, number, newest + 1) if by_job else None,
        plan_id=plan_id,
        number=number,
    )
    return Claim(plan_id, number, newest + 1, inputs_hash, clock, forced=forced)


def claim_of(
    session: Session,
    plan_id: str,
    number: int,
    token: int,
    clock: Clock,
    *,
    forced: bool = False,
    settled_too: bool = False,
) -> Claim:
    """The claim of that token, as whoever took it had it.

    settled_too: it may have come to its end.  OwnershipError: it does not stand any more.
    """
    row = _slice(session, plan_id, number)
    claim = Claim(plan_id, number, token, row["inputs_hash"], clock, forced=forced)
    if not (settled_too and row["token"] == token):
        claim.hold(session, None)
    return claim


def record_job(session: Session, held: Claim, job_id: str) -> None:
    """What the service calls the job of the claim; nothing where the claim does not stand any more."""
    session.execute(
        f"UPDATE {_SLICES} SET job_id = @job_id WHERE plan_id = @plan_id AND slice_number = @number AND token = @token",
        job_id=job_id,
        plan_id=held.plan_id,
        number=held.slice_number,
        token=held.token,
    )


def renew(session: Session, held: Sequence[Claim], now: dt.datetime) -> None:
    """Their leases begin anew, as far as they stand."""
    for claim in held:
        session.execute(
            f"UPDATE {_SLICES} SET lease_until = @until WHERE plan_id = @plan_id AND slice_number = @number "
            f"AND token = @token AND state = '{State.RUNNING}'",
            until=now + LEASE,
            plan_id=claim.plan_id,
            number=claim.slice_number,
            token=claim.token,
        )


def give_back(session: Session, held: Claim) -> None:
    """The slice is to be done again: its job failed for want of a warehouse or a runner, not of data."""
    row = _slice(session, held.plan_id, held.slice_number)
    if row["token"] == held.token and row["state"] == State.RUNNING:
        _release(session, row)


def mark_unchanged(session: Session, plan_id: str, numbers: Sequence[int], now: dt.datetime) -> None:
    """Slices found done before; those that somebody is at, or that were done under this very plan, stay as they are."""
    rows = [_slice(session, plan_id, number) for number in numbers]
    idle = [row for row in rows if row["state"] != State.RUNNING or not stands(row, now)]
    session.execute(
        f"UPDATE {_SLICES} SET state = '{State.UNCHANGED}', ended_at = @now, lease_until = NULL, failed_days = NULL "
        f"WHERE plan_id = @plan_id AND slice_number IN UNNEST(@numbers) AND state <> '{State.DONE}'",
        now=now,
        plan_id=plan_id,
        numbers=[row["slice_number"] for row in idle],
    )


def release(session: Session, owner: str) -> None:
    """All that the owner holds is to be done again."""
    for row in session.query(f"SELECT * FROM {_SLICES} WHERE state = '{State.RUNNING}'").to_pylist():
        if row["owner"] == owner:
            _release(session, row)


def stands(row: Mapping[str, Any], now: dt.datetime) -> bool:
    """Whether a running slice is somebody's: its lease goes on, and its process may be there."""
    return row["lease_until"] > now and alive(row["owner"])


def _overlap(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return not {*one["processors"]}.isdisjoint(other["processors"]) and not {*one["days"]}.isdisjoint(other["days"])


def _release(session: Session, row: Mapping[str, Any]) -> None:
    session.execute(
        f"UPDATE {_SLICES} SET state = '{State.PENDING}', lease_until = NULL "
        "WHERE plan_id = @plan_id AND slice_number = @number",
        plan_id=row["plan_id"],
        number=row["slice_number"],
    )


def _slice(session: Session, plan_id: str, number: int) -> dict[str, Any]:
    rows = session.query(
        f"SELECT * FROM {_SLICES} WHERE plan_id = @plan_id AND slice_number = @number", plan_id=plan_id, number=number
    )
    (row,) = rows.to_pylist()
    return row
