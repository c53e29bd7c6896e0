"""What a request costs: requests a second and CPU, ours against plain requests (and `reader`, where installed).

    python benchmarks/fetching.py PATH_TO_FEEDFARM [--feeds 1000] [--hosts 250] [--latency-ms 50] [--rounds 2]

The farm runs in a process of its own and is asked once before anything is measured. Seconds depend on the machine
and its neighbours; trust the ratios of one run. `reader` also parses and stores, which ours does elsewhere: its
figures say how much room there is, not who is better.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import requests

from aggregator.fetch import Fetcher
from aggregator.model import Request, Response, Settings, Validators

WORKERS = 32


@contextmanager
def farm(given: argparse.Namespace) -> Iterator[list[str]]:
    """The URLs of a running farm's feeds."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    common = ["--port", str(port), "--feeds", str(given.feeds), "--hosts", str(given.hosts)]
    serve = [sys.executable, given.farm, "serve", *common, "--gzip", "--latency-ms", str(given.latency_ms)]
    listed = subprocess.run(
        [sys.executable, given.farm, "list", *common], capture_output=True, text=True, check=True
    )
    with subprocess.Popen(serve, stderr=subprocess.PIPE) as process:
        assert process.stderr
        process.stderr.readline()
        try:
            yield listed.stdout.split()
        finally:
            process.kill()


def measured(name: str, count: int, work: Callable[[], object]) -> None:
    began, spent = time.perf_counter(), time.process_time()
    work()
    seconds, cpu = time.perf_counter() - began, time.process_time() - spent
    print(f"{name:44} {count / seconds:8.0f} a second {cpu / count * 1000:8.2f} ms of CPU each", flush=True)


def ours(urls: Sequence[str], known: dict[int, Validators], expected: int) -> dict[int, Validators]:
    settings = Settings(host_delay=0, workers=WORKERS)
    asked = [Request(n, url, "feed", known.get(n, Validators())) for n, url in enumerate(urls)]
    found: dict[int, Validators] = {}
    with Fetcher(settings) as fetcher:
        for request, answer in fetcher.fetch_all(asked):
            assert isinstance(answer, Response), answer
            assert answer.status == expected
            found[request.key] = answer.validators
    return found


def plain(urls: Sequence[str], get: Callable[[str], requests.Response]) -> None:
    with ThreadPoolExecutor(WORKERS) as pool:
        assert all(answer.ok and answer.content for answer in pool.map(get, urls))


SECURE_SERVER = """
import http.server, ssl, sys
server = http.server.ThreadingHTTPServer(("0.0.0.0", 0), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


@contextmanager
def secure_hosts(count: int) -> Iterator[list[str]]:
    """URLs of https hosts, whose certificate the environment's CA bundle vouches for besides the usual 150."""
    addresses = [f"127.1.{n}.1" for n in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        names = ",".join(f"IP:{address}" for address in addresses)
        make = (
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=ours"
        )
        make += f" -addext subjectAltName={names} -out {folder}/cert -keyout {folder}/key"
        subprocess.run(make.split(), check=True, capture_output=True)
        bundle = Path(folder, "bundle")
        bundle.write_text(
            Path(requests.utils.DEFAULT_CA_BUNDLE_PATH).read_text() + Path(folder, "cert").read_text()
        )
        os.environ["REQUESTS_CA_BUNDLE"] = str(bundle)
        serve = [sys.executable, "-c", SECURE_SERVER, f"{folder}/cert", f"{folder}/key"]
        with subprocess.Popen(
            serve, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            assert process.stdout
            port = int(process.stdout.readline())
            try:
                yield [f"https://{address}:{port}/cert" for address in addresses]
            finally:
                process.kill()
                del os.environ["REQUESTS_CA_BUNDLE"]


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("farm", metavar="PATH_TO_FEEDFARM")
    options.add_argument("--feeds", type=int, default=1000)
    options.add_argument("--hosts", type=int, default=250)
    options.add_argument("--latency-ms", type=int, default=50)
    options.add_argument("--rounds", type=int, default=2)
    given = options.parse_args()
    with farm(given) as urls:
        count = len(urls)
        known = ours(urls, {}, 200)
        for _ in range(given.rounds):
            measured("aggregator, 200", count, lambda: ours(urls, {}, 200))
            measured("aggregator, 304", count, lambda: ours(urls, known, 304))
            measured("requests.get, 200", count, lambda: plain(urls, requests.get))
            with requests.Session() as session:
                session.mount("http://", requests.adapters.HTTPAdapter(pool_connections=given.hosts))
                measured("requests, one Session, 200", count, lambda: plain(urls, session.get))
        with secure_hosts(200) as secure:
            measured("aggregator, new https hosts", 200, lambda: ours(secure, {}, 200))
            measured("requests.get, new https hosts", 200, lambda: plain(secure, requests.get))
        try:
            from reader import make_reader
        except ImportError:
            print("reader is not installed")
            return
        with tempfile.TemporaryDirectory() as folder:
            reader = make_reader(f"{folder}/reader.sqlite")
            for url in urls:
                reader.add_feed(url)
            for name in ("reader, first update (parses and stores)", "reader, update with 304"):
                measured(name, count, lambda: reader.update_feeds(workers=WORKERS, scheduled=False))


if __name__ == "__main__":
    main()
