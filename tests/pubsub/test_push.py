"""The push endpoint: who may, how much, how old. Tokens are made with keys of our own; nothing leaves the machine."""

import base64
import datetime as dt
import json
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from fullcourt.cli.push import endpoint, take
from fullcourt.domain.errors import EngineError, UsageError
from fullcourt.domain.events import COMPLETIONS, MAX_BYTES, TRIGGERS
from fullcourt.domain.processors import Phase
from fullcourt.orchestration.events.handle import dead_letters
from fullcourt.orchestration.events.subscriber import Subscriber
from fullcourt.pubsub.push import MAX_BODY_BYTES, Certificates, Gate, Request
from tests.events import PRECOMPUTE, Books, completion

pytest.importorskip("google.auth", reason="google-auth is not installed: install the extra gcp")

AUDIENCE = "https://events.example/push"
PUSHER = "pusher@test-project.iam.gserviceaccount.com"
DAY = "2024-10-25"


@pytest.fixture(scope="session")
def issuer():
    """Signs tokens, and has the certificate that proves them; and somebody else who signs."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import NameOID
    from google.auth import crypt, jwt

    def keys():
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer")])
        now = dt.datetime.now(dt.UTC)
        lasts = (now - dt.timedelta(1), now + dt.timedelta(1))
        made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), *lasts)
        certificate = made.sign(key, hashes.SHA256())
        encodings = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        signer = crypt.RSASigner.from_string(key.private_bytes(*encodings), key_id="key-1")
        return signer, certificate.public_bytes(serialization.Encoding.PEM).decode()

    (ours, certificate), (other, _) = keys(), keys()
    fetched = []

    def fetch(url, method="GET", **_):
        fetched.append(url)
        return SimpleNamespace(status=200, data=json.dumps({"key-1": certificate}).encode())

    def token(signer=ours, **changed):
        now = int(time.time())
        claims = {
            "iss": "https://accounts.google.com",
            "aud": AUDIENCE,
            "email": PUSHER,
            "email_verified": True,
            "iat": now,
            "exp": now + 3600,
        }
        return jwt.encode(signer, {k: v for k, v in (claims | changed).items() if v is not None}).decode()

    return SimpleNamespace(token=token, other=other, fetch=fetch, fetched=fetched)


@pytest.fixture
def push(world, issuer):
    """push(**what is different): the endpoint's status for a pushed message."""
    warnings = []
    subscriber = Subscriber(world.warehouse, world, Books(), world.tick, lambda _: None, warnings.append)
    gate = Gate(AUDIENCE, PUSHER, Certificates(issuer.fetch, world.tick))

    def send(*, method="POST", token=None, body=None, headers=None, length=None, **envelope):
        body = json.dumps(pushed(world.now, **envelope)).encode() if body is None else body
        given = {"authorization": f"Bearer {issuer.token() if token is None else token}", **(headers or {})}
        asked = Request(method, given, len(body) if length is None else length, lambda most: body[:most])
        return take(gate, subscriber, asked, world.now).status

    return send


def pushed(now, fields=None, topic=COMPLETIONS[Phase.PRECOMPUTE], published=dt.timedelta(0), data=None, changed=None):
    """The envelope of a push subscription."""
    data = json.dumps(completion(day=DAY) if fields is None else fields).encode() if data is None else data
    return {
        "message": {
            "data": base64.b64encode(data).decode(),
            "attributes": {"event_id": "event-1"},
            "messageId": "17",
            "publishTime": (now - published).isoformat(timespec="microseconds").replace("+00:00", "123Z"),
        }
        | (changed or {}),
        "subscription": f"projects/test-project/subscriptions/{topic}-fullcourt",
    }


def taken(world):
    return [
        (row["event_id"], row["topic"], row["decision"]) for row in world.house.table("consumed_events").to_pylist()
    ]


def test_fault_14_a_message_is_taken_once(world, push):
    assert [push(), push()] == [204, 204]
    assert taken(world) == [("event-1", COMPLETIONS[Phase.PRECOMPUTE], "waiting")]


