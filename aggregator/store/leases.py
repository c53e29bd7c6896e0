"""Who is working on what: a lease names its process, so that one that died is noticed at once.

A daemon and an ad hoc `fetch` share one database; each claims feeds and entries before it works on them. A lease
of a process that no longer lives is void. A lease of a process we cannot see (other machine, other container)
is void after `FOREIGN_LEASE`.
"""

from __future__ import annotations

import functools
import os
import socket
from datetime import datetime, timedelta
from pathlib import Path

#: How long a lease of an invisible owner is believed. Longer than any round between claim and record.
FOREIGN_LEASE = timedelta(minutes=30)


def _started(pid: int) -> str:
    """When the process started, so that a reused process id is not mistaken for it; '' where unknown."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


@functools.cache
def _owner(pid: int) -> str:
    return f"{socket.gethostname()}/{pid}/{_started(pid)}"


def owner() -> str:
    """This process, as leases name it: host/pid/start time."""
    return _owner(os.getpid())


def is_live(lease_owner: str | None, leased_at: datetime | None, now: datetime) -> bool:
    """Whether a lease still holds for a process other than ours."""
    if not lease_owner or leased_at is None or lease_owner == owner():
        return False
    host, pid, started = [*lease_owner.split("/"), "", ""][:3]
    if host != socket.gethostname() or not pid.isdigit():
        return abs(now - leased_at) < FOREIGN_LEASE
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it lives, under another user
    return not started or _started(int(pid)) in ("", started)
