"""Buttons on a real kernel: a guest with real USB and simulated pins."""
