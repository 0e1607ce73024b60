"""The measurements, by name."""

import json
import subprocess

from berth_bench import full_store, images, peers
from berth_bench.bench import DEMO
from berth_bench.floor import FLOOR, floor
from berth_bench.log_throughput import measure_log
from berth_bench.measure import Contestant, interleaved, milliseconds
from berth_bench.monitors import measure_monitors
from berth_bench.networks import measure_networks
from berth_bench.pull import measure_pull
from berth_bench.runtimes import measure_runtimes
from berth_bench.services import measure_exec, measure_many

CRUN = "crun run, ready bundle"
BERTH = "berth run --rm --network none"
AUTO = "podman run --userns=auto"
AS_EMPTY = 1.2  # "does not grow" and "does not depend on the size"


def start(bench):
    """a start of `true`, from the command line to the exit status."""
    podman = bench.podman

    def podman_once(*flags):
        return milliseconds(podman.command("run", "--rm", "--network=none", *flags, DEMO, "true"), podman.env)

    bench.settle()
    bench.report.value("start", "berth, the first start of all (cold caches)", bench.berth.milliseconds(DEMO), "ms")
    figures = interleaved([
        Contestant("true, as a process", lambda: milliseconds([bench.layer / "bin/true"])),
        floor(bench),
        Contestant(BERTH, lambda: bench.berth.milliseconds(DEMO)),
        Contestant("bubblewrap, all namespaces, one ID", lambda: milliseconds(peers.bubblewrap_command(bench.layer))),
        Contestant(CRUN, lambda: milliseconds(peers.runtime_command("crun", bench.bundle))),
        Contestant("runc run, ready bundle", lambda: milliseconds(peers.runtime_command("runc", bench.bundle))),
        Contestant("podman run --network=none", podman_once, every=2),
        Contestant(AUTO, lambda: podman_once("--userns=auto"), every=2),
    ], bench.rounds)
    bench.report.table("start", figures, [FLOOR, CRUN])
    ours = figures[BERTH].median
    bench.report.target("berth run, as a multiple of crun run on a ready bundle", ours / figures[CRUN].median, 1.0)
    bench.report.target("berth run, as a multiple of the floor", ours / figures[FLOOR].median, 3.5)
    bench.report.target("berth run, as a part of podman run --userns=auto", ours / figures[AUTO].median, 1 / 20)


def growth(bench):
    """the same start, with 1,000 images, 1,000 stopped containers and 10,000 banks held."""
    full = bench.new_engine()
    full.call("load", "-i", bench.demo)
    full.call("run", "--network", "none", "--name", "model", DEMO, "true")
    full_store.fill(full.root, images=1000, containers=1000, banks=10000)
    bench.settle()
    figures = interleaved([
        Contestant("empty store", lambda: bench.berth.milliseconds(DEMO)),
        Contestant("full store", lambda: full.milliseconds(DEMO)),
    ], bench.rounds)
    bench.report.table("growth", figures, ["empty store"])
    bench.report.target("a start in the full store, as a multiple of one in the empty store",
                        figures["full store"].median / figures["empty store"].median, AS_EMPTY)
    bench.remove(full.root)


def big_image(bench):
    """the first start in a new bank of an image with 50,000 files."""
    archive = bench.work / "big.tar"
    name = images.make_many_files(archive, 50000)
    bench.berth.call("load", "-i", archive)
    bench.podman.call("load", "-i", archive)
    bench.settle()
    figures = interleaved([
        Contestant("busybox", lambda: bench.berth.milliseconds(DEMO)),
        Contestant("50,000 files", lambda: bench.berth.milliseconds(name)),
    ], bench.rounds)
    bench.report.table("big-image", figures, ["busybox"])
    first = milliseconds(bench.podman.command("run", "--rm", "--network=none", "--userns=auto", name, "true"),
                         bench.podman.env)
    bench.report.value("big-image", "podman run --userns=auto, first start", first, "ms")
    bench.report.target("a start with 50,000 files, as a multiple of one of busybox",
                        figures["50,000 files"].median / figures["busybox"].median, AS_EMPTY)
    bench.berth.call("rmi", name)
    archive.unlink()


