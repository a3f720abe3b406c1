"""Whatever a broker or a stranger hands over is read, or refused with a reason; nothing else comes of it."""

import json

from hypothesis import strategies as st

from fullcourt.domain.events import TOPICS, Completion, Received, Trigger, UnreadableError, read
from fullcourt.domain.processors import PROCESSORS, Phase
from tests.fuzz.lanes import lanes, texts, try_all

FIELDS = (
    "processor_name",
    "phase",
    "execution_id",
    "correlation_id",
    "game_date",
    "status",
    "timestamp",
    "triggered_by",
)
VALUES = st.one_of(
    texts,
    st.sampled_from(
        [*(p.name for p in PROCESSORS), *(phase.value for phase in Phase), "success", "2024-01-15", "\ud800"]
    ),
    st.none(),
    st.integers(),
    st.floats(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(texts, st.integers(), max_size=2),
)
DOCUMENTS = st.one_of(
    st.dictionaries(st.one_of(st.sampled_from(FIELDS), texts), VALUES, max_size=12),
    st.fixed_dictionaries(dict.fromkeys(FIELDS, VALUES)),
    VALUES,
).map(lambda document: json.dumps(document).encode())
MESSAGES = st.builds(
    Received,
    message_id=texts,
    topic=st.one_of(st.sampled_from(sorted(TOPICS)), texts),
    data=st.one_of(DOCUMENTS, st.binary(max_size=200), texts.map(lambda text: text.encode(errors="surrogatepass"))),
    attributes=st.dictionaries(st.one_of(st.just("event_id"), texts), texts, max_size=3),
)


@lanes(slow=30_000)
def test_messages(inputs):
    def check(message):
        assert message.event_id
        try:
            came_of_it = read(message)
            came_of_it.correlation_id.encode()  # it is stored
        except UnreadableError as error:
            came_of_it = str(error)
        assert isinstance(came_of_it, Completion | Trigger) or 0 < len(came_of_it) < 1_000

    try_all(inputs, MESSAGES, check)
