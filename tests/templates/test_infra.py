"""Terraform's files: parsed, their table of rights evaluated by Terraform itself, and held against code and docs."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from fullcourt.cli import push
from fullcourt.cli.cleanup_function import WAREHOUSE
from fullcourt.domain.days import EASTERN
from fullcourt.pubsub.address import VARIABLE, Address
from fullcourt.warehouse.bigquery.staging import DATASET as STAGING
from schemas import TABLES
from templates.infra import generate

hcl2 = pytest.importorskip("hcl2", reason="python-hcl2 is not installed")

REPOSITORY = Path(__file__).parents[2]
ROOT = REPOSITORY / "templates" / "infra"
FILES = sorted(ROOT.glob("*.tf"))
TEXT = "\n".join(file.read_text() for file in FILES)
DEPLOY = (REPOSITORY / "docs" / "deploy.md").read_text()
DATASETS = {table.dataset for table in TABLES.values()}
OF_THE_PLACE = ("project", "region", "location", "staging_bucket", "landing_bucket", "image")
EVALUATED = ("writers", "dataset_grants", "bucket_grants", "project_grants", "topic_grants", "acted_as", "accounts")


def plain(value):
    """Without the quotes and marks that the parser leaves."""
    if isinstance(value, dict):
        return {plain(key): plain(held) for key, held in value.items() if key not in ("__is_block__", "__comments__")}
    if isinstance(value, list):
        return [plain(held) for held in value]
    return value.strip('"') if isinstance(value, str) else value


@pytest.fixture(scope="module")
def parsed():
    return [plain(hcl2.loads(file.read_text())) for file in FILES]


@pytest.fixture(scope="module")
def resources(parsed):
    """(type, name) -> body."""
    blocks = [block for file in parsed for block in file.get("resource", [])]
    return {(kind, name): body for block in blocks for kind, named in block.items() for name, body in named.items()}


@pytest.fixture(scope="module")
def variables(parsed):
    blocks = [block for file in parsed for block in file.get("variable", [])]
    return {name: body for block in blocks for name, body in block.items()}


@pytest.fixture(scope="module")
def terraform():
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed")
    return lambda *arguments, **more: subprocess.run(
        ["terraform", *arguments], capture_output=True, text=True, timeout=120, **more
    )


@pytest.fixture(scope="module")
def rights(terraform, tmp_path_factory):
    """The locals of roles.tf, which need no provider, as Terraform evaluates them."""
    directory = tmp_path_factory.mktemp("rights")
    for name in ("roles.tf", "variables.tf", generate.FILE.name):
        shutil.copy(ROOT / name, directory)
    given = dict.fromkeys(OF_THE_PLACE, "given") | {"image": f"h/p/r/n@sha256:{'0' * 64}"}
    (directory / "given.auto.tfvars.json").write_text(json.dumps(given))
    for step in ("init", "validate"):
        ran = terraform(step, *(["-backend=false"] if step == "init" else []), cwd=directory)
        assert ran.returncode == 0, ran.stderr
    asked = f"jsonencode({{{', '.join(f'{name} = local.{name}' for name in EVALUATED)}}})\n"
    ran = terraform("console", cwd=directory, input=asked)
    assert ran.returncode == 0, ran.stderr
    return json.loads(json.loads(ran.stdout))


def test_files_are_formatted(terraform):
    ran = terraform("fmt", "-check", "-diff", str(ROOT))
    assert (ran.returncode, ran.stdout) == (0, "")


def test_what_is_made_from_the_code_is_up_to_date():
    assert generate.FILE.read_text() == generate.text(), "run make generate"


def test_nothing_of_a_place_is_written_down(variables):
    for name in OF_THE_PLACE:
        assert "default" not in variables[name], name
    assert not re.search(r"gs://[a-z]", TEXT)
    assert set(re.findall(r"https://(\S+?)[\"/]", TEXT)) == {
        "fullcourt-${name}-${data.google_project.this.number}.${var.region}.run.app"
    }
    assert set(re.findall(r"\S+@\S+?\.iam\.gserviceaccount\.com", TEXT)) == {
        '"serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com'
    }
    assert not re.search(r"private_key|password|secret|google_service_account_key", TEXT)


def test_no_role_is_wide():
    roles = set(re.findall(r"roles/[\w.]+", TEXT))
    assert roles
    assert not {role for role in roles if re.search(r"/(owner|editor|viewer|browser)$|[aA]dmin|Owner$", role)}
    assert not re.search(r"allUsers|allAuthenticatedUsers", TEXT)


def test_rights_are_added_and_nobody_elses_are_taken(resources):
    granting = {kind for kind, _ in resources if "_iam_" in kind}
    assert {kind.rpartition("_")[2] for kind in granting - {"google_project_iam_custom_role"}} == {"member"}
    assert resources["google_project_iam_custom_role", "staging"]["permissions"] == ["bigquery.datasets.create"]


def test_no_job_is_launched(resources):
    kinds = {kind for kind, _ in resources}
    assert not {kind for kind in kinds if re.search(r"dataflow|run_v2_job|bigquery_job|workflows|null_resource", kind)}
    assert "provisioner" not in TEXT


def test_every_topic_has_a_dead_letter(resources, variables):
    topics, dead = resources["google_pubsub_topic", "this"], resources["google_pubsub_topic", "dead_letter"]
    assert topics["for_each"] == dead["for_each"] == "${local.all_topics}"
    assert resources["google_pubsub_subscription", "dead_letter"]["for_each"] == "${local.all_topics}"
    (policy,) = resources["google_pubsub_subscription", "this"]["dead_letter_policy"]
    assert policy["dead_letter_topic"] == "${google_pubsub_topic.dead_letter[each.key].id}"
    agent = resources["google_pubsub_topic_iam_member", "dead_letter_agent"]
    assert (agent["for_each"], agent["role"]) == ("${local.all_topics}", "roles/pubsub.publisher")
    made = generate.variables()
    assert set(made["listened_topics"]) < set(made["topics"]) <= set(re.findall(r"nba-[\w-]+", DEPLOY + _events()))


def _events():
    return (REPOSITORY / "docs" / "events.md").read_text()


def test_subscriptions_are_called_as_the_code_calls_them(resources):
    name = resources["google_pubsub_subscription", "this"]["name"]
    called = Address("p").subscription("topic").rpartition("/")[2]
    assert name.replace("${each.key}", "topic") == called


def test_pushes_are_signed_and_made_out_to_the_function(resources):
    (config,) = resources["google_pubsub_subscription", "this"]["push_config"]
    (token,) = config["oidc_token"]
    assert config["push_endpoint"] == token["audience"] == "${local.urls[each.value]}"
    assert token["service_account_email"] == '${google_service_account.this["invoker"].email}'
    invoker = resources["google_cloud_run_v2_service_iam_member", "invoker"]
    assert (invoker["role"], invoker["member"]) == (
        "roles/run.invoker",
        '${google_service_account.this["invoker"].member}',
    )


def test_functions_are_files_of_the_image_with_their_settings(parsed, resources):
    (local,) = [block for file in parsed for block in file.get("locals", []) if "functions" in block]
    recipe = (REPOSITORY / "templates" / "Dockerfile").read_text()
    found = re.findall(r'account = "(\w+)", source = "(\w+)", target = "(\w+)", signature = "(\w+)"', TEXT)
    assert {source for _, source, _, _ in found} == {"events_push", "cleanup", "reconcile"}
    for _, source, target, signature in found:
        code = (REPOSITORY / "templates" / source / "main.py").read_text()
        assert re.search(rf"^(def {target}\(|{target} = )", code, re.MULTILINE)
        assert ("@functions_framework.cloud_event" in code) is (signature == "cloudevent")
        assert f"COPY templates/{source}/ /template/{source}/" in recipe
    assert set(local["environment"]) == {WAREHOUSE, VARIABLE, push.AUDIENCE, push.SERVICE_ACCOUNT}
    service = resources["google_cloud_run_v2_service", "this"]
    assert service["ingress"] == "INGRESS_TRAFFIC_INTERNAL_ONLY"
    assert set(generate.variables()["scheduled"]) == set(re.findall(r"\{ (\w+) = \{ account", TEXT)) - {"events"}


def test_the_clock_is_new_yorks(resources, variables):
    job = resources["google_cloud_scheduler_job", "this"]
    assert job["time_zone"] == EASTERN.key == "America/New_York"
    crons = {name: (s["calls"], s["cron"]) for name, s in variables["schedules"]["default"].items()}
    assert crons["ttl-cleanup"] == ("cleanup", "0 4 * * *")
    assert {calls for calls, _ in crons.values()} == set(generate.variables()["scheduled"])
    assert all(re.fullmatch(r"[\d,]+ ([\d,]+|\*) \* \* \*", cron) for _, cron in crons.values())
    assert {f"`{name}`" for name in crons} <= set(re.findall(r"`[\w-]+`", DEPLOY))
    assert variables["paused"]["default"] is True


# Rights ------------------------------------------------------------------------------------------------------------


def documented():
    """account -> its cells of the table in docs/deploy.md."""
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", DEPLOY.partition("| account | edits |")[2], re.MULTILINE)
    return {name: [cell.strip() for cell in cells.split("|")] for name, cells in rows}


def words(cell):
    return {part.strip() for part in cell.split(",") if part.strip()}


def test_rights_are_those_of_the_table(rights):
    table = documented()
    assert set(table) == set(rights["accounts"])
    for account, (edits, reads, columns, buckets, project, sends) in table.items():
        of_datasets = [grant for grant in rights["dataset_grants"].values() if grant["account"] == account]
        for role, cell in (("dataEditor", edits), ("dataViewer", reads), ("metadataViewer", columns)):
            granted = {grant["dataset"] for grant in of_datasets if grant["role"] == f"roles/bigquery.{role}"}
            assert granted == (DATASETS if cell == "all seven" else words(cell)), (account, role)
        of_buckets = [grant for grant in rights["bucket_grants"].values() if grant["account"] == account]
        assert {f"{g['bucket']}: {g['role'].rpartition('.')[2]}" for g in of_buckets} == words(buckets), account
        of_project = [grant["role"] for grant in rights["project_grants"].values() if grant["account"] == account]
        assert {role.rpartition(".")[2] for role in of_project} == words(project), account
        topics = {grant["topic"] for grant in rights["topic_grants"].values() if grant["account"] == account}
        assert topics == (set(generate.variables()["topics"]) if sends == "yes" else set()), account


def test_datasets_are_those_of_the_tables(rights):
    named = {grant["dataset"] for grant in rights["dataset_grants"].values()}
    assert named == DATASETS | {STAGING}
    assert len(DATASETS) == 7


def test_whoever_runs_a_command_sees_every_table(rights):
    """A command refuses a warehouse in which it does not see the columns that it knows."""
    for account in set(rights["accounts"]) - {"invoker"}:
        seen = {g["dataset"] for g in rights["dataset_grants"].values() if g["account"] == account}
        assert seen >= DATASETS, account


def test_whoever_writes_can_take_their_turn(rights):
    editors = {
        grant["account"]
        for grant in rights["dataset_grants"].values()
        if (grant["dataset"], grant["role"]) == (STAGING, "roles/bigquery.dataEditor")
    }
    assert editors == set(rights["writers"]) == set(rights["accounts"]) - {"reader", "invoker"}


def test_on_the_project_there_is_nothing_that_reaches_data(rights):
    assert {grant["role"] for grant in rights["project_grants"].values()} == {
        "roles/bigquery.jobUser",
        "roles/bigquery.readSessionUser",
        "roles/dataflow.worker",
        "roles/dataflow.developer",
    }


def test_who_computes_cannot_change_what_was_landed(rights):
    editors = {
        grant["account"]
        for grant in rights["dataset_grants"].values()
        if (grant["dataset"], grant["role"]) == ("nba_raw", "roles/bigquery.dataEditor")
    }
    assert editors == {"loader"}
    assert set(rights["acted_as"]) == {"loader", "gate_writer", "cleaner"}
