"""A test of an OCI runtime by its command line: BERTH_CONFORMANCE_RUNTIME names the program."""

import ctypes
import functools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

from support import leftovers
from support.bundle import Bundle, default_config
from support.case import Finished
from support.waiting import until

RUNTIME = os.environ.get("BERTH_CONFORMANCE_RUNTIME", "berth-runtime")
REPORT = os.environ.get("BERTH_CONFORMANCE_REPORT")
CGROUPS = pathlib.Path("/sys/fs/cgroup")
# On a tmpfs of this test file's own: everybody may walk through it, which a mapped root needs to reach its bundle.
BUNDLES = pathlib.Path("/run/bundles")

MUST = "MUST"  # with MUST NOT, REQUIRED and SHALL
SHOULD = "SHOULD"  # with SHOULD NOT and RECOMMENDED
MAY = "MAY"  # optional, but to be done right if done at all
PRACTICE = "practice"  # not in the specification: what the engines rely on and both peers do

PR_CAPBSET_DROP = 24
LONGEST_DETAIL = 240  # characters of a line: a probe's report is long
PATIENCE = 10.0  # seconds that a command of a runtime may take


def requirement(section, level, text):
    """Names what a test asks for: where it is written, how strong it is, and what it says."""
    def mark(test):
        test.requirement = {"section": section, "level": level, "text": text}
        return test
    return mark


def family(cases):
    """Makes one test of a class for each case: `cases` maps a name's ending to (section, level, text, arguments...)."""
    def decorate(method):
        method.family = cases
        return method
    return decorate


def expand(cls):
    """Class decorator: puts the tests of @family into the class."""
    for name, method in list(vars(cls).items()):
        for ending, (section, level, text, *arguments) in getattr(method, "family", {}).items():
            test = functools.partialmethod(method, *arguments)
            made = functools.wraps(method)(lambda self, test=test: test.__get__(self)())
            made.requirement = {"section": section, "level": level, "text": text}
            made.family = {}
            made.__name__ = f"test_{name.lstrip('_')}_{ending}"
            setattr(cls, made.__name__, made)
    return cls


def hierarchies():
    """The mounted cgroup hierarchies: controller (v1) or "" (v2) to its mount point."""
    found = {}
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        before, after = line.split(" - ")
        kind, _, options = after.split(" ", 2)
        point = pathlib.Path(before.split()[4])
        if kind == "cgroup2":
            found[""] = point
        elif kind == "cgroup":
            found.update({name: point for name in options.split(",") if not name.startswith(("rw", "ro", "xattr"))})
    return found


def prepare_host():
    """crun before 1.9 refuses a v2 tree beside v1 ones; this mount namespace is the test's own."""
    BUNDLES.mkdir(exist_ok=True)
    if pathlib.Path(RUNTIME).name == "crun" and "" in hierarchies() and len(hierarchies()) > 1:
        subprocess.run(["umount", hierarchies()[""]], check=True)


