"""`fullcourt template`: what the flex templates are made of, and launching a job of one."""

import dataclasses
import datetime as dt
import enum
import itertools
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from fullcourt.cli.confirm import YesOption, confirm
from fullcourt.cli.options import Format, FormatOption
from fullcourt.cli.output import show
from fullcourt.domain.errors import UsageError

if TYPE_CHECKING:
    from fullcourt.orchestration.flex_templates import TemplateJob

app = typer.Typer(no_args_is_help=True)


class Shown(enum.StrEnum):
    GCLOUD = "gcloud"
    REST = "rest"


TemplateArgument = Annotated[
    str, typer.Argument(help="ingest, analytics, precompute, predictions or backfill.", show_default=False)
]
ParameterOption = Annotated[
    list[str] | None, typer.Option("--parameter", "-p", help="A parameter of the template, name=value; repeat it.")
]
PROJECT = typer.Option(envvar="GOOGLE_CLOUD_PROJECT", help="The project that the job runs in.")
REGION = typer.Option(envvar="FULLCOURT_REGION", help="The region that the job runs in.")
SPEC = typer.Option("--template", help="Where the templates' specs are, gs://bucket/directory; or one spec, ….json.")
ACCOUNT = typer.Option(
    "--service-account", help="Whom the workers act as; give it no more than docs/templates.md says."
)
ProjectOption = Annotated[str, PROJECT]
RegionOption = Annotated[str, REGION]
SpecOption = Annotated[str, SPEC]
AccountOption = Annotated[str, ACCOUNT]
WorkersOption = Annotated[int, typer.Option("--max-workers", min=1, help="Most workers the job may grow to.")]
TempOption = Annotated[
    str | None, typer.Option("--temp-location", help="gs:// directory for the job's temporary files.")
]
SubnetOption = Annotated[
    str | None, typer.Option("--subnetwork", help="Subnetwork of the workers, which have no public addresses.")
]
MachineOption = Annotated[str | None, typer.Option("--machine-type", help="Machine type of the workers.")]
NameOption = Annotated[
    str | None,
    typer.Option(
        "--job-name", help="The job's name; of two jobs of one name only one can be active. Made of phase and days."
    ),
]
LabelOption = Annotated[list[str] | None, typer.Option("--label", help="A label of the job, key=value; repeat it.")]
EndpointOption = Annotated[
    str, typer.Option("--endpoint", help="Another address of Dataflow's interface, such as a private one.")
]
ENDPOINT = "https://dataflow.googleapis.com"


@app.command(name="spec")
def print_spec(
    template: TemplateArgument,
    image: Annotated[str, typer.Option(help="The image pushed, by its digest: name@sha256:….")],
) -> None:
    """Prints a template's spec, to be stored in a bucket: the image, and the parameters it takes."""
    from fullcourt.cli.template_parameters import metadata
    from fullcourt.orchestration.flex_templates import spec

    typer.echo(json.dumps(spec(image, metadata(template)), indent=2))


@app.command()
def render(
    template: TemplateArgument,
    project: ProjectOption,
    region: RegionOption,
    location: SpecOption,
    service_account: AccountOption,
    parameter: ParameterOption = None,
    max_workers: WorkersOption = 10,
    temp_location: TempOption = None,
    subnetwork: SubnetOption = None,
    machine_type: MachineOption = None,
    job_name: NameOption = None,
    label: LabelOption = None,
    shown: Annotated[Shown, typer.Option("--as", help="As the gcloud command, or as the body of the REST call.")] = (
        Shown.GCLOUD
    ),
) -> None:
    """Prints what launching a job of a template comes to. Nothing is sent."""
    how = Workers(project, region, service_account, max_workers, temp_location, subnetwork, machine_type)
    job = how.job(template, location, parameter, job_name, label)
    typer.echo(shlex.join(_gcloud(job)) if shown is Shown.GCLOUD else json.dumps(job.body, indent=2))


