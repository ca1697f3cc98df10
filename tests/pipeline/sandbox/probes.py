"""Programs that try to get out of the sandbox, as a table: a name, and statements that raise OSError where they are held.

One that ends without an error has got through. Each runs in a process of its own, with the names that PRELUDE defines:
`facts` tells it of things of this machine that are not a project's business, and `reach` calls the kernel by a call's
number, with arguments that do no harm where nothing holds it: any answer but a refusal means that the call was reached.
"""

from __future__ import annotations

PRELUDE = '''
import ctypes, errno, fcntl, json, mmap, os, resource, signal, socket, stat, struct, subprocess, sys, time

NUMBERS = dict(
    ptrace=101, syslog=103, process_vm_readv=310, pidfd_open=434, pidfd_getfd=438, kcmp=312, clone=56, clone3=435,
    unshare=272, setns=308, mount=165, umount2=166, pivot_root=155, chroot=161, move_mount=429, open_tree=428,
    fsopen=430, mount_setattr=442, bpf=321, perf_event_open=298, userfaultfd=323, io_uring_setup=425,
    init_module=175, finit_module=313, kexec_load=246, reboot=169, swapon=167, acct=163, quotactl=179,
    sethostname=170, settimeofday=164, adjtimex=159, clock_adjtime=305, add_key=248, request_key=249, keyctl=250,
    name_to_handle_at=303, open_by_handle_at=304, memfd_secret=447, fanotify_init=300, iopl=172, ioperm=173,
    move_pages=279, modify_ldt=154, fchmodat2=452, personality=135, prlimit64=302, process_madvise=440, capset=126,
    shmget=29, open_tree_attr=467, vhangup=153, lookup_dcookie=212, openat2=437,
)
LIBC = ctypes.CDLL(None, use_errno=True)
REFUSALS = (errno.EPERM, errno.EACCES)
SAID_NOT_TO_EXIST = ("clone3", "openat2")


def reach(call, *arguments):
    numbers = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result = LIBC.syscall(NUMBERS[call], *numbers)
    error = ctypes.get_errno() if result == -1 else 0
    if error in REFUSALS or (error == errno.ENOSYS and call in SAID_NOT_TO_EXIST):
        raise OSError(error, "refused")
    return result


def reach_family(opened, family, kind):
    """A kernel without that family says so itself; a filter refuses before."""
    try:
        opened(family, kind)
    except OSError as error:
        if error.errno not in (errno.EAFNOSUPPORT, errno.EOPNOTSUPP, errno.ESOCKTNOSUPPORT):
            raise


def need(condition):
    if not condition:
        raise OSError("it is not so")
'''

# By kind: what a project may not get at. The numbers are those of x86-64.
DEVICES = {
    "block device by its name": "open(facts['block_device'], 'rb').read(512)",
    "block device made in the folder": """
number = os.makedev(*facts['block_numbers'])
os.mknod('block', 0o600 | stat.S_IFBLK, number)
open('block', 'rb').read(512)
""",
    "memory device made in /dev/shm": """
os.mknod('/dev/shm/made-%d' % os.getpid(), 0o600 | stat.S_IFCHR, os.makedev(1, 9))
os.unlink('/dev/shm/made-%d' % os.getpid())
""",
    "device made in /tmp": "os.mknod('/tmp/made-%d' % os.getpid(), 0o600 | stat.S_IFCHR, os.makedev(1, 11))",
    "kernel log device": "os.open('/dev/kmsg', os.O_RDONLY)",
    "physical memory": "os.listdir('/dev').index('loop-control') and os.open('/dev/loop-control', os.O_RDONLY)",
    "virtual machines": "need(os.path.exists('/dev/kvm')); os.open('/dev/kvm', os.O_RDWR)",
    "fuse": "need(os.path.exists('/dev/fuse')); os.open('/dev/fuse', os.O_RDWR)",
    "tunnel": "need(os.path.exists('/dev/net/tun')); os.open('/dev/net/tun', os.O_RDWR)",
    "terminals": "os.open('/dev/ptmx', os.O_RDWR)",
    "console": "os.open('/dev/console', os.O_WRONLY | os.O_NOCTTY)",
    "any device but the five": """
known = {'null', 'zero', 'full', 'random', 'urandom', 'shm', 'fd', 'stdin', 'stdout', 'stderr'}
need(set(os.listdir('/dev')) - known)
""",
}

