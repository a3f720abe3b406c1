"""Least privilege: what the code asks of Google, held against the roles that Terraform grants each account.

The calls are read from the code, so a new one fails here until it is said what it needs, and who makes it.
"""

import ast
import re
from pathlib import Path

import pytest

from tests.templates.test_infra import FILES, hcl2, plain

REPOSITORY = Path(__file__).parents[2]
CODE = ("fullcourt", "pipelines", "transforms", "templates")

# Method of a client -> what it needs. Whoever creates a job may ask for it and its rows without a right of its own.
NEEDS = {
    # BigQuery
    "query": {"bigquery.jobs.create", "bigquery.tables.getData"},
    "load_table_from_uri": {"bigquery.jobs.create", "bigquery.tables.updateData", "storage.objects.get"},
    "get_job": set(),
    "result": set(),
    "list_datasets": {"bigquery.datasets.get"},
    "create_dataset": {"bigquery.datasets.create"},
    "delete_dataset": {"bigquery.datasets.delete"},
    "list_tables": {"bigquery.tables.list"},
    "get_table": {"bigquery.tables.get"},
    "create_table": {"bigquery.tables.create"},
    "update_table": {"bigquery.tables.update"},
    "delete_table": {"bigquery.tables.delete"},
    "create_read_session": {"bigquery.readsessions.create"},
    "read_rows": {"bigquery.readsessions.getData"},
    "to_arrow": {"bigquery.readsessions.create", "bigquery.readsessions.getData"},
    # Cloud Storage; the last two are Beam's, of a worker
    "list_blobs": {"storage.objects.list"},
    "exists": {"storage.objects.get"},
    "open": {"storage.objects.get", "storage.objects.create"},
    "download_as_text": {"storage.objects.get"},
    "upload_from_filename": {"storage.objects.create"},
    "delete": {"storage.objects.delete"},
    "FileSystems.open": {"storage.objects.get"},
    "FileSystems.create": {"storage.objects.create"},
    # Pub/Sub
    "publish": {"pubsub.topics.publish"},
    "create_topic": {"pubsub.topics.create"},
    "create_subscription": {"pubsub.subscriptions.create", "pubsub.topics.attachSubscription"},
    "pull": {"pubsub.subscriptions.consume"},
    "acknowledge": {"pubsub.subscriptions.consume"},
    "modify_ack_deadline": {"pubsub.subscriptions.consume"},
    # Dataflow's REST interface: launching, asking for a job by its id, looking for one by its name
    "request": {"dataflow.jobs.create", "dataflow.jobs.get", "dataflow.jobs.list"},
}
# Methods that ask nobody.
NO_CALL = {"blob", "bucket", "close", "from_string", "stop"}
# Receivers in modules that use Google's clients which are none, although a method has the name of one of theirs.
NO_CLIENT = {"self", "self.jobs", "Path(path)", "pa", "future"}

# What accounts do, in methods.
LOOK = {"list_datasets", "get_table", "query", "get_job", "result", "create_read_session", "read_rows", "to_arrow"}
TAKE_TURNS = {"create_dataset", "create_table", "get_table", "update_table", "delete_table"}  # whoever writes
STAGE = {"open", "download_as_text", "exists", "upload_from_filename", "load_table_from_uri"}
SWEEP = {"list_blobs", "delete", "list_tables", "delete_table"}
WORK = {"FileSystems.open", "FileSystems.create"}
SEND = {"publish"}
LAUNCH = {"request"}
RUNS = {
    "reader": LOOK,
    "loader": LOOK | TAKE_TURNS | STAGE | SWEEP | WORK | SEND,
    "gate_writer": LOOK | TAKE_TURNS | STAGE | SWEEP | WORK | SEND,
    "publisher": LOOK | TAKE_TURNS | SEND,
    "cleaner": LOOK | TAKE_TURNS,
    # What a dead job staged in the bucket the operator cannot sweep: that is a warning, and the bucket's rule does it.
    "operator": LOOK | TAKE_TURNS | LAUNCH,
    "invoker": set(),
}
# Of landing files: they are found, and read by workers.
LANDED = {"loader": {"storage.objects.list", "storage.objects.get"}}
NOBODY = {
    "delete_dataset": "a failed `init` takes back what it made: the administrator's",
    "create_topic": "`events setup`: the administrator's, where Terraform does not make them",
    "create_subscription": "`events setup`",
    "pull": "`events listen`, where nothing pushes: whoever runs it is given the subscriptions",
    "acknowledge": "`events listen`",
    "modify_ack_deadline": "`events listen`",
}
# What Google's services ask of an account beside the code's own calls.
WORKER = {"dataflow.workItems.lease", "dataflow.workItems.update", "artifactregistry.repositories.downloadArtifacts"}
ASKED_BESIDE = {
    "loader": WORKER,
    "gate_writer": WORKER,
    # Under whom a job runs, as whom a person acts; the spec of a template is read as whoever launches it.
    "operator": {"iam.serviceAccounts.actAs", "iam.serviceAccounts.getAccessToken", "storage.objects.get"},
    "invoker": {"run.routes.invoke"},
}
# Roles that no code needs, but people do.
PEOPLE = {("operator", "landing", "roles/storage.objectViewer"): "on call, they look at what was landed"}