@app.command()
def launch(
    template: TemplateArgument,
    project: ProjectOption,
    region: RegionOption,
    location: SpecOption,
    service_account: AccountOption,
    parameter: ParameterOption = None,
    max_workers: WorkersOption = 10,
    temp_location: TempOption = None,
    subnetwork: SubnetOption = None,
    machine_type: MachineOption = None,
    job_name: NameOption = None,
    label: LabelOption = None,
    endpoint: EndpointOption = ENDPOINT,
    yes: YesOption = False,
    form: FormatOption = Format.TABLE,
) -> None:
    """Launches a job of a template and prints its id; the job ends by itself. `render` shows it without sending."""
    from fullcourt.orchestration.flex_templates import Service

    how = Workers(project, region, service_account, max_workers, temp_location, subnetwork, machine_type)
    job, service = how.job(template, location, parameter, job_name, label), Service(endpoint)
    confirm(f"Launch {job.name} in {project}, {region}?", yes, or_look="`template render`")
    found = service.launch(job)
    row = {"job_id": found, "job": job.name, "project": project, "region": region, "template": job.template}
    show([row], form, "Launched")


@dataclass(frozen=True)
class Workers:
    """Where a job runs, and on what."""

    project: str
    region: str
    service_account: str
    max_workers: int
    temp_location: str | None
    subnetwork: str | None
    machine_type: str | None

    def job(
        self, template: str, location: str, parameter: list[str] | None, name: str | None, label: list[str] | None
    ) -> "TemplateJob":
        """UsageError for what the template or the service would not take."""
        from fullcourt.cli.template_parameters import checked

        given = checked(template, _pairs("--parameter", parameter))
        _check_days(given)
        days = [given[day] for day in ("start", "end") if day in given]
        return self.unchecked_job(template, location, given, name or "-".join(("fullcourt", template, *days)), label)

    def unchecked_job(
        self, template: str, location: str, parameters: Mapping[str, str], name: str, label: list[str] | None
    ) -> "TemplateJob":
        """The parameters are taken as they are."""
        from fullcourt.orchestration.flex_templates import TemplateJob

        return TemplateJob(
            name=name,
            template=location if location.endswith(".json") else f"{location.rstrip('/')}/{template}.json",
            parameters=parameters,
            labels={"app": "full-court", "phase": template, **_pairs("--label", label)},
            **dataclasses.asdict(self),
        )


def _pairs(option: str, given: list[str] | None) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name or name in pairs:
            raise UsageError(f"{option} {text!r}: expected name=value, each name once")
        pairs[name] = value
    return pairs


def _check_days(given: dict[str, str]) -> None:
    """What a pattern cannot say: days exist, and do not run backwards."""
    try:
        days = [dt.date.fromisoformat(given[name]) for name in ("start", "end") if name in given]
    except ValueError as error:
        raise UsageError(f"template parameter: {error}") from None
    if days != sorted(days):
        raise UsageError(f"the first day must not be after the last: start={days[0]}, end={days[1]}")


def _gcloud(job: "TemplateJob") -> list[str]:
    """The words of the gcloud command that launches the job."""
    optional = {
        "--temp-location": job.temp_location,
        "--subnetwork": job.subnetwork,
        "--worker-machine-type": job.machine_type,
    }
    return [
        *("gcloud", "dataflow", "flex-template", "run", job.name),
        f"--project={job.project}",
        f"--region={job.region}",
        f"--template-file-gcs-location={job.template}",
        f"--service-account-email={job.service_account}",
        "--disable-public-ips",
        f"--max-workers={job.max_workers}",
        *(f"{flag}={value}" for flag, value in optional.items() if value),
        f"--additional-user-labels={_listed(job.labels)}",
        f"--parameters={_listed(job.parameters)}",
    ]


def _listed(pairs: Mapping[str, str]) -> str:
    """As gcloud reads a list: values may hold its comma, so another separator is named that none of them holds."""
    words = [f"{name}={value}" for name, value in pairs.items()]
    separators = (mark * times for times in itertools.count(1) for mark in "|;~#@%")
    separator = next(mark for mark in separators if not any(mark in word for word in words))
    return f"^{separator}^{separator.join(words)}"
