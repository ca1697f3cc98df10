"""Each property of the sandbox, tried from inside by a project that attacks it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.records import SourceFile
from pipeline.sandbox.process import ProcessSandbox
from pipeline.sandbox.results import read_results
from pipeline.sandbox.sandbox import Execution, Limits
from tests.waiting import scaled, wait_until

ROOT = Path(__file__).parents[3]
SOON = Limits(seconds=20, memory_bytes=2**30, processes=20)


@pytest.fixture(scope="module")
def sandbox() -> ProcessSandbox:
    try:
        return ProcessSandbox()
    except DLCodeGenError as error:
        pytest.skip(str(error))


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        yield server


def run(sandbox: ProcessSandbox, code: str, limits: Limits = SOON) -> Execution:
    return sandbox.run([SourceFile(path="project.py", text=textwrap.dedent(code))], "project.py", limits)


def running(marker: str) -> list[int]:
    """The processes of this machine that have the marker in their command line."""
    processes = psutil.process_iter(["cmdline"])
    return [process.pid for process in processes if any(marker in part for part in process.info["cmdline"] or [])]


def test_files_output_and_exit_code(sandbox: ProcessSandbox) -> None:
    files = [
        SourceFile(
            path="src/main.py", text="import sys\nfrom helper import x\nprint(x)\nprint('w', file=sys.stderr)\nexit(3)"
        ),
        SourceFile(path="src/helper.py", text="x = open('data/ä.txt', encoding='utf-8').read()"),
        SourceFile(path="data/ä.txt", text="ü€"),
    ]
    execution = sandbox.run(files, "src/main.py", SOON)
    assert (execution.exit_code, execution.stdout_tail, execution.stderr_tail) == (3, "ü€\n", "w\n")
    assert not execution.ok
    assert 0 < execution.seconds < 20
    assert execution.peak_memory_bytes > 2**20


def test_every_run_has_a_folder_of_its_own_that_goes_with_it(sandbox: ProcessSandbox) -> None:
    code = """
        import os, tempfile
        print(os.getcwd(), os.path.expanduser("~"), tempfile.gettempdir())
        for folder in (".", os.path.expanduser("~"), tempfile.gettempdir(), "/dev/shm"):
            print(os.listdir(folder))
            open(f"{folder}/left", "w").close()
        os.makedirs("a/b"); open("a/b/c", "w").close(); os.chmod("a/b", 0); os.chmod("a", 0)
    """
    first, second = (run(sandbox, code) for _ in range(2))
    assert first.ok, first
    assert first.stdout_tail.splitlines() == [
        "/sandbox/project /sandbox/home /sandbox/tmp",
        *("['project.py']", "[]", "[]", "[]"),
    ]
    assert second.stdout_tail == first.stdout_tail
    assert not os.path.exists("/sandbox")


@pytest.mark.parametrize(
    "path", ["../outside.py", "/etc/outside.py", "a/../../b.py", "", ".", "a/" + "b" * 300, "\udc80"]
)
def test_files_stay_in_the_folder(sandbox: ProcessSandbox, path: str) -> None:
    with pytest.raises(StageFailure) as raised:
        sandbox.run([SourceFile(path=path, text="")], "project.py", SOON)
    assert raised.value.kind == "unsafe_path"


def test_an_endless_loop_is_stopped(sandbox: ProcessSandbox) -> None:
    execution = run(sandbox, "print('started', flush=True)\nwhile True: pass", Limits(seconds=1))
    assert execution.timed_out
    assert execution.stdout_tail == "started\n"
    assert 1 <= execution.seconds < 5


def test_signals_do_not_keep_a_project_alive(sandbox: ProcessSandbox) -> None:
    code = """
        import signal, time
        for number in set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN)
        time.sleep(60)
    """
    assert run(sandbox, code, Limits(seconds=1)).timed_out


def test_a_fork_bomb_is_stopped(sandbox: ProcessSandbox) -> None:
    execution = run(sandbox, "import os\nwhile True: os.fork()", Limits(seconds=30, processes=20, memory_bytes=2**36))
    assert execution.stopped == "processes"
    assert execution.seconds < 15


def test_memory_is_bounded_over_all_processes(sandbox: ProcessSandbox) -> None:
    one = run(sandbox, "x = []\nwhile True: x.append(b'x' * 10**7)", Limits(seconds=30, memory_bytes=3 * 10**8))
    assert one.stopped == "memory_bytes"
    four = """
        import os, time
        for _ in range(3):
            if os.fork() == 0: break
        x = b"x" * 10**8
        time.sleep(30)
    """
    assert run(sandbox, four, Limits(seconds=20, memory_bytes=3 * 10**8)).stopped == "memory_bytes"


def test_pages_that_forked_workers_share_count_once(sandbox: ProcessSandbox) -> None:
    code = """
        import os, time
        x = b"x" * 10**8
        for _ in range(5):
            if os.fork() == 0:
                time.sleep(0.5); os._exit(0)
        for _ in range(5): os.wait()
    """
    assert run(sandbox, code, Limits(seconds=20, memory_bytes=3 * 10**8)).ok


def test_address_space_is_free(sandbox: ProcessSandbox) -> None:
    code = "import mmap\nx = mmap.mmap(-1, 2**36, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=mmap.PROT_READ)"
    assert run(sandbox, code, Limits(seconds=10, memory_bytes=2**28)).reason() == ""


def test_of_a_giant_output_the_end_is_kept(sandbox: ProcessSandbox) -> None:
    code = """
        import sys
        for _ in range(300_000): print("x" * 1000)
        print("the end")
        sys.stderr.write("y" * 10**7 + "fin")
    """
    execution = run(sandbox, code, Limits(seconds=60, output_bytes=1000))
    assert execution.ok
    assert (len(execution.stdout_tail), len(execution.stderr_tail)) == (1000, 1000)
    assert execution.stdout_tail.endswith("the end\n")
    assert execution.stderr_tail.endswith("yfin")


def test_a_giant_file_cannot_be_written(sandbox: ProcessSandbox) -> None:
    code = "file = open('big', 'wb')\nwhile True: file.write(bytes(10**6))"
    execution = run(sandbox, code, Limits(seconds=20, file_bytes=10**7))
    # Whichever bound is met first: that of a file, or that of all files.
    assert execution.stopped == "file_bytes" or execution.reason() == "OSError: [Errno 27] File too large"


def test_many_files_cannot_fill_the_disk(sandbox: ProcessSandbox) -> None:
    code = """
        import itertools, time
        for number in itertools.count():
            open(f"../tmp/{number}", "wb").write(bytes(10**6))
            time.sleep(0.01)
    """
    assert run(sandbox, code, Limits(seconds=20, file_bytes=2 * 10**7)).stopped == "file_bytes"


def test_a_child_does_not_outlive_its_parent(sandbox: ProcessSandbox) -> None:
    marker = f"outlives-{os.getpid()}"
    code = f"""
        import os, subprocess, sys
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                subprocess.run([sys.executable, "-c", "import time; time.sleep(600)", "{marker}"])
            os._exit(0)
        import time
        time.sleep(0.5)
        print("parent ends")
    """
    execution = run(sandbox, code)
    assert execution.stdout_tail == "parent ends\n"
    assert execution.seconds < scaled(10)
    assert running(marker) == []


def test_nothing_outlives_the_program_that_started_it(sandbox: ProcessSandbox, tmp_path: Path) -> None:
    marker = f"orphan-{os.getpid()}"
    (tmp_path / "starter.py").write_text(
        textwrap.dedent(f"""
            from pipeline.sandbox.process import ProcessSandbox
            from pipeline.sandbox.sandbox import Limits
            from pipeline.records import SourceFile
            code = 'import os; os.execlp("sleep", "{marker}", "600")'
            ProcessSandbox().run([SourceFile(path="p.py", text=code)], "p.py", Limits(seconds=600))
        """)
    )
    starter = subprocess.Popen(
        [sys.executable, str(tmp_path / "starter.py")],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
    )
    assert wait_until(lambda: running(marker), 60)
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    assert wait_until(lambda: not running(marker), 60)


def test_no_network_not_even_to_this_machine(sandbox: ProcessSandbox, listener: socket.socket) -> None:
    host, port = listener.getsockname()
    code = f"import socket\nsocket.create_connection(('{host}', {port}), timeout=5)\nprint('connected')"
    execution = run(sandbox, code)
    assert "Network is unreachable" in execution.reason()
    with pytest.raises(TimeoutError):
        listener.accept()
    # The same attempt gets through where the network is allowed, so it is the sandbox that stops it.
    assert run(ProcessSandbox(allow_network=True), code).stdout_tail == "connected\n"


def test_no_secret_of_the_environment(sandbox: ProcessSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUD_TOKEN", "s3cr3t-value")
    other = subprocess.Popen(["sleep", "60"], env={"CLOUD_TOKEN": "s3cr3t-value"})
    code = """
        import glob, os
        texts = [str(os.environ)]
        for path in glob.glob("/proc/*/environ"):
            try: texts.append(open(path).read())
            except OSError: pass
        print(len(texts), "s3cr3t-value" in "".join(texts), os.environ["GIVEN"])
    """
    try:
        execution = run(ProcessSandbox(environment={"GIVEN": "yes"}), code)
    finally:
        other.kill()
        other.wait()
    assert execution.stdout_tail.split()[1:] == ["False", "yes"]


def test_other_processes_cannot_be_signalled(sandbox: ProcessSandbox) -> None:
    other = subprocess.Popen(["sleep", "60"])
    try:
        execution = run(sandbox, f"import os\nos.kill({other.pid}, 9)")
        assert execution.reason() == "ProcessLookupError: [Errno 3] No such process"
        assert other.poll() is None
        # Neither can the supervisor, which is the first process of the project's namespace.
        assert run(sandbox, "import os, time\nos.kill(1, 9)\ntime.sleep(0.2)\nprint('here')").stdout_tail == "here\n"
    finally:
        other.kill()
        other.wait()


def test_other_files_cannot_be_written(sandbox: ProcessSandbox, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("data")
    code = f"""
        import os, multiprocessing
        for attempt in (
            lambda: open("{tmp_path}/new", "w"),
            lambda: open("{tmp_path}/precious", "a"),
            lambda: os.remove("{tmp_path}/precious"),
            lambda: open("/proc/sys/kernel/core_pattern", "w"),
        ):
            try: attempt(); print("done")
            except OSError as error: print(error.errno)
        multiprocessing.Lock()  # needs a /dev/shm that can be written
    """
    execution = run(sandbox, code)
    assert execution.reason() == ""
    assert "done" not in execution.stdout_tail
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_no_privileges_can_be_had(sandbox: ProcessSandbox) -> None:
    code = """
        import ctypes, os
        libc, here = ctypes.CDLL(None), os.getcwd().encode()
        print(libc.mount(b"none", here, b"tmpfs", 0, b""), libc.umount(b"/proc"), libc.sethostname(b"x", 1))
        print([line for line in open("/proc/self/status") if line.startswith(("CapEff", "CapBnd", "NoNewPrivs"))])
        print(libc.unshare(0x10000000 | 0x20000), libc.mount(b"", b"/", b"", 0x20 | 0x1000, b""))  # remount, writable
        open("/etc/written", "w")
    """
    execution = run(sandbox, code)
    lines = execution.stdout_tail.splitlines()
    assert lines[0] == "-1 -1 -1"
    assert lines[1] == str(["CapEff:\t0000000000000000\n", "CapBnd:\t0000000000000000\n", "NoNewPrivs:\t1\n"])
    assert lines[2].endswith("-1")
    assert "Read-only file system" in execution.reason()


def test_input_is_closed_and_the_kernel_prefers_to_kill_the_project(sandbox: ProcessSandbox) -> None:
    execution = run(sandbox, "import sys\nprint(repr(sys.stdin.read()), open('/proc/self/oom_score_adj').read())")
    assert execution.stdout_tail.split() == ["''", "1000"]


def test_death_by_signal(sandbox: ProcessSandbox) -> None:
    execution = run(sandbox, "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)")
    assert (execution.exit_code, execution.reason()) == (128 + signal.SIGSEGV, "exit code 139")


def test_a_python_that_is_none() -> None:
    with pytest.raises(DLCodeGenError, match="no Python to run projects with"):
        ProcessSandbox("/nonexistent/python", allow_network=True)


HOSTILE_FOLDER = """
import os, stat
for _ in range(3000):
    os.mkdir("d" * 40)
    os.chdir("d" * 40)
