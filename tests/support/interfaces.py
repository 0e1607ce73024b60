"""The network interfaces of the network namespace that the tests of a file share."""

import json

from support.case import run
from support.waiting import until


def links(*kind):
    """Names of the interfaces that are there; with `"type", KIND` of those alone."""
    # /sys/class/net would be that of whoever mounted it.
    done = run("ip", "-json", "link", "show", *kind)
    if done.status != 0:
        raise AssertionError(f"the interfaces can't be listed: {done}")
    return {link["ifname"] for link in json.loads(done.stdout or "[]") if "ifname" in link}


def remove_links():
    """
    All but the loopback interface. Bridges outlive a store that is thrown away, and the next test's may have the same
    addresses; some go by themselves meanwhile, with a network namespace that the kernel takes apart.
    """
    def gone():
        for link in links() - {"lo"}:
            run("ip", "link", "delete", link)
        return links() <= {"lo"}
    until(gone, lambda: f"interfaces are left: {links()}")
