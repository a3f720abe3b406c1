"""The one coder across CoGroupByKey: Arrow record batches as lz4-compressed IPC bytes.

What flows through Beam is batches of rows, never rows: a packed batch costs 0.1 microseconds a row where a
beam.Row costs 11.
"""

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa

_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


def pack(rows: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema, options=_OPTIONS) as writer:
        writer.write_batch(rows)
    return sink.getvalue().to_pybytes()


def pack_columns(rows: pa.Table, columns: Sequence[str], dictionaries: Sequence[str] = ()) -> Iterator[bytes]:
    """Some columns of rows made in this job, encoded as they would be if they had been read."""
    chosen = rows.select(list(columns))
    for name in dictionaries:
        if name in chosen.column_names:
            chosen = chosen.set_column(chosen.column_names.index(name), name, chosen[name].dictionary_encode())
    yield from map(pack, chosen.unify_dictionaries().combine_chunks().to_batches())


def unpack(packed: Iterable[bytes], schema: pa.Schema) -> pa.Table:
    """The schema's columns of all packed batches, dictionaries unified; no batches make an empty table."""
    tables = [_as(schema, pa.ipc.open_stream(pa.py_buffer(batch)).read_all()) for batch in packed]
    if not tables:
        return schema.empty_table()
    return pa.concat_tables(tables, promote_options="default").unify_dictionaries()


def _as(schema: pa.Schema, rows: pa.Table) -> pa.Table:
    """Batches of different origin agree in all but their dictionaries."""
    found = [rows.schema.field(name).type for name in schema.names]
    kinds = [kind if pa.types.is_dictionary(kind) else field.type for kind, field in zip(found, schema, strict=True)]
    return rows.select(schema.names).cast(pa.schema(zip(schema.names, kinds, strict=True)))
