"""Templates of --format: what scripts written for Docker and podman ask."""

import json

from support.case import DEMO, main
from support.detached import Detached


class Formats(Detached):
    def inspected(self, template, name="job"):
        return self.ok("inspect", "--format", template, name)

    def test_inspect(self):
        self.detached("-l", "team=shop", "-l", "com.example/tier=front", "-e", "A=1", DEMO, "sleep", "1000")
        self.assertEqual(self.inspected("{{range $k,$v := .Config.Labels}}{{$k}}={{$v}} {{end}}"),
                         "com.example/tier=front team=shop \n")
        self.assertEqual(self.inspected('{{index .Config.Labels "com.example/tier"}}'), "front\n")
        self.assertEqual(self.inspected('{{index .Config.Labels "missing"}}'), "\n")
        self.assertEqual(self.inspected("{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"), "\n")
        self.assertEqual(self.inspected("{{if .State.Running}}up{{else}}down{{end}} {{with .State.Health}}{{.Status}}"
                                        "{{else}}unchecked{{end}}"), "up unchecked\n")
        self.assertEqual(self.inspected('{{range .Config.Env}}{{println .}}{{end}}').split()[-1], "A=1")
        self.assertEqual(json.loads(self.inspected("{{json .Config.Labels}}")),
                         {"team": "shop", "com.example/tier": "front"})
        self.assertEqual(self.inspected('{{printf "%-6s|%d" .Name .RestartCount}}'), "job   |0\n")
        self.assertEqual(self.inspected('{{slice .Id 0 12}}'), self.inspected("{{.ID}}")[:12] + "\n")

    def test_tables_and_lists(self):
        self.detached("-l", "team=shop", DEMO, "sleep", "1000")
        lines = self.ok("ps", "--format", "table {{.Names}}: {{upper .State}}\\t{{.Image}}").splitlines()
        self.assertEqual([line.split("  ")[0] for line in lines], ["NAMES: STATE", "job: RUNNING"])
        self.assertEqual(self.ok("ps", "--format", '{{if eq .State "running"}}{{.Names}}{{end}}'), "job\n")
        self.ok("volume", "create", "-l", "a=b", "data")
        self.assertEqual(self.ok("volume", "ls", "--format", "{{range $k, $v := .Labels}}{{$k}}:{{$v}}{{end}}"), "a:b\n")

    def test_a_network(self):
        self.ok("network", "create", "--subnet", "10.89.7.0/24", "web")
        for template in ("{{range .Subnets}}{{.Subnet}}{{end}} {{.IPv6Enabled}}", "{{(index .subnets 0).subnet}} {{.ipv6_enabled}}"):
            self.assertEqual(self.ok("network", "inspect", "--format", template, "web"), "10.89.7.0/24 false\n")
        self.assertEqual(self.ok("network", "inspect", "-f", "{{range .Containers}}{{.Name}}{{else}}nobody{{end}}", "web"), "nobody\n")

    def test_version_and_info(self):
        version = self.ok("version").split()[-1]
        self.assertEqual(self.ok("version", "--format", "{{.Server.Version}} {{.Client.Version}} {{.Version}}"),
                         f"{version} {version} {version}\n")
        self.assertEqual(json.loads(self.ok("version", "--format", "json"))["Version"], version)
        self.assertEqual(self.ok("info", "-f", "{{.containers}} {{gt .banks.total .banks.held}}"), "0 true\n")

    def test_what_is_wrong_is_said_with_its_place(self):
        self.sleeping()
        self.fails(125, "inspect", "-f", "{{.State.Stats}}", "job",
                   saying=["--format, character 9: there is no field .Stats", "Did you mean .Status?"])
        self.fails(125, "ps", "--format", "{{range .Names}}", saying="{{range}} without its {{end}}")
        self.fails(125, "ps", "--format", "{{bogus .Names}}", saying="there is no function bogus")
        self.assertNotIn("\x1b", self.fails(125, "ps", "--format", "{{\x1b[31m}}").stderr)
        self.assertNotIn("\x1b", self.ok("ps", "--format", '{{"\\x1b[31m"}}'))


if __name__ == "__main__":
    main()
