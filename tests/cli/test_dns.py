"""Names between containers, /etc/hosts and /etc/resolv.conf."""

import json
import os
import pathlib

from support import leftovers
from support.case import BerthCase, DEMO, main
from support.interfaces import remove_links
from support.waiting import until


class Names(BerthCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(remove_links)
        self.load_demo()
        self.ok("network", "create", "--subnet", "10.99.0.0/24", "web")
        self.addCleanup(self.remove_network)

    def remove_network(self):
        self.ok("network", "rm", "-f", "web")
        self.until_no_server()

    def until_no_server(self):
        until(lambda: self.server() is None, "the name server ends")

    def server(self):
        """
        The PID of the name server; None where none runs. One that has been told to end still has the gateway's port for a
        while, which the next test's needs.
        """
        running = [pid for pid, text in leftovers.processes().items() if "aardvark-dns" in text and "(Z)" not in text]
        return running[0] if running else None

    def sleeping(self, name, *flags):
        self.ok("run", "-d", "--name", name, "--network", "web", *flags, DEMO, "sleep", "1000")
        return json.loads(self.ok("inspect", name))[0]["NetworkSettings"]["IPAddress"]

    def lookup(self, name, network="web"):
        """The answer to a container of the network; empty where there is none."""
        done = self.berth("run", "--rm", "--network", network, DEMO, "nslookup", name)
        return [line.split()[-1] for line in done.stdout.splitlines()[2:] if line.startswith("Address")]

    def test_names_and_aliases_come_and_go(self):
        address = self.sleeping("db", "--network-alias", "store", "--hostname", "dbhost")
        for name in ("db", "store", "dbhost"):
            self.assertEqual(self.lookup(name), [address], name)
        self.assertEqual(self.lookup("nosuch"), [])
        self.ok("network", "create", "other")
        self.assertEqual(self.lookup("db", "other"), [], "another network's names are none of its own")
        self.ok("network", "connect", "--alias", "back", "other", "db")
        self.assertEqual(len(self.lookup("back", "other")), 1)
        self.ok("rm", "-f", "db")
        self.assertEqual(self.lookup("db"), [])
        self.ok("network", "rm", "other")

    def test_names_of_a_killed_container_go_with_the_next_command(self):
        self.sleeping("db")
        state = json.loads(self.ok("inspect", "db"))[0]["State"]
        os.kill(state["MonitorPid"], 9)
        until(lambda: not pathlib.Path(f"/proc/{state['MonitorPid']}").exists(), "the monitor ends")
        self.ok("ps")
        self.assertEqual(self.lookup("db"), [])

    def test_a_dead_server_comes_back_with_the_next_start(self):
        address = self.sleeping("db")
        os.kill(self.server(), 9)
        self.until_no_server()
        self.assertEqual(self.lookup("db"), [address])
        self.assertIsNotNone(self.server())

    def test_what_a_killed_command_left_half_written_does_not_stop_it(self):
        done = self.berth("run", "-d", "--name", "db", "--network", "web", DEMO, "sleep", "1000",
                          env={"BERTH_FAULT": "names-written"})
        self.assertEqual(done.status, 137, done)
        (self.runroot / "names" / "networks" / "junk").write_text("no address\n")
        self.berth("rm", "-f", "db")
        address = self.sleeping("db")
        self.assertEqual(self.lookup("db"), [address])

    def test_the_server_ends_with_the_last_container(self):
        self.sleeping("db")
        self.assertIsNotNone(self.server())
        self.ok("rm", "-f", "db")
        self.until_no_server()

    def test_the_gateway_is_asked_first(self):
        got = self.ok("run", "--rm", "--network", "web", DEMO, "cat", "/etc/resolv.conf")
        self.assertIn("nameserver 10.99.0.1\n", got)


class Files(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()

    def cat(self, path, *flags):
        return self.ok("run", "--rm", *flags, DEMO, "cat", path)

    def test_hosts(self):
        got = self.cat("/etc/hosts", "--network", "bridge", "--name", "web", "--hostname", "box", "--add-host",
                       "db:10.1.2.3", "--add-host", "gate;way:host-gateway")
        for line in ("127.0.0.1\tlocalhost", "10.86.0.1\thost.containers.internal host.docker.internal",
                     "10.86.0.2\tbox web", "10.1.2.3\tdb", "10.86.0.1\tgate", "10.86.0.1\tway"):
            self.assertIn(line, got.splitlines())
        self.assertNotIn("host.containers.internal", self.cat("/etc/hosts"))
        self.assertIn("fd00::1\tsix", self.cat("/etc/hosts", "--add-host", "six:[fd00::1]"))
        self.fails(125, "run", "--rm", "--add-host", "a:host-gateway", DEMO, "true", saying="does not reach the host")

    def test_no_hosts_leaves_the_images(self):
        self.assertNotIn("localhost", self.ok("run", "--rm", "--no-hosts", DEMO, "sh", "-c", "cat /etc/hosts || true"))
        self.fails(125, "run", "--rm", "--no-hosts", "--add-host", "a:1.2.3.4", DEMO, "true", saying="no use")

    def test_resolv_conf(self):
        got = self.cat("/etc/resolv.conf", "--network", "bridge", "--dns", "10.1.2.3", "--dns", "10.1.2.4",
                       "--dns-search", "example.com", "--dns-option", "ndots:2")
        self.assertEqual(got, "search example.com\nnameserver 10.1.2.3\nnameserver 10.1.2.4\noptions ndots:2\n")
        self.assertEqual(self.cat("/etc/resolv.conf"), "", "nobody to ask without a network")
        for flag, value in (("--dns", "nosuch"), ("--dns-search", "a b"), ("--dns-option", "a b")):
            self.fails(125, "run", "--rm", flag, value, DEMO, "true", saying=[flag])


if __name__ == "__main__":
    main()
