"""The same in OpenLineage's words, through its own client. This module alone imports it."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import InputDataset, OutputDataset, Run, RunEvent, RunState
from openlineage.client.event_v2 import Job as EventJob
from openlineage.client.facet_v2 import (
    data_quality_assertions_dataset,
    documentation_dataset,
    error_message_run,
    job_type_job,
    nominal_time_run,
    output_statistics_output_dataset,
    parent_run,
    schema_dataset,
    tags_run,
)

from fullcourt.domain.days import EASTERN
from fullcourt.orchestration.lineage.facts import Assertion, Dataset, Facts, Job, State, Written

PRODUCER = "urn:fullcourt"
_FLUSH_SECONDS = 10.0  # for which a transport that sends in the background may take at the end
_ENDS = {State.COMPLETE, State.FAIL, State.ABORT}


def emit(state: State, jobs: Sequence[Job], facts: Facts, error: str | None = None) -> None:
    """One event a job; a parent's starts before its children's and ends after them."""
    client = OpenLineageClient()
    try:
        for job in reversed(jobs) if state in _ENDS else jobs:
            client.emit(event(state, job, facts, error))
    finally:
        client.close(_FLUSH_SECONDS)


def event(state: State, job: Job, facts: Facts, error: str | None = None) -> RunEvent:
    return RunEvent(
        eventType=RunState[state.value],
        eventTime=dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
        run=Run(job.uuid, facets=_run_facets(job, error)),
        job=EventJob(job.namespace, job.name, facets={"jobType": _job_type(job)}),
        inputs=[InputDataset(told.namespace, told.name, facets=_described(told)) for told in job.inputs],
        outputs=[_output(told, facts) for told in job.outputs],
        producer=PRODUCER,
    )


def _run_facets(job: Job, error: str | None) -> dict[str, Any]:
    tags = [tags_run.TagsRunFacetFields(name, value, "FULLCOURT") for name, value in job.tags.items()]
    facets: dict[str, Any] = {"tags": tags_run.TagsRunFacet(tags=tags, producer=PRODUCER)}
    if job.days:
        first, last = job.days
        facets["nominalTime"] = nominal_time_run.NominalTimeRunFacet(
            _midnight(first), _midnight(last + dt.timedelta(1)), producer=PRODUCER
        )
    if job.parent:
        facets["parent"] = parent_run.ParentRunFacet(
            run=parent_run.Run(job.parent.uuid),
            job=parent_run.Job(job.parent.namespace, job.parent.name),
            producer=PRODUCER,
        )
    if error is not None:
        facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(error, "PYTHON", producer=PRODUCER)
    return facets


def _midnight(day: dt.date) -> str:
    """At which the sports day begins."""
    return dt.datetime.combine(day, dt.time(), EASTERN).isoformat()


def _job_type(job: Job) -> job_type_job.JobTypeJobFacet:
    kind = "TASK" if job.parent else "JOB"
    return job_type_job.JobTypeJobFacet("BATCH", "FULLCOURT", kind, producer=PRODUCER)


def _described(told: Dataset) -> dict[str, Any]:
    if told.table is None:
        return {}
    fields = [
        schema_dataset.SchemaDatasetFacetFields(column.name, column.type, column.doc, ordinal_position=place)
        for place, column in enumerate(told.table.columns, 1)
    ]
    return {
        "schema": schema_dataset.SchemaDatasetFacet(fields=fields, producer=PRODUCER),
        "documentation": documentation_dataset.DocumentationDatasetFacet(told.table.doc, producer=PRODUCER),
    }


def _output(told: Dataset, facts: Facts) -> OutputDataset:
    facets = _described(told)
    written = facts.get(told.table.id) if told.table else None
    if written is None:
        return OutputDataset(told.namespace, told.name, facets=facets)
    facets["dataQualityAssertions"] = _assertions(written)
    statistics = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(written.rows, producer=PRODUCER)
    return OutputDataset(told.namespace, told.name, facets=facets, outputFacets={"outputStatistics": statistics})


def _assertions(written: Written) -> data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet:
    told = [_assertion(found) for found in written.assertions]
    return data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(told, producer=PRODUCER)


def _assertion(found: Assertion) -> data_quality_assertions_dataset.Assertion:
    return data_quality_assertions_dataset.Assertion(
        assertion=found.name,
        success=found.holds,
        severity="error" if found.stops else "warn",
        description=found.description,
        expected=found.expected,
        actual=found.actual,
        params=dict(found.counts),
    )
