"""What the kernel alone takes for a container: bench/floor.cc."""

import itertools
import json
import subprocess

from berth_bench.measure import Contestant

FLOOR = "floor (all namespaces, overlay, exec, wait)"
_numbers = itertools.count()


def floor(bench):
    state = bench.work / f"floor-{next(_numbers)}"
    state.mkdir()
    command = [bench.build / "bench/floor", "--layer", bench.layer, "--state", state, "--runs", "1"]
    return Contestant(FLOOR, lambda: json.loads(
        subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["median_ms"])
