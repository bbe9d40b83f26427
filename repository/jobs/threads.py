"""A worker's thread: started once, asked to end, and waited for."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod


class Threaded(ABC):
    """Something that works in a thread of this process until it is stopped; `_run` looks at `_stop`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Work in a thread of this process until `stop`."""
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 30.0) -> None:
        """Ask the thread to end after what is at hand, and wait for it. Killing the process instead loses nothing."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout)

    @property
    def alive(self) -> bool:
        """Whether the thread is there and has not been asked to end."""
        return self._thread is not None and self._thread.is_alive() and not self._stop.is_set()

    @abstractmethod
    def _run(self) -> None: ...