def test_a_pushed_trigger_launches(world, push, days):
    for name in PRECOMPUTE:
        world.take(world.report(name, days[5]))
    (trigger,) = world.triggers(Phase.PREDICTIONS)
    fields = json.loads(trigger["payload"])
    assert push(fields=fields, topic=TRIGGERS[Phase.PREDICTIONS]) == 204
    assert world.launched == [("predictions", days[5])]


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        pytest.param({"aud": "https://elsewhere.example"}, 401, id="of another audience"),
        pytest.param({"iss": "https://issuer.example"}, 401, id="of another issuer"),
        pytest.param({"iss": None}, 401, id="of no issuer"),
        pytest.param({"iat": 1_000_000_000, "exp": 1_000_003_600}, 401, id="expired"),
        pytest.param({"iat": 32_503_680_000, "exp": 32_503_683_600}, 401, id="of the future"),
        pytest.param({"email": "else@test-project.iam.gserviceaccount.com"}, 403, id="of another account"),
        pytest.param({"email": None}, 403, id="of no account"),
        pytest.param({"email_verified": False}, 403, id="of an account that is not verified"),
    ],
)
def test_tokens_that_are_refused(world, push, issuer, claims, status):
    assert push(token=issuer.token(**claims)) == status
    assert taken(world) == []


def test_tokens_that_are_none(world, push, issuer):
    """Signed by somebody else, not signed at all, cut off, missing, of another scheme."""
    header, claims, signature = issuer.token().split(".")
    unsigned = base64.urlsafe_b64encode(b'{"alg": "none", "kid": "key-1"}').decode().rstrip("=")
    for token in (issuer.token(issuer.other), f"{unsigned}.{claims}.", f"{header}.{claims}", "", "ü", f"a.{signature}"):
        assert push(token=token) == 401, token
    assert push(headers={"authorization": f"Basic {issuer.token()}"}) == 401
    assert push(headers={"authorization": ""}) == 401
    assert taken(world) == []


def test_certificates_are_fetched_once_an_hour(world, push, issuer):
    before = len(issuer.fetched)
    for _ in range(3):
        push()
    assert len(issuer.fetched) == before + 1
    world.tick(hours=1)
    push()
    assert len(issuer.fetched) == before + 2


def test_an_issuer_that_cannot_be_reached_is_no_refusal(world, issuer):
    gate = Gate(AUDIENCE, PUSHER, lambda *_, **__: SimpleNamespace(status=500, data=b""))
    asked = Request("POST", {"authorization": f"Bearer {issuer.token()}"}, 2, lambda _: b"{}")
    assert take(gate, None, asked, world.now).status == 503


@pytest.mark.parametrize(
    ("published", "status"),
    [
        pytest.param(dt.timedelta(days=6), 204, id="days late, as Pub/Sub repeats"),
        pytest.param(dt.timedelta(days=8), 400, id="older than Pub/Sub repeats"),
        pytest.param(-dt.timedelta(hours=1), 400, id="not published yet"),
    ],
)
def test_fault_14_the_replay_window(push, published, status):
    assert push(published=published) == status


def test_a_body_that_is_too_large_is_not_read(world, push):
    assert push(length=MAX_BODY_BYTES + 1) == 413
    assert push(body=b" " * (MAX_BODY_BYTES + 1), length=0) == 413
    assert taken(world) == []


def test_a_message_that_is_too_large_is_a_dead_letter(world, push):
    assert push(data=b" " * (MAX_BYTES + 1)) == 204
    (letter,) = dead_letters(world.warehouse)
    assert letter["reason"] == f"the message has {MAX_BYTES + 1} bytes, expected {MAX_BYTES} at most"


ENVELOPES = {
    "no JSON": b"{",
    "no object": b"[]",
    "no message": b"{}",
    "message is no object": b'{"message": 1, "subscription": "s"}',
    "nested without end": b"[" * 100_000,
    "not text": b"\xff",
}


@pytest.mark.parametrize("case", ENVELOPES)
def test_what_pubsub_does_not_push(world, push, case):
    assert push(body=ENVELOPES[case]) == 400
    assert taken(world) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"data": "*"},
        {"data": 1},
        {"attributes": {"a": 1}},
        {"attributes": {"event_id": "\ud800"}},
        {"messageId": None},
        {"messageId": "\ud800"},
        {"publishTime": "now"},
    ],
    ids=ascii,
)
def test_fields_of_the_envelope_that_are_wrong(push, changed):
    assert push(changed=changed) == 400


def test_only_posts_are_taken(push):
    assert push(method="GET") == 405


