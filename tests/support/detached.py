"""The frame of tests of containers that nobody is attached to."""

import json
import sqlite3

from support.case import DEMO, BerthCase
from support.waiting import until


class Detached(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()
        self.addCleanup(self.end_all)

    def end_all(self):
        self.berth("rm", "--force", "--all")

    def detached(self, *words, name="job"):
        """Runs a container detached and gives its ID."""
        return self.ok("run", "-d", "--name", name, *words).strip()

    def sleeping(self, *flags, name="job"):
        return self.detached(*flags, DEMO, "sleep", "1000", name=name)

    def look(self, name="job"):
        return json.loads(self.ok("inspect", name))[0]

    def state(self, name="job"):
        return self.look(name)["State"]

    def in_database(self, name="job"):
        """What the database has, without a command that would put it right first."""
        connection = sqlite3.connect(f"file:{self.root}/berth.db?mode=ro", uri=True)
        try:
            return connection.execute("SELECT state, exit_status, exit_reason, started_at, finished_at FROM containers "
                                      "WHERE name = ? OR id = ?", (name, name)).fetchone()
        finally:
            connection.close()

    def until_ended(self, name="job"):
        until(lambda: (self.in_database(name) or ("gone",))[0] in ("exited", "gone"), f"{name} ends")
