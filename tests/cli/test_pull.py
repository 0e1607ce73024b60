"""Pulling from a real registry: by tag and digest, in every format, for several platforms, by TLS and with logins."""

import hashlib
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import threading
import urllib.request

from support.case import BerthCase, demo_archive, main, run
from support.registry import Registry, make_certificate
from support.scripted_registry import OCI_INDEX, ScriptedRegistry, digest, make_image
from support.terminal import Terminal
from support.token_server import TokenRegistry, TokenServer


def config_id(layout_or_reference, *options):
    """What an image's ID must be: the digest of its config, as skopeo sees it."""
    config = subprocess.run(["skopeo", "inspect", "--config", "--raw", *options, layout_or_reference], check=True,
                            stdout=subprocess.PIPE).stdout
    return hashlib.sha256(config).hexdigest()


class PullCase(BerthCase):
    def start_registry(self, **options):
        registry = Registry(self.work / "registry", **options)
        registry.start()
        self.addCleanup(registry.stop)
        return registry

    def demo_in(self, registry, name="app:1", *options):
        registry.copy_in(f"docker-archive:{demo_archive()}", name, *options)
        return registry.reference(name)

    def names(self):
        """Image names in the store, with their IDs."""
        connection = sqlite3.connect(f"file:{self.root}/berth.db?mode=ro", uri=True)
        self.addCleanup(connection.close)
        return dict(connection.execute("SELECT name, substr(image_id, 8) FROM image_names"))

    def assert_has(self, path):
        """Some unpacked layer has this file."""
        found = list(pathlib.Path(self.root, "layers").glob(f"*/{path}"))
        self.assertTrue(found, f"{path} is in no layer")


