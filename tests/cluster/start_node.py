"""Becomes the systemd of a node: run as the first program of its namespaces.

Arguments: the node's root and its name. Runs on its own, without the checkout.
"""

import os
import subprocess
import sys
from pathlib import Path


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def main(root: str, name: str) -> None:
    subprocess.run(["hostname", name], check=True)
    mount("--make-rprivate", "/")
    mount("-t", "proc", "proc", f"{root}/proc")
    if Path(root, "proc/sysrq-trigger").exists():
        mount("--bind", "/dev/null", f"{root}/proc/sysrq-trigger")
    mount("--bind", f"{root}/proc/sys", f"{root}/proc/sys")
    mount("-o", "remount,bind,ro", f"{root}/proc/sys")
    mount("-t", "sysfs", "-o", "ro", "sys", f"{root}/sys")
    mount("-t", "cgroup2", "cgroup2", f"{root}/sys/fs/cgroup")
    mount("-t", "tmpfs", "-o", "mode=755,size=64m", "run", f"{root}/run")
    for folder in ("run/lock", "run/dbus"):
        Path(root, folder).mkdir()
    mount("-t", "tmpfs", "-o", "mode=755,size=1m", "dev", f"{root}/dev")
    for device in ("null", "zero", "full", "random", "urandom", "tty"):
        Path(root, "dev", device).touch()
        mount("--bind", f"/dev/{device}", f"{root}/dev/{device}")
    for link, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1")):
        Path(root, "dev", link).symlink_to(target)
    for folder in ("dev/shm", "dev/pts", "dev/mqueue"):
        Path(root, folder).mkdir()
    terminals = "newinstance,ptmxmode=0666,mode=620,gid=5"
    mount("-t", "devpts", "-o", terminals, "devpts", f"{root}/dev/pts")
    Path(root, "dev/ptmx").symlink_to("pts/ptmx")
    mount("-t", "mqueue", "mqueue", f"{root}/dev/mqueue")
    mount("-t", "tmpfs", "-o", "mode=1777", "shm", f"{root}/dev/shm")
    os.chdir(root)
    Path("old").mkdir(exist_ok=True)
    subprocess.run(["pivot_root", ".", "old"], check=True)
    os.chroot(".")
    os.chdir("/")
    subprocess.run(["umount", "-l", "/old"], check=True)
    # In a container systemd expects this to be done; credentials of units need it.
    mount("--make-rshared", "/")
    dropped = "-sys_boot,-sys_time,-sys_module"
    environment = {"container": "lab", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    systemd = ["/lib/systemd/systemd", "--log-target=journal-or-kmsg", "--log-level=notice"]
    os.execvpe("setpriv", ["setpriv", "--bounding-set", dropped, *systemd], environment)


if __name__ == "__main__":
    main(*sys.argv[1:])
