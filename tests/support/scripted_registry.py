"""A registry on loopback that does what a test tells it to: it hangs, lies, breaks off, redirects.

What it has (manifests, blobs) it serves properly, except where `answers` has a function for a path: that is called with
the request's handler and writes the answer itself, or returns PROPERLY to have it answered as usual.
"""

import dataclasses
import gzip
import hashlib
import http.server
import io
import json
import socket
import tarfile
import threading

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
PROPERLY = object()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tar_of(files):
    """An uncompressed tar with these files, path to bytes."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path, content in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(content)
            info.mode = 0o644
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


@dataclasses.dataclass
class Image:
    """An image's documents and blobs."""

    manifest: bytes
    config: bytes
    layers: list  # compressed

    @property
    def id(self):
        """As `berth pull` prints it."""
        return digest(self.config).split(":")[1]

    def descriptor(self, **platform):
        out = {"mediaType": OCI_MANIFEST, "digest": digest(self.manifest), "size": len(self.manifest)}
        if platform:
            out["platform"] = platform
        return out


def make_image(*layers, architecture="amd64", extra_descriptor=None):
    """An image whose layers have the given files (one dict a layer)."""
    tars = [tar_of(files) for files in layers]
    blobs = [gzip.compress(tar, 1, mtime=0) for tar in tars]
    config = json.dumps({"architecture": architecture, "os": "linux", "config": {"Cmd": ["/bin/sh"]},
                         "rootfs": {"type": "layers", "diff_ids": [digest(tar) for tar in tars]}}).encode()
    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST,
        "config": {"mediaType": OCI_CONFIG, "digest": digest(config), "size": len(config)},
        "layers": [{"mediaType": OCI_LAYER, "digest": digest(blob), "size": len(blob), **(extra_descriptor or {})}
                   for blob in blobs]}).encode()
    return Image(manifest, config, blobs)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.close_connection = False

    def parse_request(self):
        # A TLS greeting: nothing here speaks it, and what does not is hung up on.
        if self.raw_requestline[:1] == b"\x16":
            self.close_connection = True
            return False
        return super().parse_request()

    def log_message(self, *_):
        pass

    def send(self, status, body=b"", content_type="application/json", **headers):
        """A whole answer. Keyword arguments are headers, with _ for -."""
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def send_part(self, body, length, content_type="application/octet-stream", status=200, **headers):
        """Promises `length` bytes, sends `body` and breaks the connection."""
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
        self.hang_up()

    def hang_up(self):
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def hang(self):
        """Says nothing until the test ends or the client goes."""
        self.close_connection = True
        self.wfile.flush()
        self.server.registry.over.wait(60)

    def do_GET(self):
        registry = self.server.registry
        with registry.lock:
            registry.requests.append((self.path, dict(self.headers.items())))
        answer = registry.answers.get(self.path.split("?")[0])
        if answer is None or answer(self) is PROPERLY:
            self.answer_properly()

    do_POST = do_GET

    def answer_properly(self):
        registry = self.server.registry
        path = self.path.split("?")[0]
        if path == "/v2/":
            self.send(200, b"{}")
        elif path in registry.manifests:
            content_type, body = registry.manifests[path]
            self.send(200, body, content_type, Docker_Content_Digest=digest(body))
        elif path in registry.blobs:
            self.send_blob(registry.blobs[path])
        else:
            self.send(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}')

    def send_blob(self, body):
        wanted = self.headers.get("Range")
        if not wanted or not self.server.registry.ranges:
            self.send(200, body, "application/octet-stream")
            return
        first = int(wanted.removeprefix("bytes=").split("-")[0])
        self.send(206, body[first:], "application/octet-stream",
                  Content_Range=f"bytes {first}-{len(body) - 1}/{len(body)}")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # clients that hang up are the point of it


class ScriptedRegistry:
    """`with ScriptedRegistry() as registry:`; registry.address is "127.0.0.1:PORT"."""

    def __init__(self, ranges=True):
        self.ranges = ranges
        self.answers = {}
        self.manifests = {}
        self.blobs = {}
        self.requests = []
        self.lock = threading.Lock()
        self.over = threading.Event()
        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.registry = self
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def add(self, image, name="app", tag="1"):
        """Gives the image a name and a tag; gives the reference."""
        base = f"/v2/{name}"
        for reference in (tag, digest(image.manifest)):
            self.manifests[f"{base}/manifests/{reference}"] = (OCI_MANIFEST, image.manifest)
        for blob in [image.config, *image.layers]:
            self.blobs[f"{base}/blobs/{digest(blob)}"] = blob
        return f"{self.address}/{name}:{tag}"

    def add_index(self, entries, name="app", tag="1", content_type=OCI_INDEX):
        """An index of descriptors under a name and a tag."""
        body = json.dumps({"schemaVersion": 2, "mediaType": content_type, "manifests": entries}).encode()
        for reference in (tag, digest(body)):
            self.manifests[f"/v2/{name}/manifests/{reference}"] = (content_type, body)
        return body

    def blob_path(self, blob, name="app"):
        return f"/v2/{name}/blobs/{digest(blob)}"

    def asked(self, path):
        """The headers of the requests for a path, in order."""
        with self.lock:
            return [headers for asked, headers in self.requests if asked.split("?")[0] == path]
