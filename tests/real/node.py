"""What the scenarios of faults share: nodes below roots of their own, what is
asked of them after a fault, and how the next run mends them.

A node begins with release r1 applied, from a repository that has r2 too. The
fault comes while r2 is installed or applied. Nothing of the machine is touched.
"""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
PROGRAM = TOP / "target/debug/localpuppet"
HERE = TOP / "target/real" / Path(sys.argv[0]).name

# The process that Puppet starts is there to be left behind by a kill.
CLASS = """class foo(String $path) {{
  exec {{ '/bin/sleep 0.2': }}
  file {{ $path: content => '{tag}' }}
}}
"""

# The rest of a fault's process tree has ended by then.
PATIENCE = 60


class Fault(Exception):
    """What a node did not survive."""


def begin():
    """An empty directory to work in; none of the machine's settings."""
    for name in [name for name in os.environ if name.startswith("LOCALPUPPET_")]:
        del os.environ[name]
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir(parents=True)
    for form in ("deb", "rpm"):
        repository = HERE / form
        for tag in ("r1", "r2"):
            app = HERE / "modules/foo/tags" / tag
            manifests = app / "foo/manifests"
            manifests.mkdir(parents=True, exist_ok=True)
            (app / "manifest.yaml").write_text("")
            (manifests / "init.pp").write_text(CLASS.format(tag=tag))
            # Enough files that an installation can be half done.
            for number in range(40):
                file = app / f"foo/files/{number}"
                file.parent.mkdir(exist_ok=True)
                file.write_text(f"{tag} {number}\n" * 200)
            bundle = [PROGRAM, "bundle", f"foo/tags/{tag}", "--format", form]
            run([*bundle, "--module-root", HERE / "modules", "--out", repository])
    run("apt-ftparchive packages . > Packages", shell=True, cwd=HERE / "deb")
    run(["createrepo_c", "--quiet", "."], cwd=HERE / "rpm")


def survive_all(points, survive):
    """Strikes at every point, as many at a time as there are cores; prints the
    count of each kind and the outcome, and gives the exit code."""
    outcomes, lock = Counter(), threading.Lock()

    def one(point):
        try:
            told, kept = f"ok: {survive(point)}", True
        except (Fault, OSError, subprocess.TimeoutExpired) as fault:
            told, kept = f"FAILED: {fault}", False
        with lock:
            print(f"{point}: {told}", flush=True)
            outcomes[point.kind, kept] += 1

    with ThreadPoolExecutor(os.cpu_count()) as workers:
        list(workers.map(one, points))
    kinds = Counter(point.kind for point in points)
    struck = ", ".join(f"{kind} {count}" for kind, count in kinds.items())
    kept = sum(count for (_, kept), count in outcomes.items() if kept)
    lost = len(points) - kept
    print(f"total: {len(points)} points: {struck}; {kept} recovered, {lost} by hand")
    return 0 if lost == 0 else 1


def at_once(function, values):
    """The result for each value, worked out as many at a time as there are cores."""
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        return dict(zip(values, workers.map(function, values)))


def how_many(few, many):
    """How many points: a few of them, or with FAULTS=all many."""
    return many if os.environ.get("FAULTS") == "all" else few


