"""Casewright turns a seized server into cases that hold up. Start at `docs/architecture.md`."""

__version__ = "0.1.0"
