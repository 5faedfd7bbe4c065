# SPDX-License-Identifier: Apache-2.0
"""
Faults put into a manager that works: at each system call of an operation, in turn, the call fails, or the manager is killed
on entering it. strace(1) sits on the manager, counts the calls and puts the fault in, so what is tested is the program that
users run.

    Fault("kill", "renameat2", 3)       the manager is killed on entering its third renameat2 of the operation
    Fault("error", "socket", 1)         its first socket fails, with an error that socket has in practice

epoll_ctl fails where it adds or changes a watch; to take one away does not fail in practice (NEVER).
Calls whose failure would itself be the leak (close, munmap, those that remove a folder: the next manager does it) or says nothing
(exit) only take part in kills.
"""
import collections
import os
import re
import shutil
import signal
import subprocess
import tempfile

# What a call fails with in practice: no descriptor, no memory, no space, a broken disk.
ERRORS = {
    "accept4": "EMFILE", "bind": "EADDRINUSE", "clone": "EAGAIN", "clone3": "EAGAIN", "connect": "EAGAIN",
    "dup": "EMFILE", "dup3": "EMFILE", "epoll_create1": "EMFILE", "epoll_ctl": "ENOSPC", "eventfd2": "EMFILE",
    "fallocate": "ENOSPC", "fchmod": "EPERM", "fchown": "EPERM", "fdatasync": "EIO", "fork": "EAGAIN", "fsync": "EIO", "ftruncate": "ENOSPC",
    "ioctl": "EBUSY", "link": "ENOSPC", "linkat": "ENOSPC", "listen": "EADDRINUSE", "lseek": "EIO",
    "mkdir": "ENOSPC", "mkdirat": "ENOSPC", "mknod": "ENOSPC", "mknodat": "ENOSPC", "fstat": "ENOMEM", "inotify_init1": "EMFILE", "inotify_add_watch": "ENOSPC",
    "open": "EMFILE", "openat": "EMFILE", "openat2": "EMFILE", "pidfd_open": "EMFILE", "pipe2": "EMFILE",
    "pread64": "EIO", "pwrite64": "ENOSPC", "read": "EIO", "readlink": "ENOMEM", "recvfrom": "ENOBUFS", "recvmsg": "ENOBUFS",
    "rename": "ENOSPC", "renameat": "ENOSPC", "renameat2": "ENOSPC", "sendmsg": "ENOBUFS", "sendto": "ENOBUFS", "setns": "EPERM",
    "setsockopt": "ENOMEM", "socket": "EMFILE", "socketpair": "EMFILE", "splice": "ENOMEM", "statx": "ENOMEM",
    "timerfd_create": "EMFILE", "unshare": "ENOMEM", "vfork": "EAGAIN", "write": "ENOSPC", "writev": "ENOSPC",
}
# Words in a call that never fails although others of its name do.
NEVER = ["EPOLL_CTL_DEL"]
# A call in whose middle strace went: if it was to fail, it has, as one that the kernel does not know (ENOSYS), and nothing says so.
DETACHED = "<detached"
# Not a step of anything: the manager waits, or looks at the clock.
IDLE = {"epoll_wait", "epoll_pwait", "clock_gettime", "restart_syscall", "exit_group", "exit", "rt_sigreturn"}

MET, NOT_MET, UNREAL = "met", "not met", "unreal"

Fault = collections.namedtuple("Fault", "kind call nth")


def missing():
    """Why faults can not be put in here, or None."""
    if not shutil.which("strace"):
        return "needs strace"
    child = subprocess.Popen(["sleep", "1000"])
    try:
        tracer = Tracer(child.pid, ["-e", "trace=none"])
        tracer.end()
    except RuntimeError as error:
        return f"needs ptrace: {error}"
    finally:
        child.kill()
        child.wait()
    return None


class Tracer:
    """strace on a running process, from its first word to end(), which tells the lines it wrote."""

    def __init__(self, pid, options):
        self.file = tempfile.NamedTemporaryFile("r", prefix="uig-strace-")
        self.process = subprocess.Popen(["strace", *options, "-o", self.file.name, "-p", str(pid)], stderr=subprocess.PIPE, text=True)
        said = self.process.stderr.readline()
        if "attached" not in said:
            self.process.wait()
            self.process.stderr.close()
            raise RuntimeError(said.strip())

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait()
        self.process.stderr.close()
        with self.file:
            return self.file.readlines()


def count_calls(lines):
    """
    Of what strace wrote: name -> how many. One that the kernel begins again by itself is not another: a write to disable_ipv6 comes back
    thousands of times while other namespaces hold the lock of all interfaces.
    """
    count = collections.Counter()
    for line in lines:
        name = re.match(r"(\w+)\(", line)
        if name and name[1] not in IDLE and "? ERESTART" not in line:
            count[name[1]] += 1
    return count


def calls(pid, operation):
    """The system calls of a process while the operation goes on: name -> how many."""
    tracer = Tracer(pid, ["-e", "signal=none"])
    try:
        operation()
    finally:
        lines = tracer.end()
    return count_calls(lines)


def calls_of(operation):
    """The same of a process that the operation starts, with the words it is given before its command line."""
    with tempfile.NamedTemporaryFile("r", prefix="uig-strace-") as file:
        operation(["strace", "-D", "-qq", "-e", "signal=none", "-o", file.name])
        return count_calls(file.readlines())


def launch(fault):
    """The words before a command line that put a fault in from the first call on; the process keeps its pid."""
    return ["strace", "-D", "-qq", "-o", "/dev/null", "-e", "signal=none", "-e", f"trace={fault.call}",
            "-e", f"inject={fault.call}:{what(fault)}:when={fault.nth}"]


def what(fault):
    return "signal=SIGKILL" if fault.kind == "kill" else f"error={ERRORS[fault.call]}"


def walk(count, kind):
    """All faults of a kind, as they come: name by name, first to last."""
    for call in sorted(count):
        if kind == "kill" or call in ERRORS:
            for nth in range(1, count[call] + 1):
                yield Fault(kind, call, nth)


def inject(process, fault, operation):
    """Carries the operation out with the fault in the manager's way: MET, NOT_MET, or UNREAL when it was put where no kernel has it."""
    tracer = Tracer(process.pid, ["-e", "signal=none", "-e", f"trace={fault.call}",
                                  "-e", f"inject={fault.call}:{what(fault)}:when={fault.nth}"])
    try:
        operation()
    finally:
        lines = tracer.end()
    injected = [line for line in lines if "INJECTED" in line]
    if fault.kind == "error" and any(word in line for line in injected for word in NEVER):
        return UNREAL
    if fault.kind == "error" and any(DETACHED in line for line in lines):
        return UNREAL
    return MET if injected or process.poll() is not None else NOT_MET


def part():
    """Which part of the walk this run takes: UIGNITER_FAULT_PART, or the first."""
    return int(os.environ.get("UIGNITER_FAULT_PART", "0"))
