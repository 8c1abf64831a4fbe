"""A person at a terminal: waits for texts and types, in a real pseudo-terminal.

usage: terminal.py STEPS COMMAND...   STEPS is JSON: [[text to wait for, text to type], ...]
Instead of typing: "SIZE 24 80" is another window, "SIGNAL TERM" is sent to the command, "HANG UP" takes
the terminal away, "END" waits until the command has ended.
Prints everything that the terminal showed. Exit 0 if all texts came, 1 if one didn't; after "END" the last
line on standard error is the command's exit code, or the negative number of the signal that ended it.
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
    if hung_up:
        return text == b""
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


def end():
    """Everything until the command closes the terminal by ending, and how it ended."""
    global ended_as
    wait_for(b"\0 nothing shows this")
    deadline = time.time() + 60
    while time.time() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            ended_as = os.waitstatus_to_exitcode(status)
            return True
        time.sleep(0.01)
    return False


ended_as = None
hung_up = False
size(24, 80)
ended = 1
for expected, typed in steps:
    if not wait_for(expected.encode()):
        break
    if typed.startswith("SIZE "):
        size(*map(int, typed.split()[1:]))
    elif typed.startswith("SIGNAL "):
        os.kill(pid, signal.Signals["SIG" + typed.split()[1]])
    elif typed == "HANG UP":
        os.close(terminal)
        hung_up = True
    elif typed == "END":
        if not end():
            break
    else:
        os.write(terminal, typed.encode())
else:
    ended = 0
if ended_as is None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
if not hung_up:
    os.close(terminal)
sys.stdout.buffer.write(shown)
if ended_as is not None:
    print(ended_as, file=sys.stderr)
sys.exit(ended)
