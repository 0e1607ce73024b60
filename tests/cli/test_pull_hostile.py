"""Registries that hang, lie, break off or lead astray: the message tells what and why, the status is 125, and the store
is as it was."""

import gzip
import json
import os
import pathlib
import socket
import sqlite3
import threading
import time

from support.case import BerthCase, main
from support.scripted_registry import OCI_INDEX, OCI_MANIFEST, PROPERLY, ScriptedRegistry, digest, make_image

QUICK = ("--retry-delay", "20ms", "--stall-timeout", "1s")
MANIFEST = "/v2/app/manifests/1"


def times(count, answer):
    """`answer` for the first `count` requests, then properly."""
    left = [count]
    lock = threading.Lock()

    def choose(handler):
        with lock:
            left[0] -= 1
            if left[0] < 0:
                return PROPERLY
        return answer(handler)
    return choose


class HostileCase(BerthCase):
    def setUp(self):
        super().setUp()
        self.registry = self.enterContext(ScriptedRegistry())
        self.image = make_image({"etc/one": b"one\n"}, {"big": os.urandom(3 << 20)})
        self.reference = self.registry.add(self.image)
        self.layer = self.registry.blob_path(self.image.layers[1])

    def pulls(self, *flags, reference=None, **options):
        """The pull succeeds and gives the image."""
        self.assertEqual(self.ok("pull", *QUICK, *flags, reference or self.reference, **options),
                         self.image.id + "\n")

    def refused(self, *flags, reference=None, saying=(), **options):
        """The pull fails, says so, and leaves no image, blob, layer or unfinished file."""
        saying = [saying] if isinstance(saying, str) else list(saying)
        done = self.fails(125, "pull", *QUICK, *flags, reference or self.reference, saying=saying, **options)
        self.assertEqual(done.stdout, "", "nothing but the ID goes to standard output")
        self.assertIn(f'cannot pull "{reference or self.reference}"', done.stderr)
        self.assertNotIn("\x1b", done.stderr)
        self.assert_store_empty()
        return done

    def assert_store_empty(self):
        for folder in ("blobs/sha256", "layers", "tmp"):
            self.assertEqual(os.listdir(pathlib.Path(self.root, folder)), [], folder)
        connection = sqlite3.connect(f"file:{self.root}/berth.db?mode=ro", uri=True)
        self.addCleanup(connection.close)
        for table in ("images", "image_names", "layers"):
            self.assertEqual(connection.execute(f"SELECT count(*) FROM {table}").fetchone(), (0,), table)


