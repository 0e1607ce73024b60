"""A real registry (Debian's docker-registry) on loopback, for one test."""

import base64
import json
import os
import pathlib
import socket
import subprocess
import time
import urllib.request

START = 20.0  # seconds until it must answer


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_certificate(directory):
    """A CA of the test's own and a certificate for 127.0.0.1 and localhost: (ca.pem, server.pem, server.key)."""
    directory.mkdir(parents=True, exist_ok=True)
    ca, ca_key = directory / "ca.pem", directory / "ca.key"
    server, key, request = directory / "server.pem", directory / "server.key", directory / "server.csr"
    names = directory / "names.cnf"
    names.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")

    def openssl(*words):
        subprocess.run(["openssl", *map(str, words)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *curve, "-days", "2", "-subj", "/CN=test CA", "-keyout", ca_key, "-out", ca)
    openssl("req", "-new", *curve, "-subj", "/CN=localhost", "-keyout", key, "-out", request)
    openssl("x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "2",
            "-extfile", names, "-out", server)
    return ca, server, key


class Registry:
    """`with Registry(directory) as registry:` or start() and stop(). registry.address is "127.0.0.1:PORT"."""

    def __init__(self, directory, tls=False, user=None, password=None):
        self.directory = pathlib.Path(directory)
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.tls = tls
        self.user = user
        self.password = password
        self.ca = None
        self._process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def _config(self):
        http = {"addr": self.address}
        if self.tls:
            self.ca, server, key = make_certificate(self.directory / "tls")
            http["tls"] = {"certificate": str(server), "key": str(key)}
        config = {
            "version": 0.1,
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(self.directory / "data")}, "delete": {"enabled": True}},
            "http": http,
        }
        if self.user:
            passwords = self.directory / "htpasswd"
            subprocess.run(["htpasswd", "-Bbc", str(passwords), self.user, self.password], check=True,
                           stderr=subprocess.DEVNULL)
            config["auth"] = {"htpasswd": {"realm": "test", "path": str(passwords)}}
        return config

    def start(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / "config.yml"
        path.write_text(json.dumps(self._config()))  # JSON is YAML
        with open(self.directory / "log", "wb") as log:
            self._process = subprocess.Popen(["docker-registry", "serve", str(path)], stdin=subprocess.DEVNULL,
                                             stdout=log, stderr=log, env=dict(os.environ, OTEL_TRACES_EXPORTER="none"))
        deadline = time.monotonic() + START
        while True:
            if self._process.poll() is not None:
                raise RuntimeError("docker-registry ended: " + (self.directory / "log").read_text())
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    self.stop()
                    raise
                time.sleep(0.02)

    def stop(self):
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    # -- what is in it

    def reference(self, name):
        """"app:1" becomes "127.0.0.1:PORT/app:1"."""
        return f"{self.address}/{name}"

    def copy_in(self, source, name, *options):
        """Copies an image in with skopeo: copy_in("docker-archive:/x.tar", "app:1", "--format", "oci")."""
        command = ["skopeo", "copy", "--quiet", "--insecure-policy", f"--dest-tls-verify={str(self.tls).lower()}"]
        if self.tls:
            certificates = self.directory / "client"
            certificates.mkdir(exist_ok=True)
            (certificates / "ca.crt").write_bytes(self.ca.read_bytes())
            command += ["--dest-cert-dir", str(certificates)]
        if self.user:
            command += ["--dest-creds", f"{self.user}:{self.password}"]
        subprocess.run([*command, *options, source, f"docker://{self.reference(name)}"], check=True,
                       stdout=subprocess.DEVNULL)

    def get(self, path, accept="*/*"):
        """A GET of the registry's API without TLS, for looking at what is stored."""
        request = urllib.request.Request(f"http://{self.address}{path}", headers={"Accept": accept})
        if self.user:
            token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            request.add_header("Authorization", f"Basic {token}")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()
