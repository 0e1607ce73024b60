"""What tests of container engines with berth-runtime have in common."""

import subprocess


class EngineClient:
    """Runs the engine's client; for a test class that says `client`, its first words, and `env`."""

    @classmethod
    def call(cls, *words, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run([*cls.client, *map(str, words)], env=cls.env, check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, **options)

    @classmethod
    def ok(cls, *words, **options):
        done = cls.call(*words, **options)
        if done.returncode != 0:
            raise AssertionError(f"{cls.client[0]} {words}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout


class DockerClient(EngineClient):
    """A client that takes docker's words; the test class says `image`, too."""

    def run_in(self, *words, **options):
        return self.call("run", "--rm", "--network=none", *words, **options)

    def shell(self, script, *flags):
        done = self.run_in(*flags, self.image, "sh", "-c", script)
        self.assertEqual(done.returncode, 0, done)
        return done.stdout


class EngineCase(DockerClient):
    """What is asked of every engine of that kind."""

    def test_a_command_and_its_status(self):
        self.assertEqual(self.shell("id -u; echo hello"), "0\nhello\n")
        self.assertEqual(self.run_in(self.image, "sh", "-c", "exit 7").returncode, 7)
        self.assertEqual(self.run_in(self.image, "sh", "-c", "sleep 9 & kill -9 $!; wait $!").returncode, 137)

    def test_a_command_that_is_not_there(self):
        done = self.run_in(self.image, "nosuch")
        self.assertEqual(done.returncode, 127, done)
        self.assertIn("nosuch", done.stderr)
        self.assertEqual(self.run_in(self.image, "/etc/passwd").returncode, 126)

    def test_the_standard_streams(self):
        done = self.run_in("-i", self.image, "sh", "-c", "cat; echo error >&2", stdin=None, input="through\n")
        self.assertEqual((done.stdout, done.stderr), ("through\n", "error\n"))
        self.assertEqual(self.shell("id -u; id -g; echo again > /dev/stdout", "-u", "1000:33"),
                         "1000\n33\nagain\n")

    def test_limits(self):
        got = self.shell("cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max",
                         "--memory", "64m", "--pids-limit", "50")
        self.assertEqual(got.split(), ["67108864", "50"])
