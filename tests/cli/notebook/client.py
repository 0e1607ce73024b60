"""A person at a notebook server, as their browser would speak to it: over HTTP, and a WebSocket to the kernel."""

import json
import time
import urllib.error
import urllib.request
import uuid

import websocket

PATIENCE = 60  # seconds for the server, and for a kernel, to come up


class Notebook:
    def __init__(self, address, token):
        self.address = address  # HOST:PORT
        self.headers = {"Authorization": f"token {token}"}

    def ask(self, method, path, content=None):
        body = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(f"http://{self.address}{path}", body, self.headers, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def wait(self):
        """Until the server answers; gives its version."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self.ask("GET", "/api")["version"]
            except OSError as error:  # among them those of urllib
                if isinstance(error, urllib.error.HTTPError) or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def save(self, name, cells):
        """Writes a notebook with these pairs of a cell's source and its printed output."""
        content = {"nbformat": 4, "nbformat_minor": 4, "metadata": {
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}}
        content["cells"] = [{"cell_type": "code", "metadata": {}, "execution_count": number, "source": source, "outputs": [
            {"output_type": "stream", "name": "stdout", "text": output}]} for number, (source, output) in enumerate(cells, 1)]
        self.ask("PUT", f"/api/contents/{name}", {"type": "notebook", "format": "json", "content": content})

    def read(self, name):
        """The sources of a notebook's cells with their outputs."""
        content = self.ask("GET", f"/api/contents/{name}")["content"]
        return [("".join(cell["source"]), "".join("".join(output["text"]) for output in cell["outputs"]))
                for cell in content["cells"]]

    def kernel(self, name):
        """Starts a kernel for a notebook."""
        session = self.ask("POST", "/api/sessions", {"path": name, "type": "notebook", "name": name,
                                                     "kernel": {"name": "python3"}})
        return Kernel(self, session["kernel"]["id"])


class Kernel:
    def __init__(self, notebook, identity):
        self.notebook = notebook
        self.identity = identity
        self.session = uuid.uuid4().hex
        self.socket = websocket.create_connection(
            f"ws://{notebook.address}/api/kernels/{identity}/channels?session_id={self.session}",
            header=notebook.headers, timeout=PATIENCE)

    def execute(self, source):
        """What the cell prints; an error of its is one here."""
        message = uuid.uuid4().hex
        header = {"msg_id": message, "msg_type": "execute_request", "username": "", "session": self.session, "version": "5.3"}
        self.socket.send(json.dumps({
            "header": header, "parent_header": {}, "metadata": {}, "channel": "shell",
            "content": {"code": source, "silent": False, "store_history": True, "user_expressions": {},
                        "allow_stdin": False, "stop_on_error": True}}))
        printed = []
        while True:
            answer = json.loads(self.socket.recv())
            if answer["parent_header"].get("msg_id") != message:
                continue
            if answer["msg_type"] == "stream":
                printed.append(answer["content"]["text"])
            elif answer["msg_type"] == "error":
                raise AssertionError("\n".join(answer["content"]["traceback"]))
            elif answer["msg_type"] == "status" and answer["content"]["execution_state"] == "idle":
                return "".join(printed)

    def end(self):
        self.socket.close()
        self.notebook.ask("DELETE", f"/api/kernels/{self.identity}")
