"""Backfills: planned on frozen inputs, claimed slice by slice, audited, published, read back.

plans: what a plan is.  planning: making one.  inputs: what it rests on.  claims: who may do it.  gates: what stops a
day.  work: one slice.  workers: the processes.  apply: all of it in order.  status: how far it is.
"""
