"""`berth run` on Debian 12's kernel, which has no descriptors for overlayfs' layers and no listing of mounts."""

import pathlib

from support.case import DEMO, BerthCase, main


class Run(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()

    def test_a_container(self):
        self.assertEqual(self.ok("run", "--rm", "--network=none", DEMO, "sh", "-c", "id -u; cat /proc/self/cgroup"),
                         "0\n0::/\n")
        self.assert_nothing_left()

    def test_it_has_ids_of_its_own_and_writes(self):
        text = self.ok("run", "--rm", "--network=none", DEMO, "sh", "-c",
                       "cat /proc/self/uid_map; echo x > /root/file && chown 33:33 /root/file && stat -c %u:%g /root/file")
        first = text.split()
        self.assertEqual(first[0], "0")
        self.assertGreaterEqual(int(first[1]), 0x80000)
        self.assertEqual(first[-1], "33:33")

    def test_its_status(self):
        self.assertEqual(self.berth("run", "--rm", "--network=none", DEMO, "sh", "-c", "exit 7").status, 7)

    def test_one_that_is_kept_and_started_again(self):
        self.ok("run", "--name", "web", "--network=none", DEMO, "touch", "/root/kept")
        self.assertIn("web", self.ok("ps", "--all"))
        self.ok("start", "--attach", "web")
        self.ok("rm", "web")
        self.assert_nothing_left()

    def test_the_kernel_is_the_one_that_is_meant(self):
        self.assertTrue(pathlib.Path("/proc/version").read_text().startswith("Linux version 6.1."))


main()
