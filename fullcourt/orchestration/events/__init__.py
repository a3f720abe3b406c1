"""From one phase to the next: messages leave through the outbox, and what arrives starts what the tables say is due.

outbox.py sends; readiness.py says which phase of which day may start and on what; handle.py takes one message in and
decides; reconcile.py finds what a lost message left.  The broker and the launcher are handed in.
"""