class Plain(PullCase):
    def test_an_image_by_tag(self):
        reference = self.demo_in(self.start_registry())
        done = self.berth("pull", reference)
        self.assertEqual(done.status, 0, done)
        wanted = config_id(f"docker://{reference}", "--tls-verify=false")
        self.assertEqual(done.stdout, wanted + "\n")
        self.assertEqual(self.names(), {reference: wanted})
        self.assert_has("bin/busybox")
        self.assertIn(f"Pulling {reference}: 1 layer", done.stderr)

    def test_quiet_prints_the_id_and_nothing_else(self):
        reference = self.demo_in(self.start_registry())
        for flag in ("-q", "--quiet"):
            done = self.berth("pull", flag, reference)
            self.assertEqual((done.status, done.stderr), (0, ""), done)
            self.assertRegex(done.stdout, r"^[0-9a-f]{64}\n$")

    def test_an_image_by_digest(self):
        registry = self.start_registry()
        reference = self.demo_in(registry)
        manifest = registry.get("/v2/app/manifests/1", "application/vnd.docker.distribution.manifest.v2+json")
        by_digest = f"{registry.address}/app@{digest(manifest)}"
        image = self.ok("pull", by_digest).strip()
        self.assertEqual(self.names(), {by_digest: image})
        self.assertEqual(self.ok("pull", f"{reference}@{digest(manifest)}").strip(), image)
        self.assertEqual(list(self.names()), [by_digest], "a tag beside a digest is not what was checked")

    def test_every_format_and_compression(self):
        registry = self.start_registry()
        formats = {"docker": ("--format", "v2s2"), "oci": ("--format", "oci"),
                   "zstd": ("--format", "oci", "--dest-compress-format", "zstd")}
        for name, options in formats.items():
            reference = self.demo_in(registry, f"app:{name}", *options)
            image = self.ok("pull", reference).strip()
            self.assertEqual(image, config_id(f"docker://{reference}", "--tls-verify=false"), name)
        self.assert_has("bin/busybox")

    def test_layers_that_are_not_compressed(self):
        registry = self.start_registry()
        layout = self.work / "layout"
        subprocess.run(["skopeo", "copy", "--quiet", "--insecure-policy", "--dest-decompress",
                        f"docker-archive:{demo_archive()}", f"dir:{layout}"], check=True, stdout=subprocess.DEVNULL)
        registry.copy_in(f"dir:{layout}", "app:plain")
        self.ok("pull", registry.reference("app:plain"))
        self.assert_has("bin/busybox")

    def test_an_image_that_umoci_made(self):
        registry = self.start_registry()
        layout, tree = self.work / "layout", self.work / "tree"
        tree.mkdir()
        (tree / "from-umoci").write_text("yes")
        image = f"{layout}:v1"
        for words in (["init", "--layout", layout], ["new", "--image", image], ["insert", "--image", image, tree, "/x"],
                      ["config", "--image", image, "--config.cmd", "/bin/sh"]):
            subprocess.run(["umoci", *map(str, words)], check=True, stderr=subprocess.DEVNULL)
        registry.copy_in(f"oci:{image}", "umoci:1", "--format", "oci")
        self.assertEqual(self.ok("pull", registry.reference("umoci:1")).strip(), config_id(f"oci:{image}"))
        self.assert_has("x/from-umoci")

    def test_an_image_that_podman_made(self):
        registry = self.start_registry()
        (self.work / "tree").mkdir()
        (self.work / "tree" / "from-podman").write_text("yes")
        subprocess.run(["tar", "-C", self.work / "tree", "-cf", self.work / "tree.tar", "."], check=True)
        podman = ["podman", "--root", str(self.work / "podman"), "--runroot", str(self.runroot.parent / "p"),
                  "--storage-driver", "vfs", "--events-backend", "none", "--cgroup-manager", "cgroupfs"]
        reference = registry.reference("podman:1")
        for words in (["import", "-q", self.work / "tree.tar", reference],
                      ["push", "-q", "--tls-verify=false", reference]):
            done = run(*podman, *words)
            self.assertEqual(done.status, 0, done)
        self.ok("pull", reference)
        self.assert_has("from-podman")

    def test_several_references_give_several_ids(self):
        registry = self.start_registry()
        first, second = self.demo_in(registry, "one:1"), self.demo_in(registry, "two:1")
        lines = self.ok("pull", "-q", first, second).splitlines()
        self.assertEqual(len(lines), 2)
        self.assertEqual(set(self.names()), {first, second})

    def test_all_tags(self):
        registry = self.start_registry()
        references = {self.demo_in(registry, f"app:{tag}") for tag in ("1", "2", "latest")}
        self.assertEqual(len(self.ok("pull", "-q", "--all-tags", f"{registry.address}/app").splitlines()), 3)
        self.assertEqual(set(self.names()), references)
        self.fails(125, "pull", "--all-tags", f"{registry.address}/none", saying="has no such repository")

    def test_a_proxy_is_not_used_for_this_machine(self):
        reference = self.demo_in(self.start_registry())
        self.ok("pull", reference, env={"http_proxy": "http://127.0.0.1:1", "https_proxy": "http://127.0.0.1:1"})

    def test_what_is_no_reference_is_told_before_anything_else(self):
        for bad in ("Busy Box", "localhost:5000/App", "a@sha256:12", "app:"):
            self.fails(125, "pull", bad, saying=[f'"{bad}" is not an image reference', "hint: "])
        self.assertFalse(self.root.exists())
        self.fails(125, "pull", saying="IMAGE")
        self.fails(125, "pull", "--policy", "sometimes", "x", saying="--policy")
        self.fails(125, "pull", "--retry-delay", "soon", "127.0.0.1:1/x", saying=["--retry-delay", "soon"])
        self.fails(125, "pull", "--platform", "linux/", "x", saying=["--platform", "linux/"])
        self.fails(125, "pull", "--platfrom", "linux/amd64", "x", saying="Did you mean --platform?")


