"""Pulling a large image from a registry on loopback, with berth and with podman."""

import json
import subprocess

from support.registry import Registry

from berth_bench import images
from berth_bench.measure import Contestant, interleaved, milliseconds_and_peak

LAYERS = 5
UNPACKED = 712 << 20  # bytes in all: about 300 MB as gzip, of what a Debian 12 has in /usr
ROUNDS = 3
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
SHARE = 0.35
PEAK_MB = 100


def push_image(bench, registry):
    """Puts the image into the registry as gzip layers and gives its size there in bytes."""
    layers = []
    files = images.host_files()
    for number in range(LAYERS):
        path = bench.work / f"layer{number}.tar"
        images.write_real_layer(path, files, UNPACKED // LAYERS)
        layers.append(path)
    layout = bench.work / "layout"
    image = f"{layout}:big"
    subprocess.run(["umoci", "init", "--layout", layout], check=True)
    subprocess.run(["umoci", "new", "--image", image], check=True)
    for path in layers:
        subprocess.run(["umoci", "raw", "add-layer", "--image", image, path], check=True)
        path.unlink()
    registry.copy_in(f"oci:{image}", "big:latest", "--format", "v2s2")
    bench.remove(layout)
    manifest = json.loads(registry.get("/v2/big/manifests/latest", MANIFEST))
    return sum(layer["size"] for layer in manifest["layers"])


def measure_pull(bench):
    with Registry(bench.work / "registry") as registry:
        size = push_image(bench, registry)
        bench.report.value("pull", f"the image, {LAYERS} gzip layers", size / 1e6, "MB")
        name = registry.reference("big:latest")
        engine = bench.new_engine()
        engine.call("images")
        podman = bench.podman
        peaks = {"berth": [], "podman": []}

        def pull(who, command, forget, env=None):
            bench.settle()
            took, peak = milliseconds_and_peak(command, env)
            peaks[who].append(peak)
            forget()
            return took

        figures = interleaved([
            Contestant("berth pull", lambda: pull(
                "berth", engine.command("pull", name), lambda: engine.call("rmi", name))),
            Contestant("podman pull", lambda: pull(
                "podman", podman.command("pull", "--quiet", "--tls-verify=false", name),
                lambda: podman.call("rmi", name), podman.env)),
        ], ROUNDS, warm_up=False)
        bench.report.table("pull", figures, ["podman pull"])
        for who, values in peaks.items():
            bench.report.value("pull", f"{who} pull, peak memory", max(values), "MB")
        bench.report.target("berth pull, as a part of podman pull",
                            figures["berth pull"].median / figures["podman pull"].median, SHARE)
        bench.report.target("berth pull, peak memory", max(peaks["berth"]), PEAK_MB, " MB")
        bench.remove(engine.root)