class Container:
    """One container's bundle and ID, and the runtime's commands on it."""

    def __init__(self, case, name=None):
        self.case = case
        self.token = uuid.uuid4().hex[:12]
        self.id = name or f"c-{self.token}"
        self.cgroup = f"/conformance-{self.token}"
        self.directory = case.work / f"b-{self.token}"
        self.directory.mkdir(mode=0o755)
        self.bundle = Bundle(self.directory, default_config(self.cgroup))
        self.stdout = case.work / f"out-{self.token}"
        self.stderr = case.work / f"err-{self.token}"

    @property
    def config(self):
        return self.bundle.config

    @property
    def rootfs(self):
        return self.bundle.rootfs

    # -- the runtime's commands

    def call(self, command, *words, flags=(), **options):
        return self.case.runtime(command, *flags, self.id, *words, **options)

    def _begin(self, command, *flags, **options):
        """The container's process has the command's streams: they go to self.stdout and self.stderr."""
        self.bundle.write()
        return self.call(command, flags=("--bundle", self.directory, *flags), stdout=self.stdout, stderr=self.stderr,
                         **options)

    def create(self, *flags, **options):
        return self._begin("create", *flags, **options)

    def run(self, *flags, **options):
        return self._begin("run", *flags, **options)

    def start(self, **options):
        return self.call("start", **options)

    def kill(self, signal_name="KILL", flags=()):
        return self.call("kill", signal_name, flags=flags)

    def delete(self, *flags):
        return self.call("delete", flags=flags)

    def exec(self, *words, flags=(), **options):
        """Into files of its own, so that the container's output stays readable."""
        with tempfile.TemporaryDirectory(dir=self.case.work) as directory:
            out, err = pathlib.Path(directory, "out"), pathlib.Path(directory, "err")
            return self.case.runtime("exec", *flags, self.id, *words, stdout=out, stderr=err, **options)

    def state(self):
        done = self.case.ok(self.case.runtime("state", self.id))
        return json.loads(done.stdout)

    def status(self):
        return self.state()["status"]

    @property
    def pid(self):
        return self.state()["pid"]

    def output(self):
        """What the container's process has written to its standard output."""
        return self.stdout.read_text(errors="backslashreplace")

    # -- what most tests do

    def created(self, *flags, **options):
        self.case.ok(self.create(*flags, **options))
        return self

    def started(self, *flags):
        """Created and started; gives itself."""
        self.created(*flags)
        self.case.ok(self.start())
        return self

    def sleeping(self):
        """Started, with a process that goes on until it is killed."""
        self.bundle.process["args"] = ["/bin/sleep", "1000"]
        return self.started()

    def stopped(self):
        """Waits until the container's process has ended."""
        until(lambda: self.status() == "stopped", "the container is stopped")
        return self

    def probe(self, *words, flags=(), **options):
        """Runs the probe as the container's process; gives what it saw."""
        self.bundle.process["args"] = ["/probe", *map(str, words)]
        done = self.case.ok(self.run(*flags, **options))
        return seen(done)

    def exec_probe(self, *words, flags=()):
        return seen(self.case.ok(self.exec("/probe", *words, flags=flags)))

    def shell(self, script, *flags):
        """Runs a shell script as the container's process, to its end; gives the Finished."""
        self.bundle.process["args"] = ["/bin/sh", "-c", script]
        return self.run(*flags)

    def refused(self, *flags):
        """The runtime must say no: an error, and the container's program has not run."""
        done = self.run(*flags)
        self.case.assertNotEqual(done.status, 0, f"it was accepted: {done}")
        self.case.assertNotIn('"ids"', done.stdout, f"the program has run: {done}")
        self.case.assertNotEqual(done.stderr.strip(), "", "an error without a word")
        return done

    # -- cgroups

    def cgroup_file(self, controller, name):
        """The text of a file in the container's cgroup of a v1 controller, or of the v2 one."""
        return self.cgroup_directory(controller).joinpath(name).read_text().strip()

    def cgroup_directory(self, controller):
        found = hierarchies()
        return found.get(controller, found.get("")) / self.cgroup.lstrip("/")

    def cgroups(self):
        """Where the container's cgroup exists."""
        return [path for path in (point / self.cgroup.lstrip("/") for point in hierarchies().values()) if path.exists()]

    def end(self):
        """Whatever a test did: no process and no cgroup stays."""
        try:
            subprocess.run(self.case.command("delete", "--force", self.id), stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=PATIENCE, check=False)
        except subprocess.TimeoutExpired:
            pass  # what it did not end is ended below
        deadline = time.monotonic() + 2
        while self.cgroups() and time.monotonic() < deadline:
            for path in self.cgroups():
                self._remove_cgroup(path)
            time.sleep(0.005)

    @staticmethod
    def _remove_cgroup(path):
        try:
            for pid in map(int, path.joinpath("cgroup.procs").read_text().split()):
                if pid > 0:  # 0 stands for one of another PID namespace, and is no PID
                    os.kill(pid, signal.SIGKILL)
            path.rmdir()
        except OSError:
            pass  # its last process is still going


def seen(done):
    """The probe's report in a command's output."""
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError as error:
        raise AssertionError(f"the probe did not report ({error}): {done}") from error


def _before(options):
    """What is special about the runtime's caller: oom_score and drop_capability are taken out of the options."""
    score, dropped = options.pop("oom_score", None), options.pop("drop_capability", None)

    def change():
        if score is not None:
            pathlib.Path("/proc/self/oom_score_adj").write_text(str(score))
        if dropped is not None:
            ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, dropped, 0, 0, 0)
    return change if score is not None or dropped is not None else None