class Platforms(PullCase):
    def setUp(self):
        super().setUp()
        self.registry = self.start_registry()
        self.ids = {}
        entries = []
        for architecture, variant in (("amd64", None), ("arm64", "v8"), ("arm", "v7"), ("arm", "v6")):
            image = make_image({f"for-{architecture}{variant or ''}": b""}, architecture=architecture)
            tag = architecture + (variant or "")
            layout = self.work / f"layout-{tag}"
            self._write_layout(layout, image, tag)
            self.registry.copy_in(f"oci:{layout}:{tag}", f"app:{tag}", "--format", "oci")
            platform = {"os": "linux", "architecture": architecture, **({"variant": variant} if variant else {})}
            entries.append(image.descriptor(**platform))
            self.ids[tag] = image.id
        # What build tools add to say how an image was made.
        entries.append({**entries[0], "platform": {"os": "unknown", "architecture": "unknown"}})
        self._put_index(entries)
        self.reference = self.registry.reference("app:multi")

    @staticmethod
    def _write_layout(layout, image, tag):
        blobs = layout / "blobs" / "sha256"
        blobs.mkdir(parents=True)
        for blob in (image.manifest, image.config, *image.layers):
            (blobs / digest(blob).split(":")[1]).write_bytes(blob)
        (layout / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        entry = {**image.descriptor(), "annotations": {"org.opencontainers.image.ref.name": tag}}
        (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))

    def _put_index(self, entries):
        body = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()
        url = f"http://{self.registry.address}/v2/app/manifests/multi"
        request = urllib.request.Request(url, data=body, method="PUT", headers={"Content-Type": OCI_INDEX})
        urllib.request.urlopen(request, timeout=10).close()

    def test_this_machines_is_the_default(self):
        machine = {"x86_64": "amd64", "aarch64": "arm64v8"}[os.uname().machine]
        self.assertEqual(self.ok("pull", self.reference).strip(), self.ids[machine])

    def test_any_other_can_be_asked_for(self):
        for platform, tag in (("linux/arm64", "arm64v8"), ("linux/arm64/v8", "arm64v8"), ("linux/aarch64", "arm64v8"),
                              ("linux/arm/v7", "armv7"), ("linux/arm/v6", "armv6"), ("linux/arm", "armv7"),
                              ("linux/amd64", "amd64")):
            self.assertEqual(self.ok("pull", "--platform", platform, self.reference).strip(), self.ids[tag], platform)
        self.assertEqual(self.ok("pull", "--arch", "arm", "--variant", "v6", self.reference).strip(), self.ids["armv6"])
        self.assert_has("for-armv6")

    def test_one_that_is_not_there(self):
        self.fails(125, "pull", "--platform", "linux/s390x", self.reference,
                   saying=["no image for linux/s390x", "linux/amd64, linux/arm/v6, linux/arm/v7, linux/arm64"])


class Layers(PullCase):
    def setUp(self):
        super().setUp()
        self.registry = self.enterContext(ScriptedRegistry())

    def test_a_layer_that_is_there_is_not_fetched_again(self):
        shared = {"shared": b"x" * 1000}
        first, second = make_image(shared, {"one": b"1"}), make_image(shared, {"two": b"2"})
        self.ok("pull", self.registry.add(first, tag="1"))
        done = self.berth("pull", self.registry.add(second, tag="2"))
        self.assertEqual(done.status, 0, done)
        self.assertIn("already there", done.stderr)
        path = self.registry.blob_path(first.layers[0])
        self.assertEqual(path, self.registry.blob_path(second.layers[0]))
        self.assertEqual(len(self.registry.asked(path)), 1)

    def test_layers_come_in_parallel(self):
        image = make_image({"one": b"1"}, {"two": b"2"}, {"three": b"3"})
        together = threading.Barrier(2)

        def wait(handler):
            together.wait(20)
            handler.answer_properly()
        for layer in image.layers[:2]:
            self.registry.answers[self.registry.blob_path(layer)] = wait
        self.ok("pull", self.registry.add(image))

    def test_policies(self):
        image, newer = make_image({"one": b"1"}), make_image({"two": b"2"})
        reference = self.registry.add(image)
        manifest = "/v2/app/manifests/1"
        self.fails(125, "pull", "--policy", "never", reference, saying=["not in the store", "never"])
        self.assertEqual(self.registry.requests, [])
        self.assertEqual(self.ok("pull", "--policy", "missing", reference).strip(), image.id)
        self.assertEqual(len(self.registry.asked(manifest)), 1)
        self.registry.add(newer)
        for policy in ("missing", "never"):
            self.assertEqual(self.ok("pull", "--policy", policy, reference).strip(), image.id)
        self.assertEqual(len(self.registry.asked(manifest)), 1)
        self.registry.answers[manifest] = lambda handler: handler.send(500)
        self.assertEqual(self.ok("pull", "--policy", "newer", "--retry", "0", reference).strip(), image.id)
        self.registry.answers.clear()
        self.assertEqual(self.ok("pull", "--policy", "newer", reference).strip(), newer.id)
        self.assertEqual(self.ok("pull", reference).strip(), newer.id)