# From Google's reference of roles: of each what matters here, which is what some call needs or none may have.
SEES_COLUMNS = {"bigquery.datasets.get", "bigquery.tables.get", "bigquery.tables.list"}
READS = SEES_COLUMNS | {"bigquery.tables.getData"}
READS_OBJECTS = {"storage.objects.get", "storage.objects.list"}
ROLES = {
    "roles/bigquery.metadataViewer": SEES_COLUMNS,
    "roles/bigquery.dataViewer": READS,
    "roles/bigquery.dataEditor": READS
    | {f"bigquery.tables.{verb}" for verb in ("create", "update", "updateData", "delete")},
    "roles/bigquery.jobUser": {"bigquery.jobs.create"},
    "roles/bigquery.readSessionUser": {"bigquery.readsessions.create", "bigquery.readsessions.getData"},
    "roles/storage.objectViewer": READS_OBJECTS,
    "roles/storage.objectUser": READS_OBJECTS | {f"storage.objects.{verb}" for verb in ("create", "update", "delete")},
    "roles/pubsub.publisher": {"pubsub.topics.publish"},
    "roles/dataflow.worker": {"dataflow.workItems.lease", "dataflow.workItems.update", "dataflow.jobs.get"},
    "roles/dataflow.developer": {f"dataflow.jobs.{verb}" for verb in ("create", "get", "list", "cancel")},
    "roles/artifactregistry.reader": {"artifactregistry.repositories.downloadArtifacts"},
    "roles/iam.serviceAccountUser": {"iam.serviceAccounts.actAs"},
    "roles/iam.serviceAccountTokenCreator": {"iam.serviceAccounts.getAccessToken"},
    "roles/run.invoker": {"run.routes.invoke"},
    "fullcourtStaging": {"bigquery.datasets.create"},
}
# Where the narrower would do, the wider is too much.
NARROWER = {
    "roles/bigquery.dataEditor": "roles/bigquery.dataViewer",
    "roles/bigquery.dataViewer": "roles/bigquery.metadataViewer",
    "roles/storage.objectUser": "roles/storage.objectViewer",
}


# ---- what the code calls


def called():
    """Methods of Google's clients that the code calls -> a file that does."""
    found = {}
    methods = _methods()
    for file in sorted(file for root in CODE for file in (REPOSITORY / root).rglob("*.py")):
        tree = ast.parse(file.read_text())
        modules = {name for node in ast.walk(tree) for name in _imported(node)}
        beams = "apache_beam.io.filesystems" in modules
        if not beams and not any(name == "google" or name.startswith("google.") for name in modules):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                receiver, method = ast.unparse(node.func.value), node.func.attr
                if beams and method in ("open", "create") and receiver == "_beam()":
                    found[f"FileSystems.{method}"] = file
                elif method in methods and receiver not in NO_CLIENT:
                    found[method] = file
    return {method: file for method, file in found.items() if method not in NO_CALL}


def _imported(node):
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


