# SPDX-License-Identifier: MIT
"""What figures were measured on: the machine, and the versions of the peers."""
import datetime
import os
import platform
import subprocess


def first_value(file, key):
    try:
        with open(file, encoding="utf8") as f:
            for line in f:
                if line.startswith(key):
                    return line[len(key):].strip(" \t:=\n\"")
    except OSError:
        pass
    return ""


def package_version(file):
    """"name version" of the Debian package that a file belongs to, or ""."""
    names = [file, os.path.realpath(file)]
    names += [n[4:] for n in names if n.startswith("/usr/lib")]
    for name in names:
        try:
            owner = subprocess.run(["dpkg-query", "-S", name], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True, check=False).stdout
            if owner:
                return subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}",
                                       owner.split(": ")[0].split(",")[0]], stdout=subprocess.PIPE,
                                      text=True, check=False).stdout
        except FileNotFoundError:
            return ""
    return ""


def facts(peers):
    memory = int(first_value("/proc/meminfo", "MemTotal").split()[0] or 0) // 1024
    return {
        "date": datetime.date.today().isoformat(),
        "cpu": first_value("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": os.cpu_count(),
        "memory_mib": memory,
        "kernel": platform.release(),
        "system": first_value("/etc/os-release", "PRETTY_NAME"),
        "peers": {name: {"file": file, "package": package_version(file)} for name, file in peers.items()},
    }


def memory_to_touch():
    """MiB: most of what is free. A fresh virtual machine is slow where memory is touched first."""
    available = first_value("/proc/meminfo", "MemAvailable").split()
    return max(64, int(available[0]) // 1024 * 3 // 4) if available else 64
