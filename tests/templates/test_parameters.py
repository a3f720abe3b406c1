"""The metadata beside the templates says what the launcher's parser takes, and the other way round."""

import json
import re

import pytest
import typer
from apache_beam.options.pipeline_options import PipelineOptions

from fullcourt.cli.main import app
from fullcourt.cli.template_parameters import TAKES, TEMPLATES, checked, parameters, parser
from fullcourt.domain.errors import UsageError
from fullcourt.domain.predictions.systems import SYSTEMS
from fullcourt.orchestration.flex_templates import spec
from templates.generate import ROOT, files

IMAGE = "europe-docker.pkg.dev/p/full-court/pipelines@sha256:" + "a" * 64
# Options of the commands that no template offers: they say how to print, or set the clock for drills; a template
# takes a day as a range of one, is one phase, never waits, and cannot read a file of the person who launches it.
NOT_OFFERED = {"form", "now", "date", "phase", "detach", "fail_on_incomplete", "model"}
WAREHOUSE = "bigquery://some-project?location=US&temp=gs://bucket/temp&staging=temp"
DAYS = {"start": "2024-01-15", "end": "2024-01-17"}


def stored(template):
    return json.loads((ROOT / f"{template}.json").read_text())


def test_the_files_are_what_the_generator_makes():
    """`make generate` writes them."""
    assert {path.name: path.read_text() for path in ROOT.iterdir()} == files()


@pytest.mark.parametrize("template", TEMPLATES)
def test_metadata_and_parser_say_the_same(template):
    listed = {parameter["name"]: parameter for parameter in stored(template)["parameters"]}
    actions = {action.dest: action for action in parser(template)._actions}
    assert list(listed) == list(actions)
    for name, action in actions.items():
        parameter = listed[name]
        assert parameter["helpText"] == action.help
        assert parameter["isOptional"] is not action.required
        assert parameter["label"]
        assert parameter["groupName"]
        choices = [option["value"] for option in parameter.get("enumOptions", ())]
        if parameter["paramType"] == "BOOLEAN":
            choices = ["false", "true"]
        assert choices == list(action.choices or ())
        if parameter["isOptional"] and "defaultValue" in parameter:
            assert action.type(parameter["defaultValue"]) == parameter["defaultValue"]


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_service_knows_every_field_of_a_spec(template):
    dataflow = pytest.importorskip("google.cloud.dataflow_v1beta3", reason="the extra gcp is not installed")
    made = spec(IMAGE, stored(template))
    read = dataflow.ContainerSpec.from_json(json.dumps(made), ignore_unknown_fields=False)
    assert (read.image, read.default_environment.sdk_container_image) == (IMAGE, IMAGE)
    assert read.sdk_info.language == dataflow.SDKInfo.Language.PYTHON
    assert read.default_environment.ip_configuration == dataflow.WorkerIPAddressConfiguration.WORKER_IP_PRIVATE
    assert [each.name for each in read.metadata.parameters] == [each.name for each in parameters(template)]


@pytest.mark.parametrize("image", ["full-court:latest", "full-court", "r/full-court@sha256:" + "a" * 63, ""])
def test_an_image_without_a_digest_is_refused(image):
    with pytest.raises(UsageError, match="not pinned"):
        spec(image, stored("ingest"))


@pytest.mark.parametrize(
    ("template", "name", "good", "bad"),
    [
        (
            "precompute",
            "start",
            ["2024-01-15", "2024-12-31"],
            ["2024-13-01", "2024-1-15", "20240115", "2024-01-15 ", ""],
        ),
        (
            "precompute",
            "processors",
            ["player_daily_cache", "player_daily_cache,ml_feature_store_v2"],
            [
                "player_game_summary",
                "player_daily_cache,",
                ",player_daily_cache",
                "player_daily_cache ml_feature_store_v2",
            ],
        ),
        ("predictions", "systems", [SYSTEMS[0], ",".join(SYSTEMS)], ["oracle", f"{SYSTEMS[0]};{SYSTEMS[1]}"]),
        ("predictions", "minimum_minutes", ["15", "12.5"], ["-1", "many", "1.", "1e3"]),
        ("predictions", "minimum_quality", ["0", "70.5", "100"], ["101", "100.5", "-3"]),
        ("ingest", "max_dead_percent", ["0", "1.0", "100"], ["100.1", "1 %"]),
        (
            "analytics",
            "warehouse",
            [WAREHOUSE],
            ["x.duckdb", "bigquery://p?temp=gs://b/t", "bigquery://p?staging=/tmp", f"{WAREHOUSE} "],
        ),
        ("analytics", "phase", ["analytics"], ["precompute", "analytics2"]),
        ("backfill", "plan_id", ["20241103T120000-d1c2a76e"], ["2024", "20241103T120000-d1c2a76e "]),
        ("backfill", "slice_number", ["0", "12"], ["-1", "1.0", ""]),
        ("backfill", "days", ["2024-01-15", "2024-01-15,2024-01-17"], ["2024-01-15,", "2024-01-15 2024-01-17"]),
    ],
)
def test_regexes_and_the_parser_accept_the_same_values(template, name, good, bad):
    (regex,) = next(each["regexes"] for each in stored(template)["parameters"] if each["name"] == name)
    check = next(each for each in parameters(template) if each.name == name).check
    for value in good:
        assert check(value) == value
        assert re.search(regex, value)
    for value in bad:
        assert not re.search(regex, value)
        with pytest.raises(UsageError, match=re.escape(f"template parameter {name}={value!r}")):
            check(value)


def test_every_option_of_the_commands_is_offered_or_left_out_on_purpose():
    commands = typer.main.get_command(app).commands
    launched = (commands["run"], commands["ingest"], commands["backfill"].commands["slice"])
    options = {option.name for command in launched for option in command.params}
    assert {name for names in TAKES.values() for name in names} == options - NOT_OFFERED


def test_no_parameter_has_the_name_of_an_option_of_beam():
    """The launcher passes both in one list."""
    known = set(PipelineOptions().get_all_options())
    assert not known & {parameter.name for template in TEMPLATES for parameter in parameters(template)}


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({**DAYS, "warehouse": WAREHOUSE, "stop": "2024-01-18"}, "template precompute has no parameter 'stop'"),
        ({**DAYS, "warehouse": WAREHOUSE, "phase": "analytics"}, "template parameter phase='analytics'"),
        ({"start": "2024-01-15"}, "template precompute lacks end, warehouse"),
        ({**DAYS, "warehouse": WAREHOUSE, "strict": "yes"}, "strict='yes': expected one of false, true"),
        ({**DAYS, "warehouse": WAREHOUSE, "cascade_policy": "FLAG"}, "expected one of flag, skip"),
    ],
)
def test_what_a_template_does_not_take_is_named(given, complaint):
    with pytest.raises(UsageError, match=complaint):
        checked("precompute", given)


def test_an_unknown_template_is_named():
    with pytest.raises(UsageError, match="unknown template 'all': expected one of ingest, analytics"):
        parameters("all")
