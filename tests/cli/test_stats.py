"""What containers use, as `berth stats` shows it."""

import json
import re
import subprocess

from support.case import DEMO, BerthCase, main
from support.waiting import until


class Stats(BerthCase):
    def setUp(self):
        super().setUp()
        self.load_demo()
        self.ok("run", "-d", "--name", "job", "-m", "64m", DEMO, "sh", "-c", "sleep 1000 & while :; do :; done")
        self.addCleanup(self.berth, "rm", "-f", "job")

    def row(self):
        (row,) = json.loads(self.ok("stats", "--no-stream", "--format", "json", "job"))
        return row

    def test_the_table(self):
        heading, line = self.ok("stats", "--no-stream").splitlines()
        self.assertEqual(re.split("  +", heading), ["ID", "NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET IO", "BLOCK IO",
                                                    "PIDS", "CPU TIME", "AVG CPU %"])
        values = re.split("  +", line)
        self.assertEqual(values[1], "job")
        self.assertRegex(values[2], r"^\d+\.\d\d%$")
        self.assertRegex(values[3], r"^[\d.]+[kM]B / 67\.11MB$")
        self.assertRegex(values[7], r"^\d+$")

    def test_the_processor_is_used(self):
        until(lambda: float(self.row()["cpu_time"].rstrip("s")) > 0.05, "some use of the processor")
        row = self.row()
        self.assertGreater(float(row["cpu_percent"].rstrip("%")), 0)
        self.assertEqual(row["name"], "job")
        self.assertGreaterEqual(int(row["pids"]), 2)

    def test_templates(self):
        self.assertRegex(self.ok("stats", "--no-stream", "--format", "{{.Name}} {{.PIDS}}"), r"^job \d+\n$")

    def test_one_after_another(self):
        process = self.start("stats", "--interval", "1", "--format", "{{.Name}} {{.CPUPerc}}", stdout=subprocess.PIPE)
        for _ in range(2):
            self.assertRegex(process.stdout.readline().decode(), r"^job [\d.]+%\n$")

    def test_those_that_do_not_run(self):
        self.ok("create", "--name", "new", DEMO, "true")
        self.assertNotIn("new", self.ok("stats", "--no-stream"))
        self.assertRegex(self.ok("stats", "--no-stream", "--all"), r"(?m)^\w+ +new +-- ")
        self.fails(125, "stats", "--no-stream", "new", saying="container new is not running")
        self.fails(125, "stats", "--no-stream", "nobody", saying='there is no container "nobody"')


if __name__ == "__main__":
    main()