class Hangs(HostileCase):
    def test_before_the_first_answer(self):
        self.registry.answers["/v2/"] = lambda handler: handler.hang()
        self.refused("--retry", "0", saying=["sent no answer for 1 seconds", "hint: "])

    def test_before_the_manifest(self):
        self.registry.answers[MANIFEST] = lambda handler: handler.hang()
        self.refused("--retry", "0", saying="sent no answer for 1 seconds")

    def test_in_the_middle_of_a_layer(self):
        def half(handler):
            body = self.image.layers[1]
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body[:1000])
            handler.hang()
        self.registry.answers[self.layer] = half
        self.refused("--retry", "0", saying=["next to nothing of the content for 1 seconds", "1000 of "])

    def test_a_byte_now_and_then_is_a_hang_too(self):
        def drip(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", "1000000")
            handler.end_headers()
            for _ in range(100):
                handler.wfile.write(b" ")
                handler.wfile.flush()
                if handler.server.registry.over.wait(0.2):
                    break
        self.registry.answers[MANIFEST] = drip
        self.refused("--retry", "0", saying="next to nothing")

    def test_a_port_that_never_speaks(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            start = time.monotonic()
            port = silent.getsockname()[1]
            self.refused("--retry", "0", reference=f"127.0.0.1:{port}/app:1", saying=f"127.0.0.1:{port}")
            self.assertLess(time.monotonic() - start, 10)

    def test_a_hang_passes(self):
        self.registry.answers[MANIFEST] = times(1, lambda handler: handler.hang())
        self.pulls()


class Breaks(HostileCase):
    def test_nobody_is_there(self):
        with socket.create_server(("127.0.0.1", 0)) as gone:
            port = gone.getsockname()[1]
        self.refused(reference=f"127.0.0.1:{port}/app:1",
                     saying=[f"cannot reach 127.0.0.1:{port}", "ECONNREFUSED", "tried 4 times", "hint: Check that"])

    def test_a_name_that_nobody_has(self):
        self.refused("--retry", "0", reference="registry.invalid/app:1",
                     saying=["registry.invalid", "hint: Check the name of the registry"])

    def test_a_connection_that_breaks_three_times_is_tried_four_times(self):
        self.registry.answers[MANIFEST] = times(3, lambda handler: handler.hang_up())
        self.pulls()
        self.assertEqual(len(self.registry.asked(MANIFEST)), 4)

    def test_and_not_more(self):
        self.registry.answers[MANIFEST] = lambda handler: handler.hang_up()
        self.refused(saying=["broke the connection", "tried 4 times"])
        # libcurl asks once more by itself where a connection that was used before turns out to be dead.
        self.assertIn(len(self.registry.asked(MANIFEST)), (4, 5))

    def test_half_a_layer_is_resumed_where_it_broke(self):
        body = self.image.layers[1]
        half = len(body) // 2
        self.registry.answers[self.layer] = times(1, lambda handler: handler.send_part(body[:half], len(body)))
        self.pulls()
        asked = self.registry.asked(self.layer)
        self.assertEqual(len(asked), 2)
        self.assertEqual(asked[1]["Range"], f"bytes={half}-{len(body) - 1}")

    def test_a_layer_that_breaks_every_half_megabyte_gets_there(self):
        def some(handler):
            body = self.image.layers[1]
            first = int(handler.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
            part = body[first:first + (512 << 10)]
            handler.send_part(part, len(body) - first, status=206 if first else 200,
                              Content_Range=f"bytes {first}-{len(body) - 1}/{len(body)}")
        self.registry.answers[self.layer] = some
        self.pulls()

    def test_half_a_layer_without_ranges_is_fetched_again(self):
        body = self.image.layers[1]
        self.registry.ranges = False
        self.registry.answers[self.layer] = times(1, lambda handler: handler.send_part(body[:100_000], len(body)))
        self.pulls()

    def test_half_a_layer_for_ever_is_told(self):
        body = self.image.layers[1]
        self.registry.answers[self.layer] = lambda handler: handler.send_part(body[:100_000], len(body))
        self.refused(saying=[digest(body), f"100000 of {len(body)} bytes came", "tried 4 times"])

    def test_the_wrong_part_is_refused(self):
        body = self.image.layers[1]

        def wrong(handler):
            if "Range" not in handler.headers:
                handler.send_part(body[:100_000], len(body))
            else:
                handler.send(206, body[:len(body) - 100_000],
                             Content_Range=f"bytes 0-{len(body) - 100_001}/{len(body)}")
        self.registry.answers[self.layer] = wrong
        self.refused(saying="was asked for \"bytes 100000-")

    def test_too_many_requests_waits_as_long_as_asked(self):
        self.registry.answers[MANIFEST] = times(1, lambda handler: handler.send(429, b"", Retry_After="1"))
        start = time.monotonic()
        self.pulls()
        self.assertGreaterEqual(time.monotonic() - start, 1)

    def test_but_not_an_hour(self):
        self.registry.answers[MANIFEST] = lambda handler: handler.send(429, b"", Retry_After="3600")
        self.refused(saying=["has had too many requests", "HTTP 429", "hint: It asks to wait 3600 seconds"])
        self.assertEqual(len(self.registry.asked(MANIFEST)), 1)

    def test_trouble_of_the_server_passes(self):
        for path in ("/v2/", MANIFEST, self.registry.blob_path(self.image.config), self.layer):
            self.registry.answers[path] = times(2, lambda handler: handler.send(503))
        self.pulls()

    def test_what_is_not_there_is_not_asked_for_again(self):
        self.refused(reference=f"{self.registry.address}/app:2",
                     saying=["has no image of this name and tag", "HTTP 404", "MANIFEST_UNKNOWN",
                             "hint: Check the name"])
        self.assertEqual(len(self.registry.asked("/v2/app/manifests/2")), 1)


class Lies(HostileCase):
    def test_about_the_manifests_digest(self):
        self.registry.answers[MANIFEST] = lambda handler: handler.send(
            200, self.image.manifest, OCI_MANIFEST, Docker_Content_Digest=digest(b"other"))
        self.refused(saying=[digest(self.image.manifest), digest(b"other"), "hint: The registry is broken or lies"])

    def test_about_a_manifest_by_digest(self):
        other = make_image({"evil": b""})
        wanted = digest(self.image.manifest)
        self.registry.manifests[f"/v2/app/manifests/{wanted}"] = (OCI_MANIFEST, other.manifest)
        self.refused(reference=f"{self.registry.address}/app@{wanted}", saying=[wanted, digest(other.manifest)])

    def test_about_the_config(self):
        path = self.registry.blob_path(self.image.config)
        self.registry.blobs[path] = self.image.config.replace(b"/bin/sh", b"/bin/xx")
        self.refused(saying=[digest(self.image.config), "broken or lies"])

    def test_about_a_layer(self):
        self.registry.blobs[self.layer] = bytes(len(self.image.layers[1]))
        self.refused(saying=digest(self.image.layers[1]))

    def test_about_the_last_byte_of_a_layer(self):
        body = bytearray(self.image.layers[1])
        body[-1] ^= 1
        self.registry.blobs[self.layer] = bytes(body)
        self.refused(saying=digest(self.image.layers[1]))

    def test_about_a_layers_length(self):
        for body in (self.image.layers[1] + b"more", self.image.layers[1][:-1]):
            self.registry.blobs[self.layer] = body
            self.refused(saying=[digest(self.image.layers[1]), f"announces {len(body)} bytes"])

    def test_more_than_was_announced_nowhere(self):
        def endless(handler):
            handler.send_response(200)
            handler.end_headers()
            handler.wfile.write(self.image.layers[1] + b"more")
            handler.hang_up()
        self.registry.answers[self.layer] = endless
        self.refused(saying="sends more than the manifest says")


class Documents(HostileCase):
    def manifest_is(self, body, content_type=OCI_MANIFEST):
        self.registry.manifests[MANIFEST] = (content_type, body)

    def test_a_manifest_of_a_gigabyte(self):
        self.registry.answers[MANIFEST] = lambda handler: handler.send_part(b"{", 1 << 30, OCI_MANIFEST)
        self.refused(saying="at most 4194304 are read")

    def test_a_manifest_without_end(self):
        def endless(handler):
            handler.send_response(200)
            handler.end_headers()
            for _ in range(1 << 10):
                handler.wfile.write(b" " * (1 << 16))
        self.registry.answers[MANIFEST] = endless
        self.refused(saying="at most 4194304 are read")

    def test_a_compressed_manifest(self):
        self.registry.answers[MANIFEST] = lambda handler: handler.send(
            200, gzip.compress(bytes(64 << 20)), OCI_MANIFEST, Content_Encoding="gzip")
        self.refused(saying="Content-Encoding: gzip")

    def test_headers_without_end(self):
        def endless(handler):
            handler.send_response(200)
            for number in range(10_000):
                handler.send_header(f"X-{number}", "x" * 100)
            handler.end_headers()
        self.registry.answers[MANIFEST] = endless
        self.refused(saying="of headers")

    def test_a_page_for_people(self):
        self.manifest_is(b"<html>Welcome!</html>", "text/html")
        self.refused(saying="not valid JSON")

    def test_another_type(self):
        own_type = b'"mediaType": "%s", "config"' % OCI_MANIFEST.encode()
        self.manifest_is(self.image.manifest.replace(own_type, b'"config"'), "text/html")
        self.refused(saying='"text/html" is not the type')

    def test_a_type_that_says_nothing_is_enough(self):
        self.manifest_is(self.image.manifest, "application/octet-stream")
        self.pulls()

    def test_a_manifest_that_calls_itself_an_index(self):
        self.manifest_is(self.image.manifest, OCI_INDEX)
        self.refused(saying="calls itself")

    def test_a_document_with_two_readings(self):
        both = json.loads(self.image.manifest)
        both["manifests"] = []
        self.manifest_is(json.dumps(both).encode())
        self.refused(saying="as a manifest and as an index")

    def test_something_that_is_not_an_image(self):
        config_type = b"application/vnd.oci.image.config.v1+json"
        self.manifest_is(self.image.manifest.replace(config_type, b"application/x-chart"))
        self.refused(saying=["not a container image", "application/x-chart"])

    def test_the_old_schema(self):
        self.manifest_is(b'{"schemaVersion":1,"fsLayers":[]}',
                         "application/vnd.docker.distribution.manifest.v1+prettyjws")
        self.refused(saying=["schema 1", "hint: "])

    def test_deep_nesting(self):
        self.manifest_is(b'{"schemaVersion":2,"x":' + b"[" * 100_000)
        self.refused(saying="nests deeper")

    def test_a_digest_that_is_a_path(self):
        self.manifest_is(self.image.manifest.replace(digest(self.image.config).encode(), b"sha256:../../../etc/passwd"))
        self.refused(saying="config.digest")

    def test_an_index_of_indexes(self):
        inner = self.registry.add_index([self.image.descriptor(os="linux", architecture="amd64")], tag="inner")
        self.registry.add_index([{"mediaType": OCI_INDEX, "digest": digest(inner), "size": len(inner),
                                  "platform": {"os": "linux", "architecture": "amd64"}}])
        self.refused("--platform", "linux/amd64", saying="but an index")

    def test_an_index_that_holds_itself_does_not_go_round(self):
        body = self.registry.add_index([{"mediaType": OCI_MANIFEST, "digest": digest(b"x"), "size": 1}])
        self.registry.manifests[f"/v2/app/manifests/{digest(b'x')}"] = (OCI_INDEX, body)
        self.refused(saying=digest(b"x"))

    def test_no_image_for_the_platform_lists_those_there_are(self):
        self.registry.add_index([self.image.descriptor(os="linux", architecture="s390x"),
                                 self.image.descriptor(os="linux", architecture="arm", variant="v7")])
        self.refused("--platform", "linux/riscv64",
                     saying=["no image for linux/riscv64", "hint: There are images for linux/arm/v7, linux/s390x"])

    def test_urls_of_layers_are_not_followed(self):
        with ScriptedRegistry() as elsewhere:
            image = make_image({"x": b"x"}, extra_descriptor={"urls": [f"http://{elsewhere.address}/layer"]})
            reference = self.registry.add(image, "foreign")
            self.assertEqual(self.ok("pull", *QUICK, reference), image.id + "\n")
            self.assertEqual(elsewhere.requests, [])

    def test_control_characters_in_an_error_do_not_reach_the_terminal(self):
        self.registry.answers[MANIFEST] = lambda handler: handler.send(
            400, json.dumps({"errors": [{"code": "BAD", "message": "\x1b[2J\x07owned"}]}).encode())
        done = self.refused(saying=["HTTP 400", "\\x1b[2J\\x07owned"])
        self.assertNotIn("\x07", done.stderr)


class Redirects(HostileCase):
    def redirect(self, path, target, status=307):
        self.registry.answers[path] = lambda handler: handler.send(status, b"", Location=target)

    def test_a_loop(self):
        self.redirect(MANIFEST, MANIFEST)
        self.refused(saying="redirects more than 5 times")
        self.assertEqual(len(self.registry.asked(MANIFEST)), 6)

    def test_blobs_may_lie_elsewhere_and_credentials_do_not_go_there(self):
        def wants_a_login(handler):
            if "Authorization" not in handler.headers:
                return handler.send(401, b"", WWW_Authenticate='Basic realm="x"')
            return PROPERLY
        with ScriptedRegistry() as elsewhere:
            elsewhere.add(self.image)
            for path in list(self.registry.blobs):
                self.redirect(path, f"http://{elsewhere.address}{path}")
            for path in ("/v2/", MANIFEST):
                self.registry.answers[path] = wants_a_login
            self.pulls("--creds", "ann:secret")
            self.assertIn("Authorization", self.registry.asked(self.layer)[0], "the registry itself gets them")
            self.assertEqual(len(elsewhere.requests), 3)
            for path, headers in elsewhere.requests:
                self.assertNotIn("Authorization", headers, path)

    def test_not_to_plain_http_elsewhere(self):
        self.redirect(self.layer, "http://192.0.2.1/layer")
        self.refused(saying=["redirects to plain HTTP (http://192.0.2.1:80/layer)", "hint: --tls-verify=false"])

    def test_not_to_a_file(self):
        for target in ("file:///etc/shadow", "gopher://127.0.0.1:1/x", "http://user:pass@127.0.0.1/x"):
            self.redirect(self.layer, target)
            self.refused()

    def test_a_redirect_to_nowhere(self):
        self.registry.answers[self.layer] = lambda handler: handler.send(302)
        self.refused()


class Logins(HostileCase):
    def challenge(self, header):
        self.registry.answers["/v2/"] = lambda handler: handler.send(401, b"", WWW_Authenticate=header)
        self.registry.answers[MANIFEST] = self.registry.answers["/v2/"]

    def test_a_login_that_is_refused(self):
        self.challenge('Basic realm="x"')
        self.refused("--creds", "ann:wrong",
                     saying=["refuses the login", "HTTP 401", "hint: ", f"`berth login {self.registry.address}`"])
        self.assertEqual(len(self.registry.asked(MANIFEST)), 1, "a refused password is not tried again")

    def test_no_login_where_one_is_wanted(self):
        self.challenge('Basic realm="x"')
        self.refused(saying=["refuses the login", f"`berth login {self.registry.address}`"])

    def test_a_token_server_that_refuses(self):
        self.challenge(f'Bearer realm="http://{self.registry.address}/token",service="s"')
        self.registry.answers["/token"] = lambda handler: handler.send(401, b'{"details":"no such user"}')
        self.refused("--creds", "ann:wrong",
                     saying=["token server", "refuses the login", "no such user", "berth login"])

    def test_a_token_that_is_no_token(self):
        self.challenge(f'Bearer realm="http://{self.registry.address}/token"')
        for body in (b"", b"{}", b'{"token":"a\\r\\nX-Evil: 1"}', b'{"token":' + b"[" * 10_000):
            self.registry.answers["/token"] = lambda handler, body=body: handler.send(200, body)
            self.refused(saying="the token server's answer")

    def test_a_token_that_never_suits(self):
        self.challenge(f'Bearer realm="http://{self.registry.address}/token"')
        self.registry.answers["/token"] = lambda handler: handler.send(200, b'{"token":"t"}')
        self.refused(saying="refuses the login")
        self.assertLessEqual(len(self.registry.asked("/token")), 2)

    def test_passwords_do_not_go_to_a_token_server_that_everybody_can_listen_to(self):
        for realm in ("http://192.0.2.1/token", "ftp://127.0.0.1/token", "http://a:b@127.0.0.1/token", "/token", ""):
            self.challenge(f'Bearer realm="{realm}"')
            self.refused("--creds", "ann:secret")
        self.challenge('Bearer realm="http://192.0.2.1/token"')
        self.refused("--creds", "ann:secret", saying="http://192.0.2.1:80/token, which is not https")


if __name__ == "__main__":
    main()
