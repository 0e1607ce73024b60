"""Networks as a person sees them: what there is, who is in it, with which address."""

import concurrent.futures
import ipaddress
import json
import os
import pathlib
import sqlite3
import subprocess

from support import leftovers
from support.case import BerthCase, DEMO, main
from support.interfaces import links, remove_links
from support.waiting import until


class NetworkCase(BerthCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(remove_links)
        self.load_demo()

    def sleeping(self, name, *flags):
        self.ok("run", "-d", "--name", name, *flags, DEMO, "sleep", "1000")
        return name

    def settings(self, name):
        return json.loads(self.ok("inspect", name))[0]["NetworkSettings"]

    def inside(self, *words, **options):
        """What a command in a container of its own says; the flags come first, then the image."""
        return self.ok("run", "--rm", *words, **options)

    def network(self, name, *flags):
        return json.loads(self.ok("network", "inspect", *flags, name))[0]

    def held(self):
        """The addresses that anybody has, by the store's own record."""
        database = sqlite3.connect(self.root / "berth.db")
        with database:
            rows = database.execute("SELECT address4 FROM network_attachments WHERE address4 IS NOT NULL").fetchall()
        database.close()
        return [row[0] for row in rows]


class TheDefault(NetworkCase):
    def test_it_is_a_bridge_unless_it_is_said_otherwise(self):
        words = ("run", "--rm", DEMO, "ip", "-o", "addr")
        self.assertIn("eth0", self.ok(*words, env={"BERTH_CONFIG": ""}))
        self.assertNotIn("eth0", self.ok(*words), "the tests' configuration says none")
        self.assertNotIn("eth0", self.ok("run", "--rm", "--network", "none", DEMO, "ip", "-o", "addr",
                                         env={"BERTH_CONFIG": ""}))

    def test_the_first_container_makes_it(self):
        self.assertEqual(self.ok("network", "ls", "-q"), "")
        got = self.inside("--network", "bridge", DEMO, "sh", "-c", "ip -o -4 addr show eth0; ip route")
        self.assertIn("10.86.0.2/16", got)
        self.assertIn("default via 10.86.0.1 dev eth0", got)
        self.assertEqual(self.ok("network", "ls", "-q"), "bridge\n")
        self.assertFalse(self.network("bridge")["dns_enabled"])
        self.fails(125, "network", "rm", "bridge", saying="stays")
        self.assertEqual(self.held(), [], "an address that was not given back")

    def test_it_keeps_out_of_the_way_of_the_hosts_routes(self):
        subprocess.run(["ip", "link", "add", "lan", "type", "bridge"], check=True)
        subprocess.run(["ip", "addr", "add", "10.86.7.1/24", "dev", "lan"], check=True)
        subprocess.run(["ip", "link", "set", "lan", "up"], check=True)
        self.inside("--network", "bridge", DEMO, "true")
        subnet = ipaddress.ip_network(self.network("bridge")["subnets"][0]["subnet"])
        self.assertFalse(subnet.overlaps(ipaddress.ip_network("10.86.7.0/24")))
        self.fails(125, "network", "create", "--subnet", "10.86.0.0/16", "web", saying="10.86.7.0/24")


class Networks(NetworkCase):
    def test_they_are_made_listed_and_removed(self):
        self.assertEqual(self.ok("network", "create", "--label", "tier=web", "web"), "web\n")
        self.ok("network", "create", "--subnet", "10.99.0.0/24", "--gateway", "10.99.0.254", "--ip-range",
                "10.99.0.128/26", "--ipv6", "--opt", "mtu=1400", "data")
        self.assertEqual(self.ok("network", "ls", "-q"), "data\nweb\n")
        self.assertEqual(self.ok("network", "ls", "-q", "--filter", "label=tier=web"), "web\n")
        self.assertEqual(self.ok("network", "ls", "--format", "{{.Name}} {{.IPv6Enabled}}"), "data true\nweb false\n")
        data = self.network("data")
        self.assertEqual(data["subnets"][0], {"subnet": "10.99.0.0/24", "gateway": "10.99.0.254", "lease_range":
                                              {"start_ip": "10.99.0.128", "end_ip": "10.99.0.191"}})
        self.assertTrue(ipaddress.ip_network(data["subnets"][1]["subnet"]).is_private)
        self.ok("network", "exists", "web")
        self.assertEqual(self.berth("network", "exists", "nosuch").status, 1)
        got = self.inside("--network", "data", DEMO, "ip", "addr", "show", "eth0")
        self.assertIn("10.99.0.128/24", got)
        self.assertIn("mtu 1400", got)
        self.assertIn("inet6 fd", got)
        self.assertEqual(self.ok("network", "rm", "web"), "web\n")
        self.assertEqual(self.ok("network", "prune", "--force"), "data\n")
        self.assertNotIn(data["network_interface"], links("type", "bridge"))

    def test_what_can_not_be_is_refused(self):
        for words, why in ((("none",), "something else"), (("a b",), "letters"), (("--subnet", "10.0.0.0", "web"), "PREFIX"),
                           (("--subnet", "10.0.0.0/31", "web"), "no room"), (("--subnet", "127.0.0.0/24", "web"), "can't"),
                           (("--subnet", "10.9.0.0/24", "--gateway", "10.8.0.1", "web"), "not in the subnet"),
                           (("--subnet", "10.9.0.0/24", "--subnet", "10.8.0.0/24", "web"), "at most"),
                           (("--opt", "mtu=1", "web"), "68"), (("--project", "nosuch", "web"), "no project")):
            with self.subTest(words=words):
                self.fails(125, "network", "create", *words, saying=why)
        self.ok("network", "create", "--subnet", "10.9.0.0/24", "web")
        self.fails(125, "network", "create", "web", saying="already")
        self.fails(125, "network", "create", "--subnet", "10.9.0.128/25", "x", saying="the network web, which has")
        self.fails(125, "run", "--rm", "--network", "wep", DEMO, "true", saying=["no network \"wep\"", "web"])

    def test_one_that_is_used_stays(self):
        self.ok("network", "create", "web")
        self.sleeping("one", "--network", "web")
        self.fails(2, "network", "rm", "web", saying=["is used by one"])
        self.assertEqual(self.ok("network", "prune", "--force"), "")
        self.ok("network", "rm", "--force", "web")
        self.assertEqual(self.ok("ps", "-aq"), "")

    def test_containers_of_one_reach_each_other_and_no_others(self):
        self.ok("network", "create", "one")
        self.ok("network", "create", "two")
        self.ok("run", "-d", "--name", "server", "--network", "one", DEMO, "sh", "-c",
                "while true; do echo hello | nc -l -p 80; done")
        address = self.settings("server")["IPAddress"]
        ask = ("sh", "-c", f"for i in 1 2 3 4 5; do nc -w 2 {address} 80 < /dev/null && exit; sleep 0.2; done; echo none")
        self.assertIn("hello", self.inside("--network", "one", DEMO, *ask))
        self.assertEqual(self.inside("--network", "two", DEMO, *ask), "none\n")
        self.ok("rm", "-f", "server")


class Addresses(NetworkCase):
    def test_fifty_at_once_get_different_ones(self):
        self.ok("network", "create", "--disable-dns", "--subnet", "10.99.0.0/24", "web")
        with concurrent.futures.ThreadPoolExecutor(8) as shells:
            got = list(shells.map(lambda i: self.berth("run", "-d", "--name", f"c{i}", "--network", "web", DEMO,
                                                       "sleep", "1000"), range(50)))
        self.assertEqual([one for one in got if one.status != 0], [])
        addresses = [self.settings(f"c{i}")["IPAddress"] for i in range(50)]
        self.assertEqual(len(set(addresses)), 50, addresses)
        self.ok("network", "rm", "-f", "web")
        self.assertEqual(self.held(), [])

    def test_a_full_network_says_who_holds_what(self):
        self.ok("network", "create", "--subnet", "10.99.0.0/29", "tiny")
        for i in range(5):
            self.sleeping(f"c{i}", "--network", "tiny")
        self.fails(125, "run", "--rm", "--network", "tiny", DEMO, "true",
                   saying=["10.99.0.1 to 10.99.0.6", "c0, c1, c2, c3, c4", "network inspect tiny"])
        self.ok("rm", "-f", "c2")
        self.assertIn("10.99.0.4", self.inside("--network", "tiny", DEMO, "ip", "addr"))
        self.ok("network", "rm", "-f", "tiny")

    def test_they_can_be_asked_for(self):
        self.ok("network", "create", "--ipv6", "--subnet", "10.99.0.0/24", "--subnet", "fd99::/64", "web")
        got = self.inside("--network", "web", "--ip", "10.99.0.77", "--ip6", "fd99::77", "--mac-address",
                          "02:00:5e:10:00:01", DEMO, "ip", "addr", "show", "eth0")
        for text in ("10.99.0.77/24", "fd99::77/64", "02:00:5e:10:00:01"):
            self.assertIn(text, got)
        self.sleeping("fixed", "--network", "web:ip=10.99.0.9,alias=nine")
        self.fails(125, "run", "--rm", "--network", "web", "--ip", "10.99.0.9", DEMO, "true",
                   saying=["10.99.0.9", "in use by container fixed"])
        self.fails(125, "run", "--rm", "--network", "web", "--ip", "10.98.0.9", DEMO, "true", saying="10.99.0.0/24")
        self.fails(125, "run", "--rm", "--network", "none", "--ip", "10.98.0.9", DEMO, "true", saying="no use")
        self.ok("network", "rm", "-f", "web")

    def test_whoever_is_killed_leaves_none_behind(self):
        for point in ("addresses-taken", "networks-recorded", "start-sent", "state-recorded", "container-started"):
            for flags in ((), ("--rm",)):
                with self.subTest(point=point, flags=flags):
                    self.berth("run", "--name", "job", *flags, "--network", "bridge", DEMO, "true",
                               env={"BERTH_FAULT": point})
                    leftovers.wait_until_gone(self._before)
                    self.ok("ps", "-a")
                    self.assertEqual(self.held(), [])
                    self.berth("rm", "-f", "job")

    def test_a_killed_monitor_leaves_none_behind(self):
        self.sleeping("job", "--network", "bridge", "-p", "8080:80")
        state = json.loads(self.ok("inspect", "job"))[0]["State"]
        os.kill(state["MonitorPid"], 9)
        until(lambda: not pathlib.Path(f"/proc/{state['MonitorPid']}").exists(), "the monitor ends")
        self.ok("ps", "-a")
        self.assertEqual(self.held(), [])
        self.ok("run", "--rm", "--network", "bridge", "-p", "8080:80", DEMO, "true")

    def test_a_lost_database_comes_back_with_networks(self):
        self.ok("network", "create", "--subnet", "10.99.0.0/24", "--internal", "web")
        self.sleeping("one", "--network", "web", "--network-alias", "uno")
        before = self.network("web")
        with open(self.root / "berth.db", "r+b") as file:
            file.truncate(100)
        for name in ("berth.db-wal", "berth.db-shm"):
            (self.root / name).unlink(missing_ok=True)
        self.ok("system", "repair", "--rebuild")
        self.assertEqual(self.network("web"), before, "the network, who is in it, and with which address")
        self.ok("network", "rm", "-f", "web")


class Changes(NetworkCase):
    def test_a_running_container_comes_and_goes(self):
        self.ok("network", "create", "--subnet", "10.99.0.0/24", "back")
        self.sleeping("web", "--network", "bridge")
        self.ok("network", "connect", "--ip", "10.99.0.7", "back", "web")
        self.assertEqual(self.settings("web")["Networks"]["back"]["IPAddress"], "10.99.0.7")
        self.assertIn("10.99.0.7/24", self.addresses("web"))
        self.fails(125, "network", "connect", "back", "web", saying="already")
        self.ok("network", "disconnect", "back", "web")
        self.assertNotIn("10.99.0.7", self.addresses("web"))
        self.fails(125, "network", "disconnect", "back", "web", saying="is not in the network")
        self.ok("network", "disconnect", "--force", "back", "web")
        self.ok("rm", "-f", "web")

    def addresses(self, name):
        pid = json.loads(self.ok("inspect", name))[0]["State"]["Pid"]
        return subprocess.run(["nsenter", "-t", str(pid), "-n", "ip", "addr"], check=True, text=True,
                              stdout=subprocess.PIPE).stdout

    def test_another_network_takes_the_place_of_the_one_with_the_way_out(self):
        for number, flags in ((1, ("--internal",)), (2, ()), (3, ("--ipv6", "--subnet", "fd99::/64"))):
            self.ok("network", "create", "--subnet", f"10.99.{number}.0/24", *flags, f"net{number}")
        self.sleeping("web", "--network", "net1")
        self.assertEqual(self.ways_out("web"), [])
        self.ok("network", "connect", "net2", "web")
        self.assertEqual(self.ways_out("web"), ["10.99.2.1"])
        self.ok("network", "connect", "net3", "web")
        self.assertEqual(self.ways_out("web"), ["10.99.2.1", "fd99::1"])
        self.ok("network", "disconnect", "net2", "web")
        self.assertEqual(self.ways_out("web"), ["10.99.3.1", "fd99::1"])
        self.ok("network", "disconnect", "net3", "web")
        self.assertEqual(self.ways_out("web"), [])
        self.ok("rm", "-f", "web")

    def ways_out(self, name):
        """The gateways of the default routes that a container has."""
        pid = json.loads(self.ok("inspect", name))[0]["State"]["Pid"]
        found = []
        for family in ("-4", "-6"):
            listed = subprocess.run(["nsenter", "-t", str(pid), "-n", "ip", "-json", family, "route", "show", "default"], check=True,
                                    text=True, stdout=subprocess.PIPE).stdout
            found += [route["gateway"] for route in json.loads(listed or "[]")]
        return found

    def test_a_stopped_container_is_there_at_the_next_start(self):
        self.ok("network", "create", "--subnet", "10.99.0.0/24", "back")
        self.ok("create", "--name", "job", "--network", "bridge", DEMO, "ip", "addr")
        self.ok("network", "connect", "back", "job")
        got = self.ok("start", "-a", "job")
        self.assertIn("10.86.", got)
        self.assertIn("10.99.0.2/24", got)
        self.ok("network", "disconnect", "bridge", "job")
        self.assertNotIn("10.86.", self.ok("start", "-a", "job"))
        self.ok("create", "--name", "alone", "--network", "none", DEMO, "true")
        self.fails(125, "network", "connect", "back", "alone", saying="--network none")


class Sharing(NetworkCase):
    def test_a_network_of_another_container_needs_its_ids(self):
        self.sleeping("web", "--network", "bridge")
        self.fails(125, "run", "--rm", "--network", "container:web", DEMO, "true",
                   saying=["don't have the same user IDs", "--userns container:web"])
        flags = ("--network", "container:web", "--userns", "container:web")
        self.assertIn(self.settings("web")["IPAddress"], self.inside(*flags, DEMO, "ip", "addr"))
        self.assertIn("host.containers.internal", self.inside(*flags, DEMO, "cat", "/etc/hosts"))
        self.fails(125, "run", "--rm", *flags, "-p", "80", DEMO, "true", saying="no use")
        self.ok("rm", "-f", "web")
        self.fails(125, "run", "--rm", "--network", "container:web", DEMO, "true", saying="no container")

    def test_projects_do_not_see_each_others(self):
        for project in ("shop", "blog"):
            self.ok("project", "create", project)
        self.ok("network", "create", "--project", "shop", "front")
        self.ok("network", "create", "common")
        run = ("run", "--rm", "--project")
        self.ok(*run, "shop", "--network", "front", DEMO, "true")
        self.fails(125, *run, "blog", "--network", "front", DEMO, "true", saying="no network \"front\" in project blog")
        self.fails(125, "run", "--rm", "--network", "front", DEMO, "true", saying="no network")
        self.fails(125, *run, "shop", "--network", "common", DEMO, "true", saying="no network \"common\"")
        self.assertEqual(self.ok("network", "ls", "-q", "--project", "blog"), "")
        self.assertEqual(self.berth("network", "exists", "--project", "blog", "front").status, 1)
        self.ok(*run, "shop", "--network", "bridge", DEMO, "true")
        self.ok(*run, "blog", "--network", "bridge", DEMO, "true")
        subnets = {self.network("bridge", "--project", name)["subnets"][0]["subnet"] for name in ("shop", "blog")}
        self.assertEqual(len(subnets), 2, "each has a bridge of its own")
        path = self.work / "shared.toml"
        path.write_text('[policy]\nshared-networks = ["common"]\n')
        self.fails(125, *run, "shop", "--network", "common", DEMO, "true", env={"BERTH_CONFIG": str(path)},
                   saying="shared-networks would loosen")
        self.ok("project", "rm", "shop")
        self.assertNotIn("front", self.ok("network", "ls", "-q"))


if __name__ == "__main__":
    main()