SET_UID = {
    "chmod": "open('a', 'w').close(); os.chmod('a', 0o4755)",
    "fchmod": "file = open('b', 'w'); os.fchmod(file.fileno(), 0o4755)",
    "fchmodat": "open('c', 'w').close(); os.chmod('c', 0o2755, dir_fd=os.open('.', os.O_RDONLY))",
    "fchmodat2": "open('d', 'w').close(); need(reach('fchmodat2', -100, b'd', 0o4755, 0) == 0)",
    "open": "os.close(os.open('e', os.O_CREAT | os.O_WRONLY, 0o4755)); need(os.stat('e').st_mode & 0o4000)",
    "openat2": "need(reach('openat2', -100, b'h', struct.pack('QQQ', 0o101, 0o4755, 0), 24) > 0)",
    "mknod": "os.mknod('f', 0o4755 | stat.S_IFREG)",
    "mkdir and set-gid": "os.mkdir('g', 0o2777); os.chmod('g', 0o2777)",
    "rights by a set-uid program": """
program = next(path for path in ('/usr/bin/su', '/bin/su', '/usr/bin/passwd') if os.path.exists(path))
need(not os.statvfs(program).f_flag & os.ST_NOSUID)
""",
}

FILES = {
    "the user's file": "need('precious' in open(facts['secret']).read())",
    "the user's file by a link": "os.symlink(facts['secret'], 'link'); need('precious' in open('link').read())",
    "the user's file by /proc/1/root": "need(os.path.exists('/proc/%d/root%s' % (facts['traced'], facts['secret'])))",
    "the user's folder": "need(os.listdir(os.path.dirname(facts['secret'])))",
    "writing into the user's folder": "open(os.path.dirname(facts['secret']) + '/new-%d' % os.getpid(), 'w')",
    "this program's own files": "open(facts['repository'] + '/pyproject.toml').read()",
    "passwords": "open('/etc/shadow').read()",
    "users of this machine": "need('root:' in open('/etc/passwd').read())",
    "name of this machine": "open('/etc/hostname').read()",
    "name of this machine by a call": "need(os.uname().nodename == facts['host_name'])",
    "folders of other runs": "need([name for name in os.listdir('/tmp')])",
    "services' run files": "need(os.listdir('/run'))",
    "a socket of this machine": """
client = socket.socket(socket.AF_UNIX)
client.connect(facts['socket'])
""",
    "an abstract socket of this machine": """
client = socket.socket(socket.AF_UNIX)
client.connect(chr(0) + facts['abstract'])
""",
    "a pipe of this machine": "os.open(facts['fifo'], os.O_RDWR | os.O_NONBLOCK)",
    "the system's programs, to write": "os.open('/usr/bin/env', os.O_WRONLY)",
    "a new file among libraries": "open('/usr/lib/probe-%d' % os.getpid(), 'w'); os.unlink('/usr/lib/probe-%d' % os.getpid())",
    "Python's own files, to write": "os.open(os.__file__, os.O_WRONLY)",
    "kernel settings": "os.open('/proc/sys/kernel/core_pattern', os.O_WRONLY)",
    "the kernel's caches": "os.open('/proc/sys/vm/drop_caches', os.O_WRONLY)",
    "settings of the hardware": "need(os.listdir('/sys/class')) and None",
    "control groups": "need(os.listdir('/sys/fs/cgroup'))",
    "a file by its number": """
number = ctypes.create_string_buffer(struct.pack('Ii', 128, 0) + bytes(128))
reach('open_by_handle_at', os.open('/', os.O_RDONLY), number, 0)
""",
    "the number of a file": "reach('name_to_handle_at', -100, b'/nonexistent', ctypes.create_string_buffer(136), 0, 0)",
    "out of a root folder": "os.chroot('.')",
    "descriptors that were open": "need([fd for fd in os.listdir('/proc/self/fd') if int(fd) not in facts['own_descriptors']])",
    "a socket that was open": """
links = [f'/proc/self/fd/{fd}' for fd in os.listdir('/proc/self/fd')]
need(any(os.readlink(link).startswith('socket') for link in links if os.path.lexists(link)))
""",
}

