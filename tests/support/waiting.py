"""Waiting, not for ever, for what another process does."""

import time


def until(condition, what, patience=30.0):
    """Until `condition()` holds; if that takes longer than `patience` seconds it did not happen: `what` is a text or gives one."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"it did not happen in {patience:g} seconds: {what() if callable(what) else what}")
        time.sleep(0.02)
