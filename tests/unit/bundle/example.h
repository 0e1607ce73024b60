// A configuration as engines write it, and changes to it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace berth::bundle {

// What most of the tests change something in.
inline const std::string kExample = R"({
  "ociVersion": "1.2.0",
  "process": {
    "terminal": true, "consoleSize": {"height": 25, "width": 80},
    "user": {"uid": 1, "gid": 2, "umask": 63, "additionalGids": [5, 6]},
    "args": ["sh", "-c", "true"], "env": ["PATH=/bin", "EMPTY="], "cwd": "/root",
    "capabilities": {"bounding": ["CAP_KILL", "CAP_CHOWN"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"],
                     "inheritable": ["CAP_KILL"], "ambient": ["CAP_KILL"]},
    "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 18446744073709551615}],
    "noNewPrivileges": true, "apparmorProfile": "acme", "selinuxLabel": "u:r:t:s0:c1,c2", "oomScoreAdj": -5,
    "scheduler": {"policy": "SCHED_FIFO", "priority": 10, "flags": ["SCHED_FLAG_RESET_ON_FORK"]},
    "ioPriority": {"class": "IOPRIO_CLASS_IDLE", "priority": 4},
    "execCPUAffinity": {"initial": "7", "final": "0-3,7"}
  },
  "root": {"path": "rootfs", "readonly": true},
  "hostname": "web", "domainname": "example.test",
  "mounts": [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/data", "type": "none", "source": "/srv", "options": ["rbind", "ro", "idmap"],
     "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}],
     "gidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}]}
  ],
  "hooks": {
    "prestart": [{"path": "/bin/a", "args": ["a", "b"], "env": ["K=V"], "timeout": 5}],
    "createRuntime": [{"path": "/bin/b"}], "createContainer": [{"path": "/bin/c"}],
    "startContainer": [{"path": "/bin/d"}], "poststart": [{"path": "/bin/e"}], "poststop": [{"path": "/bin/f"}]
  },
  "annotations": {"com.example.key": "value", "run.oci.keep_original_groups": ""},
  "linux": {
    "uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
    "gidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
    "sysctl": {"net.ipv4.ip_forward": "1", "kernel/shmmax": "65536", "fs.mqueue.msg_max": "10"},
    "cgroupsPath": "/machine/web",
    "resources": {
      "devices": [{"allow": false, "access": "rwm"},
                  {"allow": true, "type": "c", "major": 10, "minor": -1, "access": "rw"}],
      "memory": {"limit": 536870912, "reservation": -1, "swap": 536870913, "swappiness": 0, "disableOOMKiller": false,
                 "checkBeforeUpdate": true},
      "cpu": {"shares": 1024, "quota": 1000000, "burst": 1000, "period": 500000, "cpus": "2-3", "mems": "0", "idle": 0},
      "pids": {"limit": 32771},
      "blockIO": {"weight": 10, "leafWeight": 0, "weightDevice": [{"major": 8, "minor": 0, "weight": 500}],
                  "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 600}],
                  "throttleWriteIOPSDevice": [{"major": 8, "minor": 16, "rate": 300}]},
      "hugepageLimits": [{"pageSize": "2MB", "limit": 9223372036854775809}],
      "network": {"classID": 1048577, "priorities": [{"name": "eth0", "priority": 500}]},
      "rdma": {"mlx5_1": {"hcaHandles": 3}},
      "unified": {"io.max": "259:0 rbps=2097152\n253:0 wiops=120"}
    },
    "namespaces": [{"type": "pid"}, {"type": "network", "path": "/run/netns/a"}, {"type": "ipc"}, {"type": "uts"},
                   {"type": "mount"}, {"type": "user"}, {"type": "cgroup"}, {"type": "time"}],
    "devices": [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 8630, "uid": 1, "gid": 2},
                {"path": "/run/pipe", "type": "p"}],
    "seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "flags": ["SECCOMP_FILTER_FLAG_LOG"],
                "listenerPath": "/run/agent.sock", "listenerMetadata": "m",
                "syscalls": [{"names": ["mknod"], "action": "SCMP_ACT_NOTIFY"}]},
    "rootfsPropagation": "rslave",
    "maskedPaths": ["/proc/kcore"], "readonlyPaths": ["/proc/sys"], "mountLabel": "u:o:t:s0",
    "intelRdt": {"closID": "group", "l3CacheSchema": "L3:0=7f0", "memBwSchema": "MB:0=20", "enableCMT": true},
    "personality": {"domain": "LINUX32"},
    "timeOffsets": {"monotonic": {"secs": -7, "nanosecs": 5}, "boottime": {"secs": 8}}
  }
})";

// The example with a JSON merge patch (RFC 7396) applied: null takes a member away, a list is replaced whole.
inline std::string changed(const std::string& patch) {
  nlohmann::json document = nlohmann::json::parse(kExample);
  document.merge_patch(nlohmann::json::parse(patch));
  return document.dump();
}

}  // namespace berth::bundle