class RuntimeCase(unittest.TestCase):
    """Each test has a state directory and a work directory of its own; its containers are removed after it."""

    maxDiff = None

    def setUp(self):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="w", dir=BUNDLES))
        self.work.chmod(0o755)
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="r", dir="/run"))
        self.containers = []
        self._mounts = leftovers.mounts()
        self.addCleanup(self._clean)

    def _clean(self):
        for container in self.containers:
            container.end()
        for text in sorted(set(leftovers.mounts()) - set(self._mounts), reverse=True):
            subprocess.run(["umount", "-l", text.split()[1]], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.rmtree(self.root, ignore_errors=True)

    def container(self, name=None):
        """A container that does not exist yet, with the default configuration."""
        made = Container(self, name)
        self.containers.append(made)
        return made

    # -- running the runtime

    def command(self, *words):
        return [RUNTIME, "--root", str(self.root), *map(str, words)]

    def runtime(self, *words, stdin=subprocess.DEVNULL, stdout=None, stderr=None, timeout=PATIENCE, **options):
        """Runs a command of the runtime to its end. Output goes to files: a container keeps them open."""
        with tempfile.TemporaryDirectory(dir=self.work) as directory:
            out, err = stdout or pathlib.Path(directory, "out"), stderr or pathlib.Path(directory, "err")
            with open(out, "wb") as out_file, open(err, "wb") as err_file:
                done = subprocess.run(self.command(*words), stdin=stdin, stdout=out_file, stderr=err_file,
                                      timeout=timeout, check=False, cwd=options.pop("cwd", self.work),
                                      preexec_fn=_before(options), **options)
            status = done.returncode if done.returncode >= 0 else 128 - done.returncode
            return Finished(self.command(*words), status, out.read_text(errors="backslashreplace"),
                            err.read_text(errors="backslashreplace"))

    def ok(self, done):
        self.assertEqual(done.status, 0, done)
        return done

    def error(self, done):
        """The command must have failed, with a word about why."""
        self.assertNotEqual(done.status, 0, f"it was accepted: {done}")
        self.assertNotEqual(done.stderr.strip(), "", f"an error without a word: {done}")
        return done

    # -- asking

    def assert_gone(self, container):
        """Nothing of this container is left: not in the runtime's state, no cgroup, no mount, no process."""
        self.assertNotEqual(self.runtime("state", container.id).status, 0, "the runtime still knows it")
        until(lambda: not container.cgroups(), f"no cgroup: {container.cgroups()}", patience=1.0)
        self.assertEqual(leftovers.mounts(), self._mounts, "mounts")
        until(lambda: not self._processes_of(container), f"no process: {self._processes_of(container)}")
        self.assertEqual([str(path) for path in self.root.rglob("*") if container.id in path.name], [], "state files")

    def _processes_of(self, container):
        """Everything but this program itself whose command line or root names the container."""
        found = []
        for pid, text in leftovers.processes().items():
            try:
                where = os.readlink(f"/proc/{pid}/root") + os.readlink(f"/proc/{pid}/cwd")
            except OSError:
                where = ""
            if pid != os.getpid() and " (Z) " not in text and (container.token in text or container.token in where):
                found.append(text)
        return found

    def assert_mount(self, report, point):
        """The entry of the topmost mount there, of the probe's report."""
        found = [one for one in mount_table(report) if one["point"] == point]
        self.assertTrue(found, f"{point} is not a mount: {[one['point'] for one in mount_table(report)]}")
        return found[-1]


def mount_table(report):
    """The probe's mountinfo, line by line, with names."""
    table = []
    for line in report["mountinfo"]:
        before, after = line.split(" - ", 1)
        number, parent, device, root, point, options, *tags = before.split()
        kind, source, super_options = (after.split(" ", 2) + ["", ""])[:3]
        table.append({"id": int(number), "parent": int(parent), "device": device, "root": root, "point": point,
                      "options": options.split(","), "tags": tags, "type": kind, "source": source,
                      "super": super_options.split(",")})
    return table


class _Recorder(unittest.TextTestResult):
    """Also writes one JSON line a test."""

    def startTest(self, test):
        self._began = time.monotonic()
        super().startTest(test)

    def _record(self, test, outcome, detail=""):
        if not REPORT:
            return
        method = getattr(test, test._testMethodName)
        line = {"test": test._testMethodName.removeprefix("test_"), **method.requirement, "outcome": outcome,
                "seconds": round(time.monotonic() - self._began, 3),
                "detail": "\n".join(line[:LONGEST_DETAIL] for line in detail.splitlines()[:12])}
        with open(REPORT, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def addSuccess(self, test):
        super().addSuccess(test)
        self._record(test, "pass")

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self._record(test, "fail", str(error[1]))

    def addError(self, test, error):
        super().addError(test, error)
        self._record(test, "fail", f"{error[0].__name__}: {error[1]}")


def main():
    """Runs the tests of the calling file against the runtime."""
    if os.geteuid() != 0:
        sys.exit("these tests need root: run ./test, or ctest with sudo")
    if not shutil.which(RUNTIME):
        sys.exit(f"no runtime {RUNTIME!r}: set BERTH_CONFORMANCE_RUNTIME")
    prepare_host()
    for value in vars(sys.modules["__main__"]).values():
        if isinstance(value, type) and issubclass(value, RuntimeCase):
            for name in dir(value):
                if re.match("test_", name) and not hasattr(getattr(value, name), "requirement"):
                    sys.exit(f"{name} does not say what it requires")
    unittest.main(verbosity=2, testRunner=unittest.TextTestRunner(resultclass=_Recorder, verbosity=2))