def run(command, **options):
    """Runs a tool that has to succeed."""
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise Fault(f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def stat(pid):
    """Parent, state and start of a process; none where it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return {"parent": int(fields[1]), "zombie": fields[0] == "Z", "start": int(fields[19])}


def is_alive(process):
    """True where that very process still runs."""
    there = stat(process["pid"])
    return there is not None and not there["zombie"] and there["start"] == process["start"]


def document(text, what):
    """A JSON document that localpuppet printed."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise Fault(f"{what}: no document: {text!r}") from error


class Node:
    """A node below a root."""

    def __init__(self, root, manager):
        self.root = Path(root)
        self.manager = manager
        self.settings = {}

    def make(self):
        """Applies r1 to an empty root."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.write("etc/os-release", "ID=debian\n")
        self.write("etc/apt/sources.list", f"deb [trusted=yes] copy:{HERE}/deb ./\n")
        if self.manager == "dnf":
            self.write("etc/os-release", "ID=almalinux\nID_LIKE=rhel\nVERSION_ID=9.4\n")
            repository = f"[x]\nname=x\nbaseurl=file://{HERE}/rpm\ngpgcheck=0\n"
            self.write("etc/yum.repos.d/x.repo", repository)
        self.wants("r1")
        self.expect(0, "apply", "--run-id", "good")
        self.wants("r2")
        return self

    def copy(self, root):
        """The same node once more."""
        run(["cp", "-a", "--reflink=auto", self.root, root])
        node = Node(root, self.manager)
        node.wants("r2")
        return node

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def wants(self, tag):
        """Writes the ENC."""
        classes = {"foo": {"path": str(self.root / "managed")}}
        enc = {"app": f"foo/tags/{tag}", "classes": classes}
        self.write("etc/puppet/input.yaml", json.dumps(enc))

    def content(self):
        """What Puppet wrote last."""
        return (self.root / "managed").read_text()

    def start(self, *command, before=()):
        """Starts localpuppet in a session of its own; its words go to a file."""
        settings = {"LOCALPUPPET_ROOT": str(self.root), **self.settings}
        with open(self.root.parent / f"{self.root.name}.said", "w", encoding="utf-8") as said:
            return subprocess.Popen(
                [*before, PROGRAM, *command],
                env={**os.environ, **settings},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    def said(self):
        return (self.root.parent / f"{self.root.name}.said").read_text()

    def ask(self, *command):
        """Runs localpuppet to its end; the node's settings of a fault do not apply."""
        environment = {**os.environ, "LOCALPUPPET_ROOT": str(self.root)}
        done = subprocess.run(
            [PROGRAM, *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if "panicked" in done.stderr:
            raise Fault(f"{command}: {done.stderr}")
        return done

    def expect(self, code, *command):
        done = self.ask(*command)
        if done.returncode != code:
            told = f"exit code {done.returncode} instead of {code}\n{done.stdout}{done.stderr}"
            raise Fault(f"localpuppet {' '.join(command)}: {told}")
        return done.stdout

    def wrap(self, program, body):
        """Has a program of the package manager started by a script of ours."""
        text = f"""#!/bin/sh
count=$(($(cat "$0-count" 2>/dev/null || echo 0) + 1))
echo $count > "$0-count"
program=$(PATH=${{PATH#*:}} command -v {program})
{body}
"""
        self.write(f"wrapped/{program}", text)
        wrapper = self.root / "wrapped" / program
        wrapper.chmod(0o755)
        self.settings["PATH"] = f"{wrapper.parent}:{os.environ['PATH']}"
        if program == "dpkg":
            # apt-get does not look for it.
            self.write("etc/apt/apt.conf.d/wrapped", f'Dir::Bin::dpkg "{wrapper}";\n')

    def unwrap(self):
        """The programs are the machine's again."""
        shutil.rmtree(self.root / "wrapped", ignore_errors=True)
        (self.root / "etc/apt/apt.conf.d/wrapped").unlink(missing_ok=True)

    def processes(self):
        """Every process of this node: each has its root in its arguments or its environment."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                line = (entry / "cmdline").read_bytes()
                text = line + b"\0" + (entry / "environ").read_bytes()
            except OSError:
                continue
            if re.search(re.escape(str(self.root)).encode() + rb"[\0/]", text):
                found[int(entry.name)] = line.decode(errors="replace").split("\0")
        return found

    def is_locked(self):
        """True where somebody holds the node."""
        try:
            with open(self.root / "var/lib/localpuppet/lock", encoding="utf-8") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def runs(self):
        return document(self.expect(0, "history", "--json"), "history")

    def look(self):
        """Asks everything that can be asked, and holds the answers against what is so."""
        locked, content = self.is_locked(), self.content()
        before = self.runs()["runs"]
        alive = {run["id"]: self.evidence(run) for run in before}
        history = self.runs()
        for run in history["runs"]:
            claim = run["stage"]
            if claim in ("waiting", "running", "orphaned") and not locked:
                if not alive.get(run["id"]):
                    raise Fault(f"run {run['id']} is said to be {claim}, and nothing of it is there")
            if run["outcome"] in ("changed", "unchanged") and run["id"] != "good":
                if run["app"] == "foo/tags/r2" and self.content() != "r2":
                    raise Fault(f"run {run['id']} is said to be {run['outcome']}")
        status = self.ask("status", "--json")
        run = document(status.stdout, f"status: {status.stderr}")
        if run.get("id") not in [run["id"] for run in history["runs"]]:
            raise Fault(f"status: {status.stdout}{status.stderr}")
        for line in self.expect(0, "logs", "--json", run["id"]).splitlines():
            document(line, "logs")
        self.expect(0, "logs", run["id"])
        self.expect(0, "verify", "foo/tags/r1")
        if content == "r2" and history["applied"] == "good":
            raise Fault("r1 is said to be applied, and the node is as r2 wants it")
        last = history["runs"][-1]
        return last["stage"] if last["stage"] != "ended" else last["outcome"]

    def evidence(self, run):
        puppet = (run["puppet"] or {}).get("process")
        return is_alive(run["process"]) or (puppet is not None and is_alive(puppet))

    def mend(self):
        """The next apply, and nothing else; then all is as it should be."""
        self.expect(0, "apply", "--wait-lock", str(PATIENCE))
        if self.content() != "r2":
            raise Fault(f"the next apply succeeded and left {self.content()}")
        self.expect(0, "verify", "--all")
        self.expect(0, "status")
        if self.look() not in ("changed", "unchanged"):
            raise Fault("the next apply is not the last run")
        state = self.root / "var/lib/localpuppet"
        litter = [p for p in state.glob("runs/.new-*")] + list(state.glob("last.*"))
        litter += list(state.glob(".localpuppet-*")) + list((state / "installing").glob("*"))
        if litter:
            raise Fault(f"left behind: {litter}")
        if self.manager == "apt":
            audit = ["dpkg", f"--admindir={self.root}/var/lib/dpkg", "--audit"]
            if told := run(audit):
                raise Fault(f"dpkg is not whole: {told}")

    def end(self):
        """Nothing of the node goes on."""
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
