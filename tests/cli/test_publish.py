"""Published ports, and what goes between a container's network and the others: from outside, from the host, from containers."""

import concurrent.futures
import json
import os
import pathlib
import signal
import socket
import sqlite3
import subprocess

from support import leftovers
from support.case import ATTACK_PROGRAMS, main, run
from support.networked import HOST, OUTSIDE, PEER, SERVE, Networked, elements, links, tables
from support.waiting import until


class Publish(Networked):
    def test_a_port_is_reached_from_everywhere(self):
        self.serving("-p", "8080:80")
        self.assertEqual(self.ask_from_outside(HOST, 8080), OUTSIDE, "the client's own address is seen")
        self.assertIsNotNone(self.ask("127.0.0.1", 8080))
        self.assertIsNotNone(self.ask(HOST, 8080))
        self.assertIsNotNone(self.ask_from(("--network", "bridge"), HOST, 8080))
        self.assertIsNotNone(self.ask_in("web", HOST, 8080), "itself")

    def test_udp(self):
        self.serving("-p", "5353:53/udp", command=("peer", "serve", "udp", "0.0.0.0", "53"))
        self.assertEqual(self.ask_from_outside(HOST, 5353, "udp"), OUTSIDE)
        self.assertIsNotNone(self.ask("127.0.0.1", 5353, "udp"))
        self.assertIsNone(self.ask("127.0.0.1", 5353, "tcp"))

    def test_a_loopback_port_is_the_hosts_alone(self):
        self.serving("-p", "127.0.0.1:8080:80")
        self.assertIsNotNone(self.ask("127.0.0.1", 8080))
        self.assertIsNone(self.ask(HOST, 8080))
        self.assertIsNone(self.ask_from_outside(HOST, 8080))
        self.assertIsNone(self.ask_from(("--network", "bridge"), HOST, 8080))

    def test_a_range(self):
        self.serving("-p", "8000-8010:75-85")
        self.assertIsNotNone(self.ask_from_outside(HOST, 8005))
        self.assertIsNone(self.ask_from_outside(HOST, 8004))

    def test_what_is_not_published_is_not_reached(self):
        container = self.serving("--network", "bridge")
        address = self.address_of(container)
        self.assertIsNotNone(self.ask(address, 80), "by the host itself")
        run(*self.there("ip", "route", "add", f"{address}/32", "via", HOST))
        self.assertIsNone(self.ask_from_outside(address, 80))

    def address_of(self, container):
        """Of its first interface, in its network namespace."""
        listed = run("nsenter", "-n", "-t", self.state(container)["Pid"], "ip", "-json", "-4", "addr", "show", "dev", "eth0")
        return json.loads(listed.stdout)[0]["addr_info"][0]["local"]

    def test_containers_go_out_as_the_host(self):
        self.start_outside()
        self.assertEqual(self.ask_from(("--network", "bridge"), OUTSIDE, 80), HOST)
        self.assertIsNone(self.ask_from(("--network", "none"), OUTSIDE, 80))

    def start_outside(self):
        process = subprocess.Popen(self.there(ATTACK_PROGRAMS / "net_peer", "serve", "tcp", "0.0.0.0", "80"),
                                   stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), b"ready\n")

    def test_a_user_without_rights_serves_port_80_and_pings(self):
        self.serving("-u", "10000", "-p", "8080:80")
        self.assertIsNotNone(self.ask_from_outside(HOST, 8080))
        for network in ("bridge", "none"):
            self.assertEqual(self.ok("run", "--rm", "--network", network, "-u", "10000:10000", PEER, "peer", "ping", "127.0.0.1"),
                             "alive\n")
        self.assertEqual(self.ok("run", "--rm", "--network", "bridge", "-u", "10000", PEER, "peer", "ping", HOST), "alive\n")

    def test_a_port_that_is_taken(self):
        self.serving("-p", "8080:80")
        with socket.create_server((HOST, 9090)):
            self.fails(125, "run", "--rm", "-p", "9090:80", PEER, "true", saying=["9090", "in use"])
        with self.assertRaises(OSError):
            socket.create_server(("0.0.0.0", 8080)).close()
        self.ok("rm", "-f", "web")
        self.assert_no_traces()
        socket.create_server(("0.0.0.0", 8080)).close()

    def test_a_restart_keeps_working(self):
        self.serving("-p", "8080:80")
        for _ in range(3):
            self.end("web")
            self.assertIsNone(self.ask("127.0.0.1", 8080))
            self.ok("start", "web")
            until(lambda: self.ask_from_outside(HOST, 8080), "it is reached again")

    def end(self, name):
        os.kill(self.state(name)["Pid"], signal.SIGKILL)
        self.until_ended(name)

    def test_it_is_told_that_the_host_forwards_now(self):
        pathlib.Path("/proc/sys/net/ipv4/ip_forward").write_text("0")
        done = self.berth("run", "--rm", "--network", "bridge", PEER, "true")
        self.assertIn("net.ipv4.ip_forward=1", done.stderr)
        self.assertNotIn("ip_forward", self.berth("run", "--rm", "--network", "bridge", PEER, "true").stderr)


    def test_a_network_that_it_was_connected_to_meanwhile_is_given_up_too(self):
        self.ok("network", "create", "other")
        self.serving("-p", "8080:80")
        self.ok("network", "connect", "other", "web")
        self.assertIsNotNone(self.ask_from(("--network", "other"), HOST, 8080))
        self.end("web")
        self.assert_no_traces()

    def test_who_shares_its_network_loses_it_with_it(self):
        """Its addresses are another container's soon."""
        self.serving("-p", "8080:80")
        self.detached("--network", "container:web", "--userns", "container:web", PEER, "sleep", "1000", name="guest")
        guest = self.state("guest")["Pid"]
        self.assertEqual(run("nsenter", "-n", "-t", guest, "ip", "link", "show", "eth0").status, 0)
        self.end("web")
        self.assertNotEqual(run("nsenter", "-n", "-t", guest, "ip", "link", "show", "eth0").status, 0)


