"""config.md: the file as a whole, its version, annotations, what is not known and what is not valid."""

import json

from support.oci_runtime import MUST, RuntimeCase, expand, family, requirement, main

VERSION = "config.md, Specification version"
ANNOTATIONS = "config.md, Annotations"
EXTENSIBILITY = "config.md, Extensibility"
VALID = "config.md, Valid values"
# Places of config.json and what must not be there: a wrong type each.
WRONG_TYPES = {
    "process_args": (("process", "args"), "not a list"),
    "process_args_entry": (("process", "args"), [1]),
    "process_terminal": (("process", "terminal"), "yes"),
    "process_user": (("process", "user"), []),
    "process_env": (("process", "env"), {"A": "b"}),
    "root": (("root",), "rootfs"),
    "root_readonly": (("root", "readonly"), "true"),
    "mounts": (("mounts",), {"destination": "/x"}),
    "hostname": (("hostname",), 5),
    "linux": (("linux",), []),
    "namespaces": (("linux", "namespaces"), {"type": "pid"}),
    "masked_paths": (("linux", "maskedPaths"), "/proc/kcore"),
    "memory_limit": (("linux", "resources", "memory"), {"limit": "64M"}),
    "hooks": (("hooks",), []),
}
# Places of config.json, something valid to put there if it is not there yet, and the REQUIRED property to leave out.
REQUIRED = {
    "root_path": (("root",), None, "path"),
    "process_cwd": (("process",), None, "cwd"),
    "process_args": (("process",), None, "args"),
    "rlimits_type": (("process", "rlimits"), [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}], "type"),
    "rlimits_hard": (("process", "rlimits"), [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}], "hard"),
    "namespaces_type": (("linux", "namespaces"), None, "type"),
    "devices_path": (("linux", "devices"), [{"path": "/dev/own", "type": "c", "major": 1, "minor": 3}], "path"),
    "devices_type": (("linux", "devices"), [{"path": "/dev/own", "type": "c", "major": 1, "minor": 3}], "type"),
    "devices_major": (("linux", "devices"), [{"path": "/dev/own", "type": "c", "major": 1, "minor": 3}], "major"),
    "seccomp_action": (("linux", "seccomp"), {"defaultAction": "SCMP_ACT_ALLOW"}, "defaultAction"),
    "hooks_path": (("hooks", "createRuntime"), [{"path": "/bin/true"}], "path"),
    "huge_pages_limit": (("linux", "resources", "hugepageLimits"), [{"pageSize": "2MB", "limit": 2097152}], "pageSize"),
}


@expand
class Config(RuntimeCase):
    @requirement(VERSION, MUST, "ociVersion is required")
    def test_version_left_out(self):
        container = self.container()
        del container.config["ociVersion"]
        container.refused()

    @family({name.replace(".", "_").replace("-", "_"): (VERSION, MUST, f"{name} is accepted, as all of 1.0 to 1.2 is", name)
             for name in ("1.0.0", "1.0.2", "1.0.2-dev", "1.1.0", "1.2.0", "1.2.1")})
    def _version(self, name):
        container = self.container()
        container.config["ociVersion"] = name
        container.probe()

    @family({name: (VERSION, MUST, f"a version that is not in the form of SemVer is an error: {text!r}", text)
             for name, text in (("word", "latest"), ("short", "1.0"), ("empty", ""), ("leading_v", "v1.0.2"))})
    def _version_invalid(self, text):
        container = self.container()
        container.config["ociVersion"] = text
        container.refused()

    @requirement(VERSION, MUST, "a version that is not compatible is an error: 2.0.0")
    def test_version_incompatible(self):
        container = self.container()
        container.config["ociVersion"] = "2.0.0"
        container.refused()

    @requirement(EXTENSIBILITY, MUST, "properties that nobody knows are ignored, wherever they are")
    def test_unknown_properties(self):
        container = self.container()
        extra = {"com.example": [1, {"deep": None}]}
        container.config["notKnown"] = extra
        for place in (container.bundle.process, container.bundle.linux, container.config["root"],
                      container.bundle.process["user"], container.config["mounts"][0], container.bundle.linux["resources"],
                      container.bundle.linux["namespaces"][0]):
            place["notKnown"] = extra
        container.probe()

    @requirement(EXTENSIBILITY, MUST, "the sections of other platforms are ignored")
    def test_other_platforms(self):
        container = self.container()
        container.config["solaris"] = {"milestone": "svc:/milestone/container:default"}
        container.config["windows"] = {"layerFolders": ["C:\\layer"]}
        container.config["vm"] = {"kernel": {"path": "/kernel"}}
        container.probe()

    @requirement(ANNOTATIONS, MUST, "unknown annotations are like any other unknown property, also in reserved names")
    def test_unknown_annotations(self):
        container = self.container()
        container.config["annotations"] = {"com.example.unknown": "1", "org.opencontainers.reserved": "2", "plain": ""}
        container.probe()

    @requirement(ANNOTATIONS, MUST, "a key that is empty is an error")
    def test_empty_key(self):
        container = self.container()
        container.config["annotations"] = {"": "value"}
        container.refused()

    @requirement(ANNOTATIONS, MUST, "a value that is no string is an error")
    def test_value_type(self):
        container = self.container()
        container.config["annotations"] = {"com.example.key": 5}
        container.refused()

    @family({name: (VALID, MUST, f"a wrong type is an error: {'.'.join(place)} = {json.dumps(value)}", place, value)
             for name, (place, value) in WRONG_TYPES.items()})
    def _wrong_type(self, place, value):
        container = self.container()
        where = container.config
        for name in place[:-1]:
            where = where[name]
        where[place[-1]] = value
        container.refused()

    @family({name: (VALID, MUST, f"a REQUIRED property that is left out is an error: {left_out} of {'.'.join(place)}",
                    place, value, left_out) for name, (place, value, left_out) in REQUIRED.items()})
    def _required(self, place, value, left_out):
        container = self.container()
        where = container.config
        for name in place[:-1]:
            where = where.setdefault(name, {})
        value = json.loads(json.dumps(where[place[-1]] if value is None else value))
        del (value[0] if isinstance(value, list) else value)[left_out]
        where[place[-1]] = value
        container.refused()

    @family({name: (VALID, MUST, f"a file that is no configuration is an error: {name}", text) for name, text in
             (("empty", ""), ("not_json", "{"), ("list", "[]"), ("null", "null"), ("two", "{}{}"), ("truncated", '{"ociVersion": "1'))})
    def _file(self, text):
        container = self.container()
        container.bundle.config = text
        container.refused()

    @requirement(VALID, MUST, "properties that are null are as if they were left out")
    def test_null(self):
        container = self.container()
        container.config.update(hooks=None, annotations=None)
        container.bundle.process.update(rlimits=None, capabilities=container.bundle.process["capabilities"])
        container.bundle.linux.update(maskedPaths=None, seccomp=None, devices=None)
        container.probe()

    @requirement("runtime.md, Lifecycle 2", MUST, "a deep nesting ends in an error or is ignored, in a short time")
    def test_deep(self):
        container = self.container()
        text = json.dumps(container.config)
        container.bundle.config = text[:-1] + ', "annotations": ' + '{"a":' * 100000 + "1" + "}" * 100000 + "}"
        container.refused()

    @requirement("config.md, Process", MUST, "a string with a NUL is an error, not a shorter string")
    def test_nul(self):
        container = self.container()
        container.bundle.process["env"] = ["PATH=/bin", "OWN=a\0b"]
        done = container.run()
        if done.status == 0:
            self.assertNotIn('"OWN=a"', done.stdout)


if __name__ == "__main__":
    main()
