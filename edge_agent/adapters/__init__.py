"""One device, engine or protocol per file."""
