"""A person at a terminal: waits for texts and types, in a real pseudo-terminal.

usage: terminal.py STEPS COMMAND...   STEPS is JSON: [[text to wait for, text to type], ...]
Prints everything that the terminal showed. Exit 0 if all texts came, 1 if one didn't.
"""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

steps = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
shown = b""
seen = 0


def size(rows, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def wait_for(text):
    global shown, seen
    deadline = time.time() + 60
    while True:
        at = shown.find(text, seen)
        if at >= 0:
            seen = at + len(text)
            return True
        ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.time()))
        try:
            data = os.read(terminal, 4096) if ready else b""
        except OSError:
            data = b""
        if not data:
            return False
        shown += data


size(24, 80)
ended = 1
for expected, typed in steps:
    if not wait_for(expected.encode()):
        break
    if typed.startswith("SIZE "):
        size(*map(int, typed.split()[1:]))
    else:
        os.write(terminal, typed.encode())
else:
    ended = 0
os.kill(pid, signal.SIGKILL)
os.close(terminal)
os.waitpid(pid, 0)
sys.stdout.buffer.write(shown)
sys.exit(ended)
