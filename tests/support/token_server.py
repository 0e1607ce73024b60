"""A token server (distribution spec, token authentication) for a docker-registry on loopback."""

import base64
import http.server
import json
import subprocess
import threading
import time
import urllib.parse

from support.registry import Registry


def _encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class _Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def _credentials(self):
        kind, _, encoded = self.headers.get("Authorization", "").partition(" ")
        if kind != "Basic":
            return None
        return base64.b64decode(encoded).decode()

    def do_GET(self):
        tokens = self.server.tokens
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        tokens.queries.append((query, self._credentials()))
        if self._credentials() != f"{tokens.user}:{tokens.password}":
            status, body = 401, {"details": "no such user"}
        else:
            status, body = 200, {"token": tokens.token(query.get("scope", []))}
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class TokenServer:
    """Gives tokens to one user, signed with a key of its own; `registry_auth()` is for a registry's configuration."""

    def __init__(self, directory, user, password):
        self.user = user
        self.password = password
        self.queries = []
        self._key = directory / "token.key"
        self._certificate = directory / "token.pem"
        directory.mkdir(parents=True, exist_ok=True)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tokens",
                        "-keyout", self._key, "-out", self._certificate], check=True, stderr=subprocess.DEVNULL)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.tokens = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def registry_auth(self):
        realm = f"http://127.0.0.1:{self._server.server_address[1]}/token"
        return {"token": {"realm": realm, "service": "test-registry", "issuer": "test-issuer",
                          "rootcertbundle": str(self._certificate)}}

    def token(self, scopes):
        """A JSON web token (RS256) for these scopes."""
        access = []
        for scope in scopes:
            kind, name, actions = scope.split(":")
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        now = int(time.time())
        claims = {"iss": "test-issuer", "sub": self.user, "aud": "test-registry", "exp": now + 60, "nbf": now - 10,
                  "iat": now, "jti": str(now), "access": access}
        der = subprocess.run(["openssl", "x509", "-in", self._certificate, "-outform", "DER"], check=True,
                             stdout=subprocess.PIPE).stdout
        header = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(der).decode()]}
        signed = f"{_encode(json.dumps(header).encode())}.{_encode(json.dumps(claims).encode())}"
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self._key], input=signed.encode(),
                                   check=True, stdout=subprocess.PIPE).stdout
        return f"{signed}.{_encode(signature)}"


class TokenRegistry(Registry):
    """A docker-registry that wants tokens of a TokenServer."""

    def __init__(self, directory, tokens):
        super().__init__(directory)
        self._tokens = tokens

    def _config(self):
        return {**super()._config(), "auth": self._tokens.registry_auth()}