class Damage(Networked):
    def test_flushed_rules_are_repaired_by_the_next_command(self):
        self.serving("-p", "8080:80")
        self.serving("-p", "127.0.0.1:8081:80", name="other")
        before = sorted(elements())
        for damage in ("flush ruleset", f"flush table inet {tables()[0]}", f"delete table inet {tables()[0]}"):
            done = run("nft", *damage.split())
            self.assertEqual(done.status, 0, done)
            self.assertIsNone(self.ask_from_outside(HOST, 8080))
            self.ok("ps")
            self.assertEqual(sorted(elements()), before, damage)
            self.assertEqual(self.ask_from_outside(HOST, 8080), OUTSIDE)
            self.assertIsNotNone(self.ask("127.0.0.1", 8081))
            self.assertIsNone(self.ask(HOST, 8081))

    def test_and_by_the_next_start(self):
        self.serving("-p", "8080:80")
        run("nft", "flush", "ruleset")
        self.serving("-p", "8081:80", name="other")
        self.assertIsNotNone(self.ask_from_outside(HOST, 8080))
        self.assertIsNotNone(self.ask_from_outside(HOST, 8081))

    def test_a_killed_monitor_leaves_nothing_after_the_next_command(self):
        self.serving("-p", "8080:80")
        self.kill_monitor("web")
        self.ok("ps", "-a")
        self.assert_no_traces()
        self.serving("-p", "8080:80", name="next")
        self.assertIsNotNone(self.ask_from_outside(HOST, 8080))

    def kill_monitor(self, name):
        monitor = pathlib.Path("/proc", str(self.state(name)["MonitorPid"]))
        os.kill(int(monitor.name), signal.SIGKILL)
        until(lambda: not monitor.exists(), "the monitor is gone")

    def test_killed_at_every_step(self):
        """Somebody was before it, so that there is a table; then somebody has flushed it."""
        for point in ("networks-recorded", "pair-made", "interfaces-made", "ports-published", "rules-made"):
            with self.subTest(point=point):
                if point == "rules-made":
                    run("nft", "flush", "ruleset")
                done = self.berth("run", "--rm", "-p", "8080:80", PEER, "true", env={"BERTH_FAULT": point})
                self.assertNotEqual(done.status, 0, done)
                leftovers.wait_until_gone(self._before)
                self.ok("system", "repair")
                self.assert_no_traces()
                self.assert_nothing_left()
                self.serving("--rm", "-p", "8080:80")
                self.assertIsNotNone(self.ask("127.0.0.1", 8080))
                self.ok("rm", "-f", "web")

    def test_killed_while_it_tidies_up(self):
        self.serving("-p", "8080:80")
        self.kill_monitor("web")
        self.berth("ps", "-a", env={"BERTH_FAULT": "networks-taken-away"})
        self.ok("ps", "-a")
        self.assert_no_traces()

    def test_what_was_published_by_a_start_that_was_killed_as_a_whole(self):
        """Its command and its monitor, before the container was on record as one that runs."""
        container = self.serving("-p", "8080:80")
        self.kill_monitor("web")
        (self.runroot / "containers" / container / "state").unlink()
        with sqlite3.connect(self.root / "berth.db") as database:
            database.execute("UPDATE containers SET state = 'created', started_at = NULL")
        database.close()
        self.ok("start", "web")
        self.ok("rm", "-f", "web")
        self.assert_no_traces()

    def test_a_bridge_that_somebody_has_removed(self):
        self.ok("run", "--rm", "--network", "bridge", PEER, "true")
        [bridge] = [link for link in links() if link not in ("lo", "up0") and not link.startswith("veth")]
        run("ip", "link", "delete", bridge)
        self.serving("-p", "8080:80")
        self.assertIsNotNone(self.ask_from_outside(HOST, 8080))


class Many(Networked):
    COUNT = 100

    def test_a_hundred_at_once(self):
        """From eight shells; each is reached, and none leaves anything."""
        def one(number):
            return self.berth("run", "-d", "--name", f"c{number}", "-p", f"{9000 + number}:80", PEER, *SERVE)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for done in pool.map(one, range(self.COUNT)):
                self.assertEqual(done.status, 0, done)
            answers = list(pool.map(lambda number: self.ask_from_outside(HOST, 9000 + number), range(self.COUNT)))
        self.assertEqual(answers, [OUTSIDE] * self.COUNT)
        members = [text for name, text in elements() if name == "members4"]
        self.assertEqual(len({json.loads(text)["elem"]["val"]["concat"][1] for text in members}), self.COUNT)
        self.ok("rm", "-fa")
        self.assert_no_traces()


if __name__ == "__main__":
    main()
