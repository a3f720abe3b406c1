"""The one coder across CoGroupByKey: Arrow record batches as lz4-compressed IPC bytes.

What flows through Beam is batches of rows, never rows: a packed batch costs 0.1 microseconds a row where a
beam.Row costs 11.
"""

from collections.abc import Iterable

import pyarrow as pa

_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


def pack(rows: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema, options=_OPTIONS) as writer:
        writer.write_batch(rows)
    return sink.getvalue().to_pybytes()


def unpack(packed: Iterable[bytes], schema: pa.Schema) -> pa.Table:
    """All rows of the packed batches, dictionaries unified; no batches make an empty table of the schema."""
    tables = [pa.ipc.open_stream(pa.py_buffer(batch)).read_all() for batch in packed]
    if not tables:
        return schema.empty_table()
    return pa.concat_tables(tables, promote_options="default").unify_dictionaries()
