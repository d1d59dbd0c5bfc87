#!/usr/bin/env python3
"""Wall times of one ceremony over each carrier, and what an operator's memory is at a server in hostile hands.

    benches/carriers.py target/release/quorate [--server NATS-SERVER] [--validators 1000]
    benches/carriers.py target/release/quorate [--server NATS-SERVER] --hostile [--shape 13,9,1000]

The first runs 3 of 4 operators: over connections on loopback, over a NATS server on loopback (both with all four at work at the same time), and over a
folder on one disk, where they visit one after the other and are never there together. Times are from the start of the first until the last has written its
outputs and ended, without keystores. The second has all operators at one server with its default `max_payload`, and beside them a user of that server who
may do all: purges the stream, says again under other names what others have said, and fills shelves with junk. It prints the peak memory (`VmHWM`) of
each operator. Standard library alone; files are in a folder of their own, which is removed.
"""

import argparse
import os
import pathlib
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

NAMES = [f"host{chr(a)}{chr(b)}" for a in b"abcd" for b in b"abcdefgh"]
PURGES = 5  # then the ceremony may end
FLOOD = 256 << 20  # bytes of junk


class Scene:
    def __init__(self, quorate, folder, n, t, v):
        self.quorate, self.folder, self.n, self.names = quorate, folder, n, NAMES[:n]
        self.ports = []
        holding = [socket.socket() for _ in self.names]
        for held in holding:
            held.bind(("127.0.0.1", 0))
            self.ports.append(held.getsockname()[1])
        for held in holding:
            held.close()
        args = ["spec", "new", "--name", "Carriers", "--network", "hoodi", "--threshold", str(t), "--validators", str(v)]
        args += ["--withdrawal", "0x1111111111111111111111111111111111111111", "--compounding", "false", "-o", "ceremony.toml"]
        for name, port in zip(self.names, self.ports):
            secret = folder / f"{name}.pass"
            secret.write_text(f"the words of {name}\n")
            secret.chmod(0o600)
            made = self.done(name, "identity", "new", "--name", name, "--kdf-cost", "10")
            card = next(word for word in made.split() if word.startswith("quorate1"))
            args += ["--operator", f"{card}@127.0.0.1:{port}"]
        self.done(None, *args)
        shown = self.done(None, "--json", "spec", "check", "ceremony.toml")
        self.words = re.search(r'"fingerprint":\s*"([^"]+)"', shown)[1]
        self.digest = re.search(r'"digest":\s*"([0-9a-f]{64})"', shown)[1]

    def command(self, name, args):
        own = ["--dir", name, "--passphrase-file", f"{name}.pass"] if name else []
        return [str(self.quorate), *own, *args]

    def done(self, name, *args):
        ended = subprocess.run(self.command(name, args), cwd=self.folder, capture_output=True, text=True)
        if ended.returncode != 0:
            sys.exit(f"{args}: {ended.stdout}{ended.stderr}")
        return ended.stdout

    def taking_part(self, command, *more):
        return [command, "ceremony.toml", "--yes-fingerprint", self.words, "--no-keystores", *more]

    def together(self, more_of):
        """All at the same time; the peak memory of each, in MiB."""
        running = {}
        for i, name in enumerate(self.names):
            command = self.command(name, self.taking_part("run", *more_of(i)))
            with open(self.folder / f"{name}.log", "w") as log:
                running[name] = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        peaks = dict.fromkeys(self.names, 0)
        while running:
            for name, process in list(running.items()):
                try:
                    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
                    found = re.search(r"VmHWM:\s*(\d+) kB", status)
                    peaks[name] = max(peaks[name], int(found[1]) // 1024 if found else 0)
                except OSError:
                    pass
                code = process.poll()
                if code is not None:
                    del running[name]
                    if code != 0:
                        for other in running.values():
                            other.kill()
                        sys.exit(f"{name} ended with {code}: {(self.folder / f'{name}.log').read_text()}")
            time.sleep(0.05)
        self.agree()
        return peaks

    def in_turns(self, board):
        visits = 0
        while True:
            ended = [self.done(name, "--json", *self.taking_part("step", "--board", str(board))) for name in self.names]
            visits += 1
            if all(re.search(r'"finished":\s*true', said) for said in ended):
                break
        self.agree()
        return visits

    def agree(self):
        of = lambda name: next((self.folder / name / "ceremonies").glob("*/out/public/transcript.quorate")).read_bytes()
        if len({of(name) for name in self.names}) != 1:
            sys.exit("transcripts differ")


class Server:
    """A NATS server with JetStream, as it comes."""

    def __init__(self, program, folder):
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            self.port = held.getsockname()[1]
        command = [program, "-js", "-sd", str(folder), "-a", "127.0.0.1", "-p", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except OSError:
                if self.process.poll() is not None or time.monotonic() > until:
                    self.process.kill()
                    sys.exit(f"{program} did not start")
                time.sleep(0.05)
        self.url = f"nats://127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def hostile(server, scene, over, told):
    """Purges, replays and floods, until told that it is over."""
    topic = scene.digest
    line = socket.create_connection(("127.0.0.1", server.port))
    reading = line.makefile("rb")
    lock = threading.Lock()

    def say(data):
        with lock:
            line.sendall(data)

    def publish(subject, payload):
        say(f"PUB {subject} {len(payload)}\r\n".encode() + payload + b"\r\n")

    heard = []

    def listen():
        kept = 0
        while said := reading.readline():
            if said.startswith(b"PING"):
                say(b"PONG\r\n")
            elif said.startswith(b"MSG "):
                words = said.split()
                payload = reading.read(int(words[-1]) + 2)[:-2]
                if kept < 64 << 20:
                    kept += len(payload)
                    heard.append((words[1].decode(), payload))

    say(f'CONNECT {{"verbose":false}}\r\nSUB quorate.1.{topic}.> 1\r\n'.encode())
    threading.Thread(target=listen, daemon=True).start()
    flooded = 0
    while not over.wait(1):
        if told["purges"] < PURGES and heard:
            say(f"PUB $JS.API.STREAM.PURGE.quorate-{topic[:32]} 0\r\n\r\n".encode())
            told["purges"] += 1
        # What was said once, under names that nobody has seen; and with a byte changed.
        for subject, payload in heard[-200:] if told["replays"] < 5000 else []:
            words = subject.split(".")
            words[4] = words[4][:64] + "-" + secrets.token_hex(8)
            publish(".".join(words), payload)
            words[4] = words[4][:64] + "-" + secrets.token_hex(8)
            publish(".".join(words), payload[:-1] + bytes([payload[-1] ^ 1]) if payload else payload)
            told["replays"] += 2
            flooded += 2 * len(payload)
        for seat in range(1, scene.n + 1):
            if flooded < FLOOD and heard:
                subject, payload = secrets.choice(heard)
                words = subject.split(".")
                words[4] = secrets.token_hex(32) + "-" + secrets.token_hex(8)
                publish(".".join(words), secrets.token_bytes(len(payload)))
                told["junk"] += 1
                flooded += len(payload)
    told["bytes"] = flooded
    line.close()


def main():
    parsing = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parsing.add_argument("quorate", type=pathlib.Path)
    parsing.add_argument("--server", default=os.environ.get("QUORATE_NATS_SERVER") or shutil.which("nats-server"))
    parsing.add_argument("--validators", type=int, default=1000)
    parsing.add_argument("--hostile", action="store_true")
    parsing.add_argument("--shape", default="13,9,1000")
    args = parsing.parse_args()
    quorate = args.quorate.resolve()
    if not args.server:
        sys.exit('there is no nats-server: give one with --server, as in --server "$(.ci/nats)"')
    version = subprocess.run([args.server, "--version"], capture_output=True, text=True).stdout.strip()
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)

        def scene(name, *shape):
            (place / name).mkdir()
            return Scene(quorate, place / name, *shape)

        if args.hostile:
            n, t, v = map(int, args.shape.split(","))
            print(f"({n}, {t}, {v}) at {version}, with its default max_payload", flush=True)
            with Server(args.server, place / "store") as server:
                here = scene("hostile", n, t, v)
                over, told = threading.Event(), {"purges": 0, "replays": 0, "junk": 0, "bytes": 0}
                # A daemon: a ceremony that fails ends the program, and so the hostile user.
                enemy = threading.Thread(target=hostile, args=(server, here, over, told), daemon=True)
                since = time.monotonic()
                enemy.start()
                peaks = here.together(lambda _: ["--via", server.url])
                took = time.monotonic() - since
                over.set()
                enemy.join()
            print(f"{took:.0f} s; {told['purges']} purges, {told['replays']} replays, {told['junk']} pieces of junk, {told['bytes'] >> 20} MiB in all")
            print(f"peak memory of an operator, MiB: {min(peaks.values())} to {max(peaks.values())}")
            sys.exit(0 if max(peaks.values()) < 128 else "an operator has taken 128 MiB or more")
        shape = (4, 3, args.validators)
        print(f"{shape}, {version}", flush=True)
        here = scene("connections", *shape)
        since = time.monotonic()
        here.together(lambda i: ["--listen", f"127.0.0.1:{here.ports[i]}"])
        print(f"connections on loopback: {time.monotonic() - since:.1f} s", flush=True)
        with Server(args.server, place / "store") as server:
            here = scene("server", *shape)
            since = time.monotonic()
            here.together(lambda _: ["--via", server.url])
            print(f"a server on loopback: {time.monotonic() - since:.1f} s", flush=True)
        here = scene("folder", *shape)
        board = place / "board"
        board.mkdir()
        since = time.monotonic()
        visits = here.in_turns(board)
        print(f"a folder on one disk, {visits} visits of each in turns: {time.monotonic() - since:.1f} s", flush=True)


if __name__ == "__main__":
    main()
