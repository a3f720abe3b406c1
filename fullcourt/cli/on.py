"""Where work is done: here, or on Dataflow, and by whom. One group of options for every command that starts work."""

import enum
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from fullcourt.cli import template
from fullcourt.domain.errors import UsageError

if TYPE_CHECKING:
    from fullcourt.orchestration.flex_templates import Service


class Where(enum.StrEnum):
    HERE = "here"
    DATAFLOW = "dataflow"


_WORKERS = 10


@dataclass(frozen=True, kw_only=True)
class On:
    """Where work is done: by processes of this machine, or by jobs of a template."""

    on: Annotated[
        Where, typer.Option("--on", help="By processes here, or by jobs of Dataflow, which the rest describes.")
    ] = Where.HERE
    project: Annotated[str | None, template.PROJECT] = None
    region: Annotated[str | None, template.REGION] = None
    location: Annotated[str | None, template.SPEC] = None
    service_account: Annotated[str | None, template.ACCOUNT] = None
    max_workers: template.WorkersOption = _WORKERS
    temp_location: template.TempOption = None
    subnetwork: template.SubnetOption = None
    machine_type: template.MachineOption = None
    label: template.LabelOption = None
    endpoint: template.EndpointOption = template.ENDPOINT

    def __post_init__(self) -> None:
        if self.on is Where.HERE and (self.location or self.service_account):
            raise UsageError("--template and --service-account go with --on dataflow")
        if self.on is Where.DATAFLOW:
            self._needed()

    @property
    def service(self) -> "Service":
        from fullcourt.orchestration.flex_templates import Service

        return Service(self.endpoint)

    @property
    def workers(self) -> template.Workers:
        project, region, _, service_account = self._needed()
        return template.Workers(
            project,
            region,
            service_account,
            self.max_workers,
            self.temp_location,
            self.subnetwork,
            self.machine_type,
        )

    @property
    def spec(self) -> str:
        """Where the templates' specs are."""
        return self._needed()[2]

    def _needed(self) -> list[str]:
        """Project, region, template and service account. UsageError names those that were not given."""
        given = {
            "--project": self.project,
            "--region": self.region,
            "--template": self.location,
            "--service-account": self.service_account,
        }
        if lacking := [flag for flag, text in given.items() if not text]:
            raise UsageError(f"--on dataflow lacks {', '.join(lacking)}")
        return [text for text in given.values() if text]

    @property
    def words(self) -> str:
        """What a command has to be told to go on in the same place; each word begins with a space."""
        if self.on is Where.HERE:
            return ""
        given = {
            "--on": str(self.on),
            "--project": self.project,
            "--region": self.region,
            "--template": self.location,
            "--service-account": self.service_account,
            "--max-workers": str(self.max_workers) if self.max_workers != _WORKERS else None,
            "--temp-location": self.temp_location,
            "--subnetwork": self.subnetwork,
            "--machine-type": self.machine_type,
            "--endpoint": self.endpoint if self.endpoint != template.ENDPOINT else None,
        }
        labels = [("--label", text) for text in self.label or ()]
        pairs = [(flag, text) for flag, text in (*given.items(), *labels) if text is not None]
        return "".join(f" {flag} {shlex.quote(text)}" for flag, text in pairs)
