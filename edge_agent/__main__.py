"""`python -m edge_agent` is the command `mamori`."""

from edge_agent.cli import main

main()
