"""The frame of tests of containers in networks: a host with somebody outside, and an image that talks."""

import json
import subprocess

from support import images
from support.case import ATTACK_PROGRAMS, run
from support.detached import Detached
from support.images import archive
from support.interfaces import links, remove_links
from support.waiting import until

PEER = "localhost/peer:latest"
HOST, OUTSIDE = "192.0.2.1", "192.0.2.2"
HOST6, OUTSIDE6 = "2001:db8::1", "2001:db8::2"
SERVE = ("peer", "serve", "tcp", "0.0.0.0", "80")


def tables():
    listed = json.loads(run("nft", "-j", "list", "tables").stdout)["nftables"]
    return [entry["table"]["name"] for entry in listed if "table" in entry]


def elements():
    """Of all sets and maps: those that containers have, by the comment with the container's ID."""
    found = []
    for table in tables():
        for entry in json.loads(run("nft", "-j", "list", "table", "inet", table).stdout)["nftables"]:
            held = entry.get("set") or entry.get("map") or {}
            for element in held.get("elem", []):
                text = json.dumps(element)
                if '"comment"' in text:
                    found.append((held["name"], text))
    return found


class Networked(Detached):
    def setUp(self):
        super().setUp()
        images.load(self, "peer", [*images.busybox_entries(), archive.file(
            "bin/peer", (ATTACK_PROGRAMS / "net_peer").read_bytes(), mode=0o755)])
        self.outside = subprocess.Popen(["unshare", "-n", "sleep", "1000"])
        self.addCleanup(self.outside.wait)
        self.addCleanup(self.outside.kill)
        self._before.processes[self.outside.pid] = "outside"
        self.connect_outside()

    def connect_outside(self):
        def named():
            return run("nsenter", "-n", "-t", self.outside.pid, "true").status == 0 and not any(
                name.startswith("up0") for name in json.dumps(run(*self.there("ip", "link")).stdout).split())
        until(named, "a network namespace outside")
        for command in (f"ip link add up0 type veth peer name up0 netns {self.outside.pid}",
                        f"ip addr add {HOST}/24 dev up0", f"ip addr add {HOST6}/64 dev up0 nodad", "ip link set up0 up"):
            self.assertEqual(run(*command.split()).status, 0, command)
        for command in ("ip link set lo up", f"ip addr add {OUTSIDE}/24 dev up0",
                        f"ip addr add {OUTSIDE6}/64 dev up0 nodad", "ip link set up0 up"):
            self.assertEqual(run(*self.there(*command.split())).status, 0, command)

    def there(self, *words):
        return ["nsenter", "-n", "-t", str(self.outside.pid), *words]

    def end_all(self):
        """The namespace is that of all tests of a file."""
        super().end_all()
        for table in tables():
            run("nft", "delete", "table", "inet", table)
        remove_links()

    def serving(self, *flags, command=SERVE, name="web"):
        """A container that answers; gives its ID once it is ready."""
        container = self.detached(*flags, PEER, *command, name=name)
        until(lambda: "ready" in self.berth("logs", name).stdout, f"{name} is ready")
        return container

    def ask(self, address, port, protocol="tcp"):
        """From the host: the answer, which is as whom the service saw it; None if there is none."""
        return self._answer(run(ATTACK_PROGRAMS / "net_peer", "ask", protocol, address, port))

    def ask_from_outside(self, address, port, protocol="tcp"):
        return self._answer(run(*self.there(ATTACK_PROGRAMS / "net_peer", "ask", protocol, address, port)))

    def ask_from(self, flags, address, port, protocol="tcp"):
        """From a new container with these flags."""
        return self._answer(self.berth("run", "--rm", *flags, PEER, "peer", "ask", protocol, address, port))

    def ask_in(self, name, address, port, protocol="tcp"):
        """From the network namespace of a container that runs."""
        return self._answer(run("nsenter", "-n", "-t", self.state(name)["Pid"], ATTACK_PROGRAMS / "net_peer", "ask", protocol,
                                address, port))

    @staticmethod
    def _answer(done):
        return done.stdout.strip() if done.status == 0 else None

    def assert_no_traces(self):
        """No container's interface or element is left, some time after the last has ended."""
        until(lambda: not any(link.startswith("veth") for link in links()), lambda: f"interfaces are left: {links()}")
        self.assertEqual(elements(), [])
