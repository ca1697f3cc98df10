"""Programs that a forked project has to run as one with an interpreter of its own, and such as try to change what the
next project finds. Each is a text, since it is run in a sandbox."""

from __future__ import annotations

PROGRAMS = {
    "puts its output back": "import io, sys; sys.stdout = io.StringIO(); sys.stdout = sys.__stdout__; print('here')",
    "leaves its output elsewhere": "import io, sys; print('here'); sys.stdout = io.StringIO(); print('there')",
    "prints": "print('out'); import sys; print('err', file=sys.stderr)",
    "where it is": "import os, sys; print(__name__, __file__, sys.argv, os.getcwd(), sys.executable, sys.path[0])",
    "its variables": "import os; print(sorted(item for item in os.environ.items()))",
    "exits with a number": "import sys; sys.exit(3)",
    "exits with words": "import sys; sys.exit('no data')",
    "ends at once": "import os; os._exit(5)",
    "raises": """\
def train():
    raise ValueError('no')

train()
""",
    "is no Python": """\
print('x'
next line
""",
    "is killed": "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
    "asks": "input('name? ')",
    "waits for its threads": """\
import threading, time
threading.Thread(target=lambda: (time.sleep(0.1), print('t'))).start()
print('m')
""",
    "has exit handlers": """\
import atexit
atexit.register(print, 'first registered')
atexit.register(print, 'last registered')
""",
    "raises in an exit handler": """\
import atexit

class Handler:
    def __repr__(self):
        return "handler"

    def __call__(self):
        1 / 0

atexit.register(Handler())
""",
    "has worker processes": """\
import multiprocessing as mp

def square(x):
    return x * x

if __name__ == '__main__':
    with mp.get_context('spawn').Pool(2) as pool:
        print(pool.map(square, [1, 2, 3]))
""",
    "pickles its own class": """\
import pickle

class A:
    pass

print(type(pickle.loads(pickle.dumps(A()))).__name__)
""",
    "writes to its temporary folder": """\
import tempfile; print(tempfile.gettempdir())
with tempfile.TemporaryFile() as f: f.write(b'x')
""",
    "does not see this program": "import pipeline",
    "has the same order of sets": "print(set('abcdefgh'), hash('word'))",
}

ATTACKS = {
    "patches": """\
import json, decimal, builtins
json.dumps = None
decimal.getcontext().prec = 3
builtins.len = lambda x: 0
""",
    "sets": """\
import os, sys, random
os.environ['A'] = 'b'
sys.path.insert(0, '/x')
sys.setrecursionlimit(77)
os.umask(0)
os.nice(5)
""",
    "leaves a thread": """\
import threading, time
threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
""",
    "leaves an exit handler": """\
import atexit, os
atexit.register(os.abort)
""",
    "leaves processes": """\
import os, time
for _ in range(5):
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)
        os._exit(0)
""",
    "leaves files": """\
import os
for place in ('.', '/dev/shm', os.environ['HOME'], os.environ['TMPDIR']):
    open(os.path.join(place, 'left'), 'w').write('x')
""",
    "takes descriptors": """\
import os
for fd in range(3, 256):
    try:
        os.write(fd, b'{}')
        os.close(fd)
    except OSError:
        pass
""",
    "signals everybody": """\
import os, signal
for pid in range(2, 40000):
    for number in (signal.SIGSTOP, signal.SIGKILL):
        try:
            if pid != os.getpid():
                os.kill(pid, number)
        except OSError:
            pass
""",
    "signals its group": """\
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.killpg(0, signal.SIGTERM)
os.kill(os.getppid(), signal.SIGKILL)
""",
    "blocks signals": """\
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
""",
    "lowers limits": """\
import resource
for number in (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE):
    resource.setrlimit(number, (8, 8))
""",
    "looks into its parent": """\
import os
for name in ('mem', 'maps', 'environ', 'fd'):
    try:
        print(open(f'/proc/{os.getppid()}/{name}', 'r+b').read(10))
    except OSError:
        pass
""",
    "writes shared memory": """\
from multiprocessing import shared_memory
m = shared_memory.SharedMemory('left', create=True, size=100)
m.buf[0] = 1
""",
    "forks a bomb": """\
import os
while True:
    try:
        os.fork()
    except OSError:
        break
""",
    "unfreezes the collector": """\
import gc
gc.unfreeze(); gc.collect(); gc.disable(); gc.set_threshold(1)
""",
    "writes to its interpreter": """\
import json, sys, os
for place in (json.__file__, sys.executable, os.path.dirname(json.__file__) + '/new.py'):
    try:
        open(place, 'w')
    except OSError:
        pass
""",
}
