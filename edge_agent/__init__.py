"""Mamori: hears tapped lines, judges customer harassment by the company's policy, alerts people."""
