"""Readers of logs, one file a format; `log.py` beside this folder is their contract."""

from casewright.extract.logs.access import TIME, utc

__all__ = ["TIME", "utc"]
