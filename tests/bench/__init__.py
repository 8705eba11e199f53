"""`make bench`: measures what docs/performance.md reports, on the machine it runs on."""