def chown(bench):
    """`chown -R` of 1 GiB in 100 files inside the container: what it costs on disk."""
    archive = bench.work / "data.tar"
    name = images.make_big_files(archive, count=100, size=1 << 30)
    bench.berth.call("load", "-i", archive)
    archive.unlink()
    bench.settle()
    before = images.disk_usage(bench.berth.root)
    took = milliseconds(bench.berth.command("run", "--network", "none", "--name", "chown", name,
                                            "chown", "-R", "1000:1000", "/data"))
    bench.settle()
    used = (images.disk_usage(bench.berth.root) - before) / (1 << 20)
    bench.report.value("chown", "chown -R of 1 GiB in 100 files", took, "ms")
    bench.report.target("disk used by chown -R of 1 GiB in 100 files", used, 2.0, " MiB")
    bench.berth.call("rm", "chown")
    bench.berth.call("rmi", name)


def ledger(bench):
    """a bank taken from the ledger and freed again, with 28,000 of 28,664 held and with 10."""
    program = bench.build / "bench/ledger"
    engines = {}
    for held in (10, 28000):
        engines[held] = bench.new_engine()
        engines[held].call("bank", "ls")
        full_store.hold_banks(engines[held].root, held)

    def once(held, durability):
        command = [program, "--database", engines[held].root / "berth.db", "--runs", "10", "--durability", durability]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["median_ms"]

    def contestant(held, durability):
        name = f"{held} banks held, " + ("on disk" if durability == "full" else "as for --rm")
        return Contestant(name, lambda: once(held, durability))

    bench.settle()
    few, many, few_durable, many_durable = (contestant(held, durability) for durability in ("relaxed", "full")
                                            for held in (10, 28000))
    run = Contestant(BERTH, lambda: bench.berth.milliseconds(DEMO))
    figures = interleaved([few, many, few_durable, many_durable, run], bench.rounds)
    bench.report.table("ledger", figures, [few.name])

    def ratio(one, other):
        return figures[one.name].median / figures[other.name].median
    bench.report.target("a bank with 28,000 held, as a multiple of one with 10 held", ratio(many, few), 2.0)
    bench.report.target("the same, each step on disk", ratio(many_durable, few_durable), 2.0)
    # Both without waiting for the disk, which a start with --rm never does.
    bench.report.target("a bank with 28,000 held, as a part of berth run", ratio(many, run), 1 / 20)
    for engine in engines.values():
        bench.remove(engine.root)


def volume(bench):
    """a volume of 100,000 files in a new bank, beside an empty one."""
    flags = {}
    for name, count in {"none": 0, "empty": 0, "full": 100000}.items():
        if name != "none":
            bench.berth.call("volume", "create", name)
            images.fill_directory(bench.berth.root / "volumes" / name / "_data", count)
        flags[name] = [] if name == "none" else ["-v", f"{name}:/data"]

    def once(name):
        return milliseconds(bench.berth.command("run", "--rm", "--network", "none", *flags[name], DEMO, "true"))

    bench.settle()
    figures = interleaved([
        Contestant("no volume", lambda: once("none")),
        Contestant("an empty volume", lambda: once("empty")),
        Contestant("a volume of 100,000 files", lambda: once("full")),
    ], bench.rounds)
    bench.report.table("volume", figures, ["an empty volume"])
    bench.report.target("a start with a volume of 100,000 files, as a multiple of one with an empty volume",
                        figures["a volume of 100,000 files"].median / figures["an empty volume"].median, AS_EMPTY)
    bench.berth.call("volume", "rm", "--all")