os.chdir("/sandbox/project" if os.path.isdir("/sandbox/project") and "WEAK" not in globals() else START)
os.mkdir("closed"); open("closed/file", "w").close(); os.chmod("closed", 0)
os.mkdir("links")
for number in range(10):
    os.symlink(PRECIOUS, f"links/{number}")
    os.symlink(os.path.dirname(PRECIOUS), f"links/folder-{number}")
os.symlink("loop", "loop"); os.mkfifo("pipe"); open(b"\\xff\\n", "w").close()
os.chmod("links", 0o500)
print("made")
"""


def test_the_batch_goes_on_after_a_folder_that_is_hard_to_remove(sandbox: ProcessSandbox, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("data")
    precious.chmod(0o640)
    code = f"PRECIOUS = {str(precious)!r}\nimport os\nSTART = os.getcwd()\n{HOSTILE_FOLDER}"
    assert run(sandbox, code).stdout_tail == "made\n"
    assert run(sandbox, "print('next')").stdout_tail == "next\n"
    assert (precious.read_text(), precious.stat().st_mode & 0o777) == ("data", 0o640)


def test_of_what_a_project_leaves_plain_files_come_back(sandbox: ProcessSandbox, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("precious")
    code = f"""
        import os
        os.makedirs("out/deep"); open("out/deep/a.csv", "w").write("1,2"); open("b.txt", "w").write("no")
        os.symlink("{tmp_path}/secret", "link.csv"); os.symlink("/etc/passwd", "users.csv"); os.mkfifo("pipe.csv")
        os.mkdir("folder.csv"); open("large.csv", "w").write("x" * 2000); os.symlink("/", "out/root")
    """
    files = [SourceFile(path="project.py", text=textwrap.dedent(code))]
    limits = Limits(seconds=20, result_bytes=1000)
    results = sandbox.run(files, "project.py", limits, results=["*.csv"]).results
    assert [(file.path, file.size, file.content) for file in results] == [
        ("large.csv", 2000, None),
        ("out/deep/a.csv", 3, b"1,2"),
    ]


def test_of_many_files_those_in_the_fewest_folders_come_back(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for number in range(300):
        (tmp_path / "data" / f"{number}.png").write_bytes(b"1")
    (tmp_path / "plot.png").write_bytes(b"2")
    files = read_results(str(tmp_path), ["*.png"], 1000)
    assert (len(files), files[0].path, files[1].path) == (200, "plot.png", "data/0.png")


def test_results_come_back_from_a_project_that_is_stopped(sandbox: ProcessSandbox) -> None:
    code = "open('a.csv', 'w').write('1')\nwhile True: pass"
    files = [SourceFile(path="project.py", text=code)]
    execution = sandbox.run(files, "project.py", Limits(seconds=1), results=["*.csv"])
    assert (execution.stopped, [file.content for file in execution.results]) == ("seconds", [b"1"])


def test_data_that_is_given_can_be_read_and_nothing_beside_it(sandbox: ProcessSandbox, tmp_path: Path) -> None:
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(parent.stat().st_mode | 0o055)
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "a.csv").write_text("1,2")
    (tmp_path / "answers.csv").write_text("hidden")
    code = f"""
        import os
        print(open("data/a.csv").read(), open("{tmp_path}/train/a.csv").read(), os.listdir("{tmp_path}"))
        for attempt in (
            lambda: open("data/a.csv", "w"), lambda: open("data/new", "w"), lambda: os.remove("data/a.csv"),
            lambda: os.chmod("data/a.csv", 0o777), lambda: open("data/../../answers.csv"),
        ):
            try: attempt(); print("done")
            except OSError: pass
    """
    files = [
        SourceFile(path="project.py", text=textwrap.dedent(code)),
        SourceFile(path="data/a.csv", text="the project's own"),
    ]
    given = {"data": tmp_path / "train", str(tmp_path / "train"): tmp_path / "train"}
    execution = sandbox.run(files, "project.py", SOON, given=given)
    assert execution.stdout_tail == "1,2 1,2 ['train']\n", execution


def test_given_data_that_the_project_s_user_may_not_read_is_said_so(sandbox: ProcessSandbox, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: others run projects as themselves")
    (tmp_path / "own.csv").write_text("1,2")
    (tmp_path / "own.csv").chmod(0o600)
    files = [SourceFile(path="project.py", text="")]
    with pytest.raises(StageFailure, match="chmod -R o"):
        sandbox.run(files, "project.py", SOON, given={"own.csv": tmp_path / "own.csv"})


def test_without_namespaces(sandbox: ProcessSandbox) -> None:
    """Inside a sandbox there are no further namespaces: one in it is refused, or runs without them on demand."""
    marker = f"escaped-{os.getpid()}"
    code = f"""
        import time
        from pipeline.errors import DLCodeGenError
        from pipeline.records import SourceFile
        from pipeline.sandbox.process import ProcessSandbox
        from pipeline.sandbox.sandbox import Limits
        try: ProcessSandbox()
        except DLCodeGenError as error: print("set accept_weaker" in str(error))
        sandbox = ProcessSandbox(accept_weaker=True)
        def run(code, **limits): return sandbox.run([SourceFile(path="p.py", text=code)], "p.py", Limits(**limits))
        escape = '''
        import os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(0.3)
                os.execlp("sleep", "{marker}", "600")
            os._exit(0)
        time.sleep(1)
        '''
        import textwrap, glob
        print(run(textwrap.dedent(escape)).exit_code)
        print(run("while True: pass", seconds=1).stopped)
        # No more of them than the outer sandbox allows: both watch, and either may be the first to look.
        bomb = "import os, time\\nfor _ in range(30): os.fork() or time.sleep(60)\\ntime.sleep(60)"
        print(run(bomb, processes=10).stopped)
        print(any(b"{marker}" in open(path, "rb").read() for path in glob.glob("/proc/[0-9]*/cmdline")))
        import os, stat, tempfile
        with open("precious", "w") as file: file.write("data")
        os.chmod("precious", 0o640)
        before = os.listdir(tempfile.gettempdir())
        start = f"WEAK = 1\\nPRECIOUS = '/sandbox/project/precious'\\nimport os\\nSTART = os.getcwd()\\n"
        print(run(start + {HOSTILE_FOLDER!r}).stdout_tail.strip(), os.listdir(tempfile.gettempdir()) == before)
        print(open("precious").read(), oct(os.stat("precious").st_mode))
    """
    packages = os.pathsep.join([str(ROOT), *(path for path in sys.path if path.endswith("site-packages"))])
    execution = run(ProcessSandbox(environment={"PYTHONPATH": packages}), code, Limits(seconds=60))
    assert execution.stdout_tail.split() == [
        *("True", "0", "seconds", "processes", "False"),
        *("made", "True", "data", "0o100640"),
    ], execution
