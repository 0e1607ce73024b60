"""What a container with a published port costs at its start, and how fast TCP is then."""

import json
import subprocess
import time

from berth_bench import images
from berth_bench.bench import DEMO
from berth_bench.measure import Contestant, Figures, interleaved, milliseconds

AT_MOST = 1 / 10  # of podman's time of a start
AS_FAST = 1.05  # of podman's time for the same bytes
MEGABYTES = 1000
HOST, OUTSIDE = "192.0.2.1", "192.0.2.2"
BERTH, PODMAN, DOCKER = "berth run -d -p", "podman run -d -p", "docker run -d -p, userns-remap"
NONE = "berth run -d --network none"
PATIENCE = 10.0  # seconds until a server listens


def measure_networks(bench):
    measure_starts(bench)
    outside = connect_outside()
    try:
        measure_streams(bench, outside)
    finally:
        outside.kill()
        outside.wait()


def measure_starts(bench):
    def once(engine, *flags):
        took = milliseconds(engine.command("run", "-d", "--name", "bench", *flags, DEMO, "sleep", "1000"), engine.env)
        engine.remove("bench")
        return took

    podman, docker = bench.podman, bench.docker
    bench.settle()
    figures = interleaved([
        Contestant(NONE, lambda: once(bench.berth, "--network", "none")),
        Contestant(BERTH, lambda: once(bench.berth, "-p", "8080:80")),
        Contestant(PODMAN, lambda: once(podman, "-p", "8081:80"), every=2),
        Contestant(DOCKER, lambda: once(docker, "-p", "8082:80"), every=2),
    ], bench.rounds)
    bench.report.table("network", figures, [NONE, PODMAN])
    bench.report.target("berth run -d with a published port, as a part of podman's",
                        figures[BERTH].median / figures[PODMAN].median, AT_MOST)


def connect_outside():
    """A network namespace that is a neighbour of the host's; the process that keeps it."""
    outside = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo made; exec sleep 100000"], stdout=subprocess.PIPE)
    outside.stdout.readline()
    there = ["nsenter", "-n", "-t", str(outside.pid)]
    for command in (["ip", "link", "add", "up0", "type", "veth", "peer", "name", "up0", "netns", str(outside.pid)],
                    ["ip", "addr", "add", f"{HOST}/24", "dev", "up0"], ["ip", "link", "set", "up0", "up"],
                    [*there, "ip", "addr", "add", f"{OUTSIDE}/24", "dev", "up0"],
                    [*there, "ip", "link", "set", "up0", "up"]):
        subprocess.run(command, check=True)
    return outside


class Servers:
    """A server in a container of each engine, and a client beside it."""

    def __init__(self, engine, image, port, network):
        self.engine = engine
        self.port = port
        engine.call("run", "-d", "--name", "server", "-p", f"{port}:7000", image, "stream", "serve", "7000")
        engine.call("run", "-d", "--name", "client", *network, image, "sleep", "100000")
        self.address = self._address("server")

    def _process(self, name):
        return str(json.loads(self.engine.call("inspect", name))[0]["State"]["Pid"])

    def _address(self, name):
        listed = subprocess.run(["nsenter", "-n", "-t", self._process(name), "ip", "-json", "-4", "addr", "show", "eth0"],
                                check=True, stdout=subprocess.PIPE).stdout
        return json.loads(listed)[0]["addr_info"][0]["local"]

    def to_container(self, stream):
        return send(["nsenter", "-n", "-t", self._process("client")], stream, self.address, 7000)

    def to_published(self, stream, outside):
        return send(["nsenter", "-n", "-t", str(outside.pid)], stream, HOST, self.port)

    def remove(self):
        self.engine.call("rm", "-f", "server", "client")


def send(namespace, stream, address, port):
    deadline = time.monotonic() + PATIENCE
    while True:
        done = subprocess.run([*namespace, stream, "send", address, str(port), str(MEGABYTES)], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode == 0:
            return float(done.stdout)
        if time.monotonic() > deadline:
            raise RuntimeError(f"{address}:{port} is not reached: {done.stderr}")
        time.sleep(0.05)


def measure_streams(bench, outside):
    stream = bench.build / "bench/stream"
    archive = bench.work / "stream.tar"
    image = images.make_with_program(archive, "stream", stream)
    engines = {"berth": (bench.berth, 7001, ["--network", "bridge"]), "podman": (bench.podman, 7002, [])}
    servers = {}
    for name, (engine, port, network) in engines.items():
        engine.call("load", "-i", archive)
        servers[name] = Servers(engine, image, port, network)
    bench.settle()
    for what, once in (("container to container", lambda one: one.to_container(stream)),
                       ("published port", lambda one: one.to_published(stream, outside))):
        figures = interleaved([Contestant(f"{name}, {what}", lambda one=one, once=once: once(one))
                               for name, one in servers.items()], max(5, bench.rounds // 4))
        report(bench, what, figures)
    for one in servers.values():
        one.remove()


def report(bench, what, figures: dict[str, Figures]):
    ours, theirs = f"berth, {what}", f"podman, {what}"
    bench.report.table("network", figures, [theirs])
    for name in (ours, theirs):
        bench.report.value("network", f"{name}: throughput", MEGABYTES / figures[name].median, "GB/s")
    bench.report.target(f"{MEGABYTES} MB by TCP, as a multiple of podman's time: {what}",
                        figures[ours].median / figures[theirs].median, AS_FAST)