KEYS = {
    "the session's keys": """
key = reach('keyctl', 10, -3, b'user', b'dlcodegen-probe', 0)  # search in the session's keyring
need(key > 0)
text = ctypes.create_string_buffer(100)
need(reach('keyctl', 11, key, text, 100) > 0 and b'precious' in text.raw)
""",
    "a key asked for": "need(reach('request_key', b'user', b'dlcodegen-probe', 0, 0) > 0)",
    "a key added": "need(reach('add_key', b'user', b'another', b'text', 4, -3) > 0)",
    "keys in /proc": "need('dlcodegen-probe' in open('/proc/keys').read())",
}

NAMESPACES = {
    "users by unshare": "need(reach('unshare', 0x10000000) == 0)",
    "users by clone": """
child = reach('clone', 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)
child == 0 and os._exit(0)
need(child > 0)
""",
    "users by clone3": """
child = reach('clone3', struct.pack('8Q', 0x10000000, 0, 0, 0, signal.SIGCHLD, 0, 0, 0), 64)
child == 0 and os._exit(0)
need(child > 0)
""",
    "users by unshare's program": "subprocess.run(['unshare', '--user', 'true'], check=True, stderr=subprocess.DEVNULL)",
    "mounts by unshare": "need(reach('unshare', 0x20000) == 0)",
    "another's": "reach('setns', -1, 0)",
    "mount": "reach('mount', b'none', b'/nonexistent', b'tmpfs', 0, 0)",
    "unmount": "reach('umount2', b'/nonexistent', 0)",
    "pivot_root": "reach('pivot_root', b'/nonexistent', b'/nonexistent')",
    "fsopen": "need(reach('fsopen', b'tmpfs', 0) > 0)",
    "open_tree": "reach('open_tree', -1, b'nonexistent', 1)",
    "open_tree_attr": "reach('open_tree_attr', -1, b'nonexistent', 1, 0, 0)",
    "move_mount": "reach('move_mount', -1, b'nonexistent', -1, b'nonexistent', 0)",
    "mount_setattr": "reach('mount_setattr', -1, b'nonexistent', 0, bytes(32), 32)",
}

PROCESSES = {
    "a signal to another process": "os.kill(facts['victim'], 0)",
    "all processes of this machine": "need(len([name for name in os.listdir('/proc') if name.isdigit()]) > 12)",
    "another's environment": "open('/proc/%d/environ' % facts['victim'], 'rb').read()",
    "the first process's environment": "open('/proc/%d/environ' % facts['traced'], 'rb').read()",
    "the first process's memory": "open('/proc/%d/mem' % facts['traced'], 'rb')",
    "the first process's descriptors": "os.listdir('/proc/%d/fd' % facts['traced'])",
    "the first process's limits, to read": "need(reach('prlimit64', 1, 7, 0, ctypes.create_string_buffer(16)) == 0)",
    "the supervisor's limits": "need(reach('prlimit64', os.getppid(), 7, 0, ctypes.create_string_buffer(16)) == 0)",
    "another's limits": "resource.prlimit(facts['victim'], resource.RLIMIT_NOFILE)",
    "ptrace": "need(reach('ptrace', 0x4206, facts['traced'], 0, 0) == 0)",
    "another's memory by a call": "reach('process_vm_readv', facts['traced'], 0, 0, 0, 0, 0)",
    "another's descriptors by a call": """
handle = os.pidfd_open(facts['traced'])
need(reach('pidfd_getfd', handle, 0, 0) > 0)
""",
    "comparing with another": "reach('kcmp', os.getpid(), facts['traced'], 0, 0, 0)",
    "advice on another's memory": "reach('process_madvise', -1, 0, 0, 0, 0)",
    "its own protection from the kernel's choice": "os.write(os.open('/proc/self/oom_score_adj', os.O_WRONLY), b'0')",
}