def test_cloud_events_are_taken_in_both_modes(world, push):
    envelope, topic = pushed(world.now), f"//pubsub.googleapis.com/projects/p/topics/{COMPLETIONS[Phase.PRECOMPUTE]}"
    body = json.dumps(envelope).encode()
    assert push(body=body, headers={"ce-source": topic, "content-type": "application/json"}) == 204
    envelope["message"]["attributes"] = {"event_id": "event-2"}
    structured = json.dumps({"specversion": "1.0", "source": topic, "data": envelope}).encode()
    assert push(body=structured, headers={"content-type": "application/cloudevents+json; charset=utf-8"}) == 204
    assert [row[:2] for row in taken(world)] == [(f"event-{n}", COMPLETIONS[Phase.PRECOMPUTE]) for n in (1, 2)]


def test_what_may_work_later_is_asked_for_again(world, push, days):
    for name in PRECOMPUTE:
        world.take(world.report(name, days[5]))
    (trigger,) = world.triggers(Phase.PREDICTIONS)
    how = {"fields": json.loads(trigger["payload"]), "topic": TRIGGERS[Phase.PREDICTIONS]}
    world.refuses = EngineError("the file is held by process 7")
    assert [push(**how), push(**how)] == [503, 204]


@pytest.mark.parametrize("lacks", ["FULLCOURT_WAREHOUSE", "FULLCOURT_PUSH_AUDIENCE", "FULLCOURT_PUBSUB"])
def test_nothing_is_served_without_its_settings(lacks):
    environment = {
        "FULLCOURT_WAREHOUSE": "house.duckdb",
        "FULLCOURT_PUBSUB": "pubsub://test-project",
        "FULLCOURT_PUSH_AUDIENCE": AUDIENCE,
        "FULLCOURT_PUSH_SERVICE_ACCOUNT": PUSHER,
    }
    with pytest.raises(UsageError, match=f"the environment lacks {lacks}"):
        endpoint({name: value for name, value in environment.items() if name != lacks})


@pytest.mark.parametrize("changed", [{"audience": "http://events.example"}, {"service_account": "pusher"}], ids=str)
def test_a_gate_is_for_somebody(changed):
    with pytest.raises(UsageError, match="expected"):
        Gate(**{"audience": AUDIENCE, "service_account": PUSHER, "fetch": None} | changed)


def test_functions_framework_serves_it(world, issuer, address):
    """Through the server's own request, and on to the broker."""
    framework = pytest.importorskip("functions_framework", reason="functions-framework is not installed")
    flask = pytest.importorskip("flask")
    environment = {
        "FULLCOURT_WAREHOUSE": world.house.url,
        "FULLCOURT_PUBSUB": f"pubsub://{address.project}",
        "FULLCOURT_PUSH_AUDIENCE": AUDIENCE,
        "FULLCOURT_PUSH_SERVICE_ACCOUNT": PUSHER,
    }
    receive = framework.http(endpoint(environment, world, issuer.fetch, lambda: world.now))
    app = flask.Flask(__name__)
    app.add_url_rule("/", view_func=lambda: receive(flask.request), methods=["GET", "POST"])
    client, authorization = app.test_client(), {"authorization": f"Bearer {issuer.token()}"}
    body = json.dumps(pushed(world.now))
    assert client.get("/").status_code == 405
    assert client.post("/", data=body).status_code == 401
    assert client.post("/", data=body, headers=authorization).status_code == 204
    assert client.post("/", data="x" * (MAX_BODY_BYTES + 1), headers=authorization).status_code == 413
    assert len(taken(world)) == 1


def test_the_file_that_is_deployed_serves_it(world, address, monkeypatch):
    framework = pytest.importorskip("functions_framework", reason="functions-framework is not installed")
    monkeypatch.setenv("FULLCOURT_WAREHOUSE", world.house.url)
    monkeypatch.setenv("FULLCOURT_PUBSUB", f"pubsub://{address.project}")
    monkeypatch.setenv("FULLCOURT_PUSH_AUDIENCE", AUDIENCE)
    monkeypatch.setenv("FULLCOURT_PUSH_SERVICE_ACCOUNT", PUSHER)
    file = Path(__file__).parents[2] / "templates" / "events_push" / "main.py"
    client = framework.create_app("receive", str(file), "http").test_client()
    assert client.get("/").status_code == 405
    assert client.post("/", data="{}").status_code == 401
