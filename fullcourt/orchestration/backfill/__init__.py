"""Backfills: planned on frozen inputs, claimed slice by slice, audited, published, read back.

plans: what is to be done and on which inputs.  claims: who may do it.  gates: what stops a day.  work: one slice.
apply: all of them in order, in parallel, with what came of it.
"""