def translate(bench):
    """an image copied for a bank's IDs, beside `cp -a` of the same tree."""
    engine = bench.new_engine()
    copy = bench.work / "copy"
    layer = bench.work / "real.layer"
    images.write_real_layer(layer, images.host_files(), 500_000_000)
    trees = {"50,000 small files": images.make_many_files(bench.work / "tree.tar", 50000)}
    engine.call("load", "-i", bench.work / "tree.tar")
    trees["500 MB of programs"] = images.make_of_layer(bench.work / "tree.tar", layer)
    engine.call("load", "-i", bench.work / "tree.tar")
    engine.call("bank", "create", "bench")
    for what, name in trees.items():
        (tree,) = json.loads(engine.call("image", "inspect", name))[0]["GraphDriver"]["Data"]["LowerDirs"]

        def by_cp(command, tree=tree):
            bench.remove(copy)
            bench.settle()
            return milliseconds(["sh", "-c", command, "sh", tree, copy])

        def by_berth(name=name):
            engine.call("bank", "rm", "bench")
            engine.call("image", "prune", "--force")
            engine.call("bank", "create", "bench")
            bench.settle()
            return milliseconds(engine.command("image", "translate", "--bank", "bench", name))

        ours, theirs = f"translate, {what}", f"cp -a and sync, {what}"
        figures = interleaved([
            Contestant(f"cp -a, {what}", lambda: by_cp('exec cp -a "$1" "$2"')),
            Contestant(theirs, lambda: by_cp('cp -a "$1" "$2" && exec sync -f "$2"')),
            Contestant(ours, by_berth),
        ], min(bench.rounds, 5))
        bench.report.table("translate", figures, [theirs])
        bench.report.target(f"translate, as a multiple of cp -a and sync: {what}",
                            figures[ours].median / figures[theirs].median, 2.0)
    bench.remove(copy)
    bench.remove(engine.root)


def pull(bench):
    """an image of 300 MB gzip in five layers, from a registry on loopback, unpacked and ready."""
    measure_pull(bench)


def runtime(bench):
    """berth-runtime beside crun and runc on the same bundle."""
    measure_runtimes(bench)


def monitor(bench):
    """the memory of ten running monitors, beside conmon's."""
    measure_monitors(bench)


def network(bench):
    """a detached start with a published port, and how fast TCP is then; beside podman."""
    measure_networks(bench)


def log(bench):
    """how fast a detached container's output gets into its log, beside podman's."""
    measure_log(bench)


def execute(bench):
    """a further command in a running container, beside podman's."""
    measure_exec(bench)


def many(bench):
    """500 running containers: the last start beside the first, the monitors' memory, ps."""
    measure_many(bench)


def fleet(bench):
    """a fleet of 100,000 hosts and 1,000,000 projects, on paper: what collides, how long it takes."""
    directory = bench.work / "fleet"
    directory.mkdir()
    done = subprocess.run([bench.build / "bench/fleet", "--directory", directory, "--hosts", "100000",
                           "--projects", "1000000"], check=False, stdout=subprocess.PIPE)
    found = json.loads(done.stdout)
    for name, key, unit in (("cells, each with one range of assigned IDs", "cells", ""),
                            ("projects on hosts, replicas counted", "placements", ""),
                            ("projects on the fullest host", "fullest_host", ""),
                            ("all numbers given by the coordinators", "numbering_seconds", "s"),
                            ("all hosts' ledgers, on all processors", "hosts_seconds", "s"),
                            ("memory", "memory_mib", "MiB"),
                            ("collisions if names were hashed to numbers", "hash_collisions", "")):
        bench.report.value("fleet", name, found[key], unit)
    for what, count in found["collisions"].items():
        bench.report.target(f"collisions in a fleet: {what}", count, 0)


ALL = {"start": start, "growth": growth, "big-image": big_image, "chown": chown, "ledger": ledger, "volume": volume,
       "translate": translate, "pull": pull, "monitor": monitor, "runtime": runtime, "network": network,
       "log": log, "exec": execute, "many": many, "fleet": fleet}
