"""Measure how convincing the embedded faces are, and how hard; see README.md."""
