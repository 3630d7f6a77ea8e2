"""sweep.py DIRECTORY: removes all that a story left on the machine, however the story ended.

It waits until its standard input ends, which happens when the story closes it and also when the story is killed. Then go, in this
order: the private PostgreSQL, the containers under DIRECTORY/*/runc and crun, cgroups with the story's prefix, mounts, files.
"""
import concurrent.futures
import glob
import os
import pathlib
import shutil
import signal
import subprocess
import sys


def quietly(*argv):
    return subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def stop_postgres(directory):
    for pid_file in glob.glob(f"{directory}/postgres*/data/postmaster.pid"):
        try:
            os.kill(int(pathlib.Path(pid_file).read_text().splitlines()[0]), signal.SIGQUIT)
        except (ProcessLookupError, ValueError, IndexError):
            continue


def delete_containers(directory):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for runtime in ("runc", "crun"):
            for state in glob.glob(f"{directory}/*/{runtime}/*/"):
                root, handle = os.path.split(state.rstrip("/"))
                pool.submit(quietly, runtime, "--root", root, "delete", "--force", handle)


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def remove_cgroups(directory):
    prefix = pathlib.Path(directory, "prefix").read_text()
    for frozen in glob.glob(f"/sys/fs/cgroup/freezer/{prefix}*/freezer.state"):
        pathlib.Path(frozen).write_text("THAWED")  # what is killed while frozen dies when it is thawed
    # A container whose state a story has damaged is nothing to its runtime any more.
    for processes in glob.glob(f"/sys/fs/cgroup/pids/**/{prefix}*/cgroup.procs", recursive=True):
        for pid in pathlib.Path(processes).read_text().split():
            kill(int(pid))
    for _ in range(2):  # a cgroup can be removed once its last process is reaped
        quietly("find", "/sys/fs/cgroup", "-depth", "-type", "d", "-name", f"{prefix}*", "-exec", "rmdir", "{}", ";")


def unmount(directory):
    mounts = [line.split()[1] for line in pathlib.Path("/proc/self/mounts").read_text().splitlines()]
    for mount in reversed([mount for mount in mounts if mount.startswith(directory + "/")]):
        if quietly("umount", mount).returncode != 0:
            quietly("umount", "--lazy", mount)


def main():
    directory = sys.argv[1]
    sys.stdin.read()
    stop_postgres(directory)
    delete_containers(directory)
    remove_cgroups(directory)
    unmount(directory)
    quietly("chattr", "-R", "-f", "-i", directory)
    shutil.rmtree(directory, ignore_errors=True)


main()