class OnATerminal(PullCase):
    def setUp(self):
        super().setUp()
        self.registry = self.enterContext(ScriptedRegistry())
        self.image = make_image({"small": b"x"}, {"big": os.urandom(2 << 20)})
        self.reference = self.registry.add(self.image)
        self.go_on = threading.Event()
        self.registry.answers[self.registry.blob_path(self.image.layers[1])] = self._half_then_wait

    def _half_then_wait(self, handler):
        body = self.image.layers[1]
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        half = len(body) // 2
        handler.wfile.write(body[:half])
        handler.wfile.flush()
        self.go_on.wait(30)
        handler.wfile.write(body[half:])

    def terminal(self, **size):
        environment = {**self.environment, "TERM": "xterm"}
        return Terminal(self.command("pull", self.reference), env=environment, cwd=self.work, **size)

    def test_bars_fill_in_place_and_fit_the_width(self):
        for columns in (100, 45, 12):
            self.go_on.clear()
            with self.terminal(columns=columns) as terminal:
                shown = terminal.expect(r"(?s).*\x1b\[2A.*1\.\d? ?" if columns > 30 else r"(?s).*\x1b\[2A").group(0)
                self.go_on.set()
                self.assertEqual(terminal.wait(), 0)
                shown += terminal.output
            self.assertIn(self.image.id, shown.replace("\r\n", ""))
            bars = re.sub(r"Pulling [^\n]*\n|[0-9a-f]{64}", "", shown)
            for line in re.sub(r"\x1b\[[0-9]*[A-Z]", "", bars).replace("\r", "").split("\n"):
                self.assertLess(len(line), columns, line)
            if columns == 100:
                self.assertRegex(shown, r"\[#+ +\] +1\.[01] MB of +2\.1 MB")
            self._forget()

    def _forget(self):
        subprocess.run(["rm", "-rf", self.root], check=True)

    def test_the_interrupt_key_ends_it_and_the_next_pull_works(self):
        with self.terminal() as terminal:
            terminal.expect(r"MB of")
            terminal.type("\x03")
            self.assertEqual(terminal.wait(), 128 + signal.SIGINT)
            self.assertNotIn("\x1b[?25l", terminal.output, "the cursor is never hidden")
        self.go_on.set()
        self.assertEqual(self.ok("pull", self.reference).strip(), self.image.id)

    def test_no_escapes_where_there_is_no_terminal(self):
        self.go_on.set()
        self.assertNotIn("\x1b", self.berth("pull", self.reference).stderr)


