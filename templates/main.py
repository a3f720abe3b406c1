"""What the launcher of Dataflow's flex templates runs in the image; the pipeline is a parameter."""

from fullcourt.cli.launcher import main

main()