def _methods():
    """Public methods of everything of Google's that the code holds in its hands."""
    bigquery = pytest.importorskip("google.cloud.bigquery", reason="the extra gcp is not installed")
    from google.cloud import bigquery_storage, pubsub_v1, storage

    held = (bigquery.Client, bigquery.QueryJob, bigquery_storage.BigQueryReadClient, storage.Client, storage.Bucket)
    held += (storage.Blob, pubsub_v1.PublisherClient, pubsub_v1.SubscriberClient)
    return {name for kind in held for name in dir(kind) if not name.startswith("_")} | {"request"}  # of REST


def test_every_call_of_the_code_is_known_and_somebodys():
    assert {method: file.name for method, file in called().items() if method not in NEEDS} == {}
    assert set(NEEDS) - set(called()) == set(), "nothing calls these any more"
    assert set().union(*RUNS.values()) | set(NOBODY) == set(NEEDS)
    assert not set().union(*RUNS.values()) & set(NOBODY)


# ---- what Terraform grants

DATASETS, PROJECT, TOPICS = "datasets", "project", "topics"
ACCOUNT = re.compile(r"google_service_account\.this\[\"?([\w.]+)\"?\]")


@pytest.fixture(scope="module")
def granted():
    """(account, place, role) of every grant to an account of ours; of buckets the place is the bucket."""
    files = [plain(hcl2.loads(file.read_text())) for file in FILES]
    (table,) = [block for file in files for block in file.get("locals", []) if "dataset_roles" in block]
    found = {(account, DATASETS, role) for account, roles in table["dataset_roles"].items() for role in roles}
    found |= {(account, PROJECT, role) for account, roles in table["project_roles"].items() for role in roles}
    for account, roles in table["bucket_roles"].items():
        found |= {(account, bucket, role) for role, buckets in roles.items() for bucket in buckets}
    sets = {
        "local.senders": set(table["senders"]),
        "local.acted_as": set(table["acted_as"]),
        "local.writers": {account for account, _, role in found if role == "roles/bigquery.dataEditor"},
    }
    blocks = [block for file in files for block in file.get("resource", [])]
    members = {
        (kind, name): body
        for block in blocks
        for kind, named in block.items()
        for name, body in named.items()
        if kind.endswith("_iam_member")
    }
    for (kind, name), body in members.items():
        which = ACCOUNT.search(body["member"])
        if which is None or name == "this":  # of Google's agents, or of people; or read from the tables above
            continue
        place = TOPICS if "topic" in kind else PROJECT
        role = "fullcourtStaging" if "custom_role" in body["role"] else body["role"]
        found |= {(account, place, role) for account in _accounts(which[1], body, sets)}
    return found


def _accounts(which, body, sets):
    """The accounts that a resource speaks of: one by name, or those that it goes through."""
    if which == "each.value":
        through = re.fullmatch(r"\$\{toset\((.*)\)\}", body["for_each"])[1]
        return sets[through] if through in sets else set(re.findall(r'"(\w+)"', through))
    return sets["local.senders"] if which == "each.value.account" else {which}


def needed(account, place):
    """Permissions that what an account runs asks for at a place."""
    if place == "landing":
        return LANDED.get(account, set())
    return ASKED_BESIDE.get(account, set()).union(*(NEEDS[method] for method in RUNS[account]))


def test_every_role_is_in_the_table(granted):
    assert {role for _, _, role in granted} == set(ROLES)
    assert {account for account, _, _ in granted} == set(RUNS)
    assert set(PEOPLE) <= granted


@pytest.mark.parametrize("account", RUNS)
def test_an_account_has_every_right_that_it_needs(granted, account):
    for place in ("landing", "elsewhere"):
        roles = {
            role for who, where, role in granted if who == account and (where == "landing") == (place == "landing")
        }
        assert needed(account, place) - set().union(*(ROLES[role] for role in roles)) == set(), place


@pytest.mark.parametrize("account", RUNS)
def test_an_account_has_no_role_that_nothing_needs(granted, account):
    for who, place, role in granted - set(PEOPLE):
        beyond = ROLES[role] - ROLES.get(NARROWER.get(role), set())
        assert who != account or beyond & needed(account, place), (place, role)
