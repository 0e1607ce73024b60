"""A notebook server that nobody has prepared for it, as a user ID that its image does not know: published on a port, used over
HTTP and WebSocket, stopped and started again elsewhere with nothing lost."""

import json
import os
import pathlib
import socket
import time

from notebook.client import Notebook
from support.case import BerthCase, main, run
from support.waiting import until

IMAGE = pathlib.Path(os.environ["BERTH_NOTEBOOK_DIR"]) / "notebook.tar"
ARTEFACTS = pathlib.Path(os.environ["BERTH_ARTEFACT_DIR"])
TOKEN = "a-token-for-the-test"
SERVER = ("jupyter-notebook", "--ip=0.0.0.0", "--port=8888", "--no-browser", f"--NotebookApp.token={TOKEN}")

# Who am I; a child that is waited for; and orphans, two of which end by themselves while one works on.
CELL = """\
import os, pwd, time
entry = pwd.getpwuid(os.getuid())
print(os.getuid(), os.getgid(), entry.pw_name != "", os.access(os.path.expanduser("~"), os.W_OK))
for seconds in (0, 0.2, 1000):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(seconds)
        os._exit(0)
    os.wait()
print("forked")
"""


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def processes_of(pid):
    """The letters of state of every process in the PID namespace of `pid`, which is the host's number."""
    namespace = os.readlink(f"/proc/{pid}/ns/pid")
    states = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.readlink(entry / "ns/pid") == namespace:
                states.append((entry / "stat").read_text().rpartition(") ")[2][0])
        except OSError:
            continue  # it has ended
    return states


class NotebookServer(BerthCase):
    @classmethod
    def setUpClass(cls):
        ARTEFACTS.mkdir(parents=True, exist_ok=True)

    def setUp(self):
        super().setUp()
        self.ok("import", "-c", "USER notebook", "-c", "WORKDIR /notebooks", "-c", "EXPOSE 8888", "-c", "VOLUME /notebooks",
                "-c", f"CMD {json.dumps(SERVER)}", IMAGE, "localhost/notebook", timeout=300)
        self.addCleanup(self.berth, "rm", "-fa")
        self.port = free_port()

    def serve(self, *flags):
        self.ok("run", "-d", "--name", "notebook", "-u", "10000", "-p", f"127.0.0.1:{self.port}:8888",
                "-v", "notebooks:/notebooks", *flags, "localhost/notebook")
        return self.server()

    def server(self):
        notebook = Notebook(f"127.0.0.1:{self.port}", TOKEN)
        try:
            self.assertTrue(notebook.wait().startswith("6."))
        except OSError as error:
            self.fail(f"{error}\n{self.berth('logs', 'notebook').stderr}")
        return notebook

    def state(self):
        return json.loads(self.ok("inspect", "notebook"))[0]["State"]

    def a_morning(self, notebook):
        """A person's morning: a cell that runs and is saved."""
        notebook.save("first.ipynb", [])
        kernel = notebook.kernel("first.ipynb")
        printed = kernel.execute(CELL)
        self.assertEqual(printed, "10000 0 True True\nforked\n")
        notebook.save("first.ipynb", [(CELL, printed)])
        kernel.end()
        return [(CELL, printed)]

    def assert_no_zombies(self):
        """A child that has ended may be looked at before it has been waited for, but not for long."""
        pid = self.state()["Pid"]
        until(lambda: "Z" not in processes_of(pid), lambda: f"zombies are left: {processes_of(pid)}")

    def assert_files_are_of(self, uid, gid):
        volume = pathlib.Path(json.loads(self.ok("volume", "inspect", "notebooks"))[0]["Mountpoint"])
        saved = os.stat(volume / "first.ipynb")
        self.assertEqual((saved.st_uid, saved.st_gid), (uid, gid))

    def bank(self):
        """The host's user ID of the container's root."""
        return int(pathlib.Path(f"/proc/{self.state()['Pid']}/uid_map").read_text().split()[1])

    def test_a_day_at_work(self):
        notebook = self.serve()
        done = self.a_morning(notebook)
        self.assert_a_browser_shows("10000 0 True True")
        self.assert_no_zombies()
        self.assertIn("S", processes_of(self.state()["Pid"]), "the orphan that works on")
        self.assert_files_are_of(10000, 0)
        first = self.bank()

        began = time.monotonic()
        self.ok("stop", "notebook")
        self.assertLess(time.monotonic() - began, 10, "it ends when it is asked to")
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=5)
        self.ok("start", "notebook")
        self.assertEqual(self.server().read("first.ipynb"), done)

        self.ok("rm", "-f", "notebook")
        again = self.serve()
        self.assertNotEqual(self.bank(), first, "another container has another bank")
        self.assertEqual(again.read("first.ipynb"), done)
        again.save("second.ipynb", done)
        self.assert_files_are_of(10000, 0)

    def test_under_a_project(self):
        self.ok("project", "create", "lab")
        self.ok("run", "-d", "--name", "notebook", "--project", "lab", "-p", f"127.0.0.1:{self.port}:8888",
                "-v", "notebooks:/notebooks", "localhost/notebook")
        notebook = self.server()
        notebook.save("first.ipynb", [])
        uid = int(notebook.kernel("first.ipynb").execute("import os; print(os.getuid())"))
        self.assertGreaterEqual(uid, 1000000000, "of the project's range")
        self.assert_files_are_of(uid, uid)
        self.assert_no_zombies()

    def browse(self, *words):
        page = f"http://127.0.0.1:{self.port}/notebooks/first.ipynb?token={TOKEN}"
        return run("chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                   f"--user-data-dir={self.work / 'browser'}", "--window-size=1200,900", "--timeout=30000",
                   "--virtual-time-budget=20000", *words, page, env=self.environment)

    def assert_a_browser_shows(self, text):
        picture = ARTEFACTS / "notebook.png"
        picture.unlink(missing_ok=True)
        shown = self.browse(f"--screenshot={picture}")
        self.assertTrue(picture.exists(), shown)
        self.assertGreater(picture.stat().st_size, 10_000, "a page with something on it")
        self.assertIn(text, self.browse("--dump-dom").stdout)


if __name__ == "__main__":
    main()
