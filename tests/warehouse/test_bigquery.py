"""What the BigQuery warehouse decides before any server is asked."""

import datetime as dt
import subprocess
import sys
from decimal import Decimal

import pyarrow as pa
import pytest

from fullcourt.domain.errors import EngineError, UsageError
from fullcourt.warehouse import open_warehouse
from fullcourt.warehouse.bigquery import values
from fullcourt.warehouse.bigquery.address import Address
from schemas import TABLES

URL = "bigquery://my-project?location=europe-west1&temp=gs://bucket/a/b"


def test_a_url_names_project_location_and_bucket():
    address = Address.parse(f"{URL}/&staging=/tmp/runs&maximum_bytes_billed=1000")
    assert (address.project, address.location) == ("my-project", "europe-west1")
    assert (address.bucket, address.prefix) == ("bucket", "a/b")
    assert (str(address.staging), address.maximum_bytes_billed) == ("/tmp/runs", 1000)
    assert Address.parse(address.url) == address


def test_staging_may_be_in_the_bucket():
    address = Address.parse(f"{URL}&staging=temp")
    assert address.staging is None
    assert Address.parse(address.url) == address


def test_the_staging_directory_is_in_the_user_s_cache_unless_named(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert Address.parse(URL).staging == tmp_path / "fullcourt" / "my-project"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("bigquery://my-project", "lacks location, lacks temp"),
        ("bigquery://my-project?location=US", "lacks temp"),
        ("bigquery://my-project?location=&temp=gs://b1/x", "lacks location"),
        (f"{URL}&tmp=x", "has unknown tmp"),
        (f"{URL}&location=US", "names location twice"),
        ("bigquery://?location=US&temp=gs://bucket/x", "names no project, but ''"),
        ("bigquery://p1/dataset?location=US&temp=gs://bucket/x", "names no project, but 'p1/dataset'"),
        ("bigquery://my-project?location=US&temp=/tmp/x", "which is no gs://bucket/prefix"),
        (f"{URL}&maximum_bytes_billed=1e9", "which is no number of bytes"),
    ],
)
def test_a_url_that_cannot_be_read_says_what_is_wrong_with_it(url, problem):
    with pytest.raises(UsageError) as raised:
        open_warehouse(url)
    assert problem in str(raised.value)
    assert "expected bigquery://project?location=US&temp=gs://bucket/prefix" in str(raised.value)


def test_opening_one_loads_nothing_of_the_cloud():
    assert loaded_by(f"from fullcourt.warehouse import open_warehouse; open_warehouse({URL!r})") == []


def test_the_light_install_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr("fullcourt.warehouse.bigquery.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"full-court\[gcp\]"):
        open_warehouse(URL)


def loaded_by(code):
    """The cloud's modules that are loaded once the code has run, in a process of its own."""
    code += (
        "; import sys; print(*{'google.cloud.bigquery', 'google.cloud.storage', 'grpc', 'sqlglot'} & {*sys.modules})"
    )
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, "BOOL"),
        (1, "INT64"),
        (1.0, "FLOAT64"),
        ("1", "STRING"),
        (None, "STRING"),
        (Decimal("1.5"), "NUMERIC"),
        (dt.date(2024, 1, 1), "DATE"),
        (dt.datetime(2024, 1, 1, tzinfo=dt.UTC), "TIMESTAMP"),
    ],
)
def test_a_parameter_has_the_type_of_its_value(value, kind):
    sql, (single,) = values.bind("SELECT @x", {"x": value})
    assert (sql, single.name, single.type_, single.value) == ("SELECT @x", "x", kind, value)
    if value is not None:
        _, (several,) = values.bind("SELECT @x", {"x": [value]})
        assert (several.array_type, several.values) == (kind, [value])


def test_an_empty_list_is_written_out_as_it_has_no_type():
    sql, bound = values.bind("a IN UNNEST(@day) AND b IN UNNEST(@days) AND c = @d", {"days": [], "day": [1], "d": 2})
    assert sql == "a IN UNNEST(@day) AND b IN UNNEST([]) AND c = @d"
    assert [parameter.name for parameter in bound] == ["day", "d"]


@pytest.mark.parametrize("value", [dt.datetime(2024, 1, 1), object()])
def test_what_has_no_type_is_refused(value):
    with pytest.raises(EngineError, match="parameter x"):
        values.bind("SELECT @x", {"x": value})


def test_many_rows_are_inserted_by_several_statements():
    table = TABLES["inactive_lists"]
    rows = pa.table({"player_name": ["a"] * 4_500}, table.arrow_subset(["player_name"]))
    statements = list(values.insertions(table, rows))
    assert [len(bound.values) for _, bound in statements] == [2_000, 2_000, 500]
    assert {sql for sql, _ in statements} == {
        "INSERT INTO nba_raw.inactive_lists (player_name) SELECT r.player_name FROM UNNEST(@rows) AS r"
    }


def test_decimals_get_back_the_type_of_the_column_they_are():
    plain = pa.decimal128(38, 9)
    rows = pa.table({"opponent_pace": pa.array([Decimal("98.5")], plain), "mean": pa.array([Decimal("1.25")], plain)})
    sql = "SELECT opponent_pace, AVG(opponent_pace) AS mean FROM nba_precompute.team_defense_zone_analysis"
    declared = TABLES["team_defense_zone_analysis"].arrow_schema.field("opponent_pace").type
    assert values.as_declared(sql, rows).schema.types == [declared, plain]