class Tls(PullCase):
    def setUp(self):
        super().setUp()
        self.registry = self.start_registry(tls=True)
        self.reference = self.demo_in(self.registry)
        self.certificates = self.work / "certificates"
        self.certificates.mkdir()
        (self.certificates / "ca.crt").write_bytes(self.registry.ca.read_bytes())

    def test_an_unknown_authority_is_refused_with_the_way_out(self):
        self.fails(125, "pull", "--retry", "0", self.reference,
                   saying=[f"cannot reach {self.registry.address}", "certificate",
                           f"/etc/containers/certs.d/{self.registry.address}/", "--cert-dir"])

    def test_with_its_authority(self):
        self.ok("pull", "--cert-dir", self.certificates, self.reference)
        localhost = self.reference.replace("127.0.0.1", "localhost")
        self.ok("pull", "--cert-dir", self.certificates, localhost)

    def test_another_authority_does_not_help(self):
        ca, _, _ = make_certificate(self.work / "other")
        (self.certificates / "ca.crt").write_bytes(ca.read_bytes())
        self.fails(125, "pull", "--retry", "0", "--cert-dir", self.certificates, self.reference, saying="certificate")

    def test_in_the_usual_places(self):
        for place in ("containers", "docker"):
            base = pathlib.Path("/etc", place)
            made = not base.exists()
            base.mkdir(exist_ok=True)
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", base], check=True)
            try:
                directory = base / "certs.d" / self.registry.address
                directory.mkdir(parents=True)
                (directory / "ca.crt").write_bytes(self.registry.ca.read_bytes())
                self.ok("pull", self.reference)
            finally:
                subprocess.run(["umount", base], check=True)
                if made:
                    base.rmdir()

    def test_without_verification_if_asked(self):
        self.ok("pull", "--tls-verify=false", self.reference)

    def test_a_directory_that_is_not_there(self):
        self.fails(125, "pull", "--cert-dir", self.work / "none", self.reference, saying=["--cert-dir", "none"])


class MutualTlsRegistry(Registry):
    def _config(self):
        config = super()._config()
        config["http"]["tls"]["clientcas"] = [str(self.ca)]
        return config


class MutualTls(PullCase):
    def test_a_client_certificate(self):
        plain = Registry(self.work / "registry")
        plain.start()
        self.demo_in(plain)
        plain.stop()
        registry = MutualTlsRegistry(self.work / "registry", tls=True)
        registry.start()
        self.addCleanup(registry.stop)
        certificates = self.work / "certificates"
        certificates.mkdir()
        (certificates / "ca.crt").write_bytes(registry.ca.read_bytes())
        reference = registry.reference("app:1")
        self.fails(125, "pull", "--retry", "0", "--cert-dir", certificates, reference, saying="certificate")
        (certificates / "client.cert").write_bytes((registry.directory / "tls" / "server.pem").read_bytes())
        self.fails(125, "pull", "--cert-dir", certificates, reference, saying="the key client.key is missing")
        (certificates / "client.key").write_bytes((registry.directory / "tls" / "server.key").read_bytes())
        self.ok("pull", "--cert-dir", certificates, reference)


class Authentication(PullCase):
    def test_by_password(self):
        registry = self.start_registry(user="ann", password="p:w d")
        reference = self.demo_in(registry)
        self.fails(125, "pull", reference, saying=["refuses the login", f"`berth login {registry.address}`"])
        self.fails(125, "pull", "--creds", "ann:wrong", reference, saying="refuses the login")
        self.ok("pull", "--creds", "ann:p:w d", reference)

    def test_by_token(self):
        plain = Registry(self.work / "registry")
        plain.start()
        self.demo_in(plain, "team/app:1")
        plain.stop()
        with TokenServer(self.work / "tokens", "ann", "secret") as tokens, \
                TokenRegistry(self.work / "registry", tokens) as registry:
            reference = registry.reference("team/app:1")
            self.fails(125, "pull", "--creds", "ann:wrong", reference,
                       saying=["token server", "refuses the login", "no such user", "berth login"])
            self.fails(125, "pull", reference, saying="refuses the login")
            tokens.queries.clear()
            self.ok("pull", "--creds", "ann:secret", reference)
            self.assertEqual(len(tokens.queries), 1, "one token does for all requests of a pull")
            query, _ = tokens.queries[0]
            self.assertEqual((query["scope"], query["service"]), (["repository:team/app:pull"], ["test-registry"]))


if __name__ == "__main__":
    main()
