"""What every section stands on: berth with stores of its own, the demo image, the peers."""

import os
import pathlib
import shutil
import subprocess
import tarfile

from berth_bench import measure, peers
from berth_bench.report import Report

DEMO = "localhost/demo:latest"


class Engine:
    """berth on one store."""

    env = None

    def __init__(self, program, root, runroot):
        self.program = program
        self.root = root
        self.runroot = runroot

    def command(self, *words):
        return [str(self.program), "--root", str(self.root), "--runroot", str(self.runroot), *map(str, words)]

    def call(self, *words):
        return subprocess.run(self.command(*words), check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              text=True).stdout

    def remove(self, *names):
        self.call("rm", "-f", *names)

    def close(self):
        subprocess.run(self.command("rm", "--all", "--force"), check=False, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def run_command(self, image, *words):
        """The start that is measured."""
        return self.command("run", "--rm", "--network", "none", image, *(words or ["true"]))

    def milliseconds(self, image):
        return measure.milliseconds(self.run_command(image))


class Bench:
    """One run of the measurements."""

    def __init__(self, repository, build, work, rounds):
        self.repository = repository
        self.build = build
        self.work = work
        self.rounds = rounds
        self.report = Report()
        self._engines = []
        self._podman = None
        self._docker = None
        self._bundle = None

    def __enter__(self):
        peers.isolate_host(self.work)
        self.demo = self.work / "demo.tar"
        subprocess.run([self.repository / "scripts/make-demo-image", self.demo, DEMO], check=True,
                       stdout=subprocess.DEVNULL)
        self.layer = self.work / "layer"
        self._unpack_demo()
        self.berth = self.new_engine()
        self.berth.call("load", "-i", self.demo)
        return self

    def __exit__(self, *_):
        for engine in (*self._engines, self._podman, self._docker):
            if engine:
                engine.close()

    def _unpack_demo(self):
        with tarfile.open(self.demo) as archive:
            (layer,) = [name for name in archive.getnames() if name.endswith(".tar")]
            with tarfile.open(fileobj=archive.extractfile(layer)) as contents:
                contents.extractall(self.layer)

    def new_engine(self):
        """berth on a new, empty store."""
        name = f"berth{len(self._engines) + 1}"
        self._engines.append(Engine(self.build / "bin/berth", self.work / name, pathlib.Path("/run", name)))
        return self._engines[-1]

    @property
    def podman(self):
        if self._podman is None:
            self._podman = peers.Podman(self.work)
            self._podman.call("load", "-i", self.demo)
        return self._podman

    @property
    def docker(self):
        if self._docker is None:
            self._docker = peers.Docker(self.work)
            self._docker.call("load", "-i", self.demo)
        return self._docker

    @property
    def bundle(self):
        if self._bundle is None:
            (self.work / "bundle").mkdir()
            self._bundle = peers.make_bundle(self.work / "bundle", self.layer)
        return self._bundle

    def settle(self):
        """Lets the disk finish what came before."""
        os.sync()

    def remove(self, path):
        shutil.rmtree(path, ignore_errors=True)