NETWORK = {
    "this machine, by TCP": "socket.create_connection(('127.0.0.1', facts['port']), timeout=3)",
    "this machine, by UDP": """
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.sendto(b'x', ('127.0.0.1', facts['port']))
""",
    "this machine, by IPv6": """
client = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
client.sendto(b'x', ('::1', facts['port']))
""",
    "an address outside": """
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.connect(('192.0.2.1', 9))
""",
    "interfaces": "need(len(socket.if_nameindex()) > 1)",
    "the host of a virtual machine": "reach_family(socket.socket, 40, socket.SOCK_STREAM)",
    "packets": "reach_family(socket.socket, 17, socket.SOCK_RAW)",
    "the kernel's ciphers": "reach_family(socket.socket, 38, socket.SOCK_SEQPACKET)",
    "raw IP": "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
    "a pair of another family": "reach_family(socket.socketpair, 30, socket.SOCK_STREAM)",
}

KERNEL = {
    "bpf": "reach('bpf', 0, 0, 0)",
    "perf_event_open": "reach('perf_event_open', 0, 0, -1, -1, 0)",
    "userfaultfd": "need(reach('userfaultfd', 0) > 0)",
    "io_uring": "reach('io_uring_setup', 1, 0)",
    "init_module": "reach('init_module', 0, 0, b'')",
    "finit_module": "reach('finit_module', -1, b'', 0)",
    "kexec": "reach('kexec_load', 0, 99, 0, 0)",
    "reboot": "reach('reboot', 0, 0, 0, 0)",
    "swapon": "reach('swapon', b'/nonexistent', 0)",
    "acct": "reach('acct', b'/nonexistent')",
    "quotactl": "reach('quotactl', 0x80000700, b'/nonexistent', 0, 0)",
    "syslog": "need(reach('syslog', 10, 0, 0) >= 0)",
    "sethostname": "reach('sethostname', 0, -1)",
    "settimeofday": "reach('settimeofday', 0, 0)",
    "adjtimex": "reach('adjtimex', bytes(256))",
    "clock_adjtime": "reach('clock_adjtime', 0, bytes(256))",
    "memfd_secret": "reach('memfd_secret', 0xFFFF)",
    "fanotify": "need(reach('fanotify_init', 0, 0) > 0)",
    "ports": "reach('iopl', 0)",
    "ioperm": "reach('ioperm', 0, 0, 0)",
    "move_pages": "reach('move_pages', 0, 0, 0, 0, 0, 0)",
    "modify_ldt": "reach('modify_ldt', 0, 0, 0)",
}

RIGHTS = {
    "being root": "need(os.getuid() == 0 or os.geteuid() == 0)",
    "becoming root": "os.setuid(0)",
    "groups": "os.setgroups([0])",
    "giving files away": "open('mine', 'w').close(); os.chown('mine', 0, 0)",
    "a capability": "need(int(open('/proc/self/status').read().split('CapBnd:')[1].split()[0], 16))",
    "new privileges": "need('NoNewPrivs:\\t1' not in open('/proc/self/status').read())",
    "no filter": "need('Seccomp:\\t2' not in open('/proc/self/status').read())",
    "a higher priority": "os.nice(-5)",
    "more open files": "resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))",
    "core dumps": "resource.setrlimit(resource.RLIMIT_CORE, (2**20, 2**20))",
    "larger files": "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))",
}

TABLE: dict[str, str] = {
    f"{kind}: {name}": code
    for kind, probes in {
        "devices": DEVICES,
        "set-uid": SET_UID,
        "files": FILES,
        "keys": KEYS,
        "namespaces": NAMESPACES,
        "processes": PROCESSES,
        "network": NETWORK,
        "kernel": KERNEL,
        "rights": RIGHTS,
    }.items()
    for name, code in probes.items()
}

# What runs the table where it is: in a sandbox as the project, and for comparison on the machine itself.
RUNNER = (
    PRELUDE
    + '''
def attempt(code):
    """"through", or what held it."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(20)
            exec(code, globals())
            said = "through"
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(writer, said.encode()[:200])
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as stream:
        said = stream.read().decode("utf-8", "replace")
    _, status = os.waitpid(child, 0)
    return said or f"ended with {os.waitstatus_to_exitcode(status)}"


facts = json.load(open("facts.json"))
# Of the runner itself, its attempts and the list being read.
facts["own_descriptors"] = [0, 1, 2, *range(3, 6)]
print(json.dumps({name: attempt(code) for name, code in json.load(open("table.json")).items()}))
'''
)
