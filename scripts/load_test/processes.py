"""Processes of a run: started, measured, and killed when this program ends, however it ends."""

import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def free_port():
    """A port below those of outgoing connections: a client of a stopped server could otherwise be given its port."""
    for port in range(20_000 + os.getpid() * 131 % 12_000, 32_700):
        if port in free_port.given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        free_port.given.add(port)
        return port
    raise SystemExit("no free port")


free_port.given = set()


class Process:
    """A program of one part of the run. IMPORTANT: start it from the main thread, since it dies with the thread that started it."""

    all = []

    def __init__(self, part, command, log, **more):
        self.part, self.command, self.log, self.more = part, [str(one) for one in command], pathlib.Path(log), more
        self.process, self.cpu_before, self.cpu_now = None, 0.0, 0.0
        Process.all.append(self)

    def start(self):
        def prepare():
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            os.setpgid(0, 0)  # Ctrl-C is for the main program alone, which ends all in order.

        with open(self.log, "ab") as log:
            more = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, **self.more}
            self.process = subprocess.Popen(self.command, preexec_fn=prepare, **more)
        return self

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def must_run(self):
        if not self.runs():
            raise SystemExit(f"{self.part} ended with exit code {self.process.returncode}:\n{self.said()}")

    def said(self, lines=40):
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])

    def send(self, number):
        self.process.send_signal(number)

    def end(self, number=signal.SIGTERM, patience=60):
        if self.process is None:
            return
        if self.runs():
            self.cpu()
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.cpu_before, self.cpu_now = self.cpu_before + self.cpu_now, 0.0

    def cpu(self):
        """CPU seconds, user and system, of all that ran under this name."""
        try:
            fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            self.cpu_now = max(self.cpu_now, (int(fields[11]) + int(fields[12])) / TICKS)
        except (OSError, IndexError, AttributeError):
            pass
        return self.cpu_before + self.cpu_now

    def sample(self):
        """Memory in MiB, open files and threads."""
        folder = pathlib.Path(f"/proc/{self.process.pid}")
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        mib = lambda name: int(status[name].split()[0]) / 1024
        return {
            "rss": mib("VmRSS"), "anon": mib("RssAnon"), "peak": mib("VmHWM"),
            "threads": int(status["Threads"]), "files": len(os.listdir(folder / "fd")),
        }


def end_all():
    for process in reversed(Process.all):
        process.end(signal.SIGKILL)


def cpu_of(part):
    return sum(process.cpu() for process in Process.all if process.part == part)


def machine_cpu():
    """CPU seconds in which the machine was not idle, since it started."""
    user, nice, system, _, _, irq, soft = map(int, pathlib.Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + irq + soft) / TICKS


def wait_for(what, condition, patience, *processes):
    deadline = time.monotonic() + patience
    while not condition():
        for process in processes:
            process.must_run()
        if time.monotonic() > deadline:
            raise SystemExit(f"gave up after {patience} s: {what}\n" + "\n".join(process.said() for process in processes))
        time.sleep(0.1)
