"""HTTP on loopback for the checks of tests/hosts, Python's standard library only.

    ask.py port                       a TCP port that is free
    ask.py get URL                    prints the body; fails unless the status is 200
    ask.py until URL TEXT SECONDS     asks until 20 answers in a row are TEXT
    ask.py load URL SECONDS           a bounded load; prints how many answers there were of each text

Every request has a connection of its own: a kept one may be closed by a server that reloads, and then it
cannot be told whose fault it is.
"""

import collections
import socket
import sys
import threading
import time
import urllib.parse
import http.client

TIMEOUT = 10
THREADS = 4
MOST_REQUESTS = 8000


def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def get(url):
    parts = urllib.parse.urlsplit(url)
    assert parts.hostname == "127.0.0.1", url
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT)
    try:
        path = parts.path + ("?" + parts.query if parts.query else "")
        connection.request("GET", path, headers={"Connection": "close"})
        response = connection.getresponse()
        return response.status, response.read().decode().rstrip("\n")
    finally:
        connection.close()


def until(url, text, seconds):
    end = time.monotonic() + seconds
    row, last = 0, None
    while row < 20:
        try:
            last = get(url)
        except OSError as error:
            last = error
        row = row + 1 if last == (200, text) else 0
        if row == 0:
            if time.monotonic() > end:
                sys.exit(f"after {seconds} s: {last}")
            time.sleep(0.02)


def load(url, seconds):
    end = time.monotonic() + seconds
    answers, failures = collections.Counter(), []
    lock = threading.Lock()

    def ask():
        for _ in range(MOST_REQUESTS // THREADS):
            if time.monotonic() > end:
                return
            try:
                status, body = get(url)
                failed = None if status == 200 else f"status {status}: {body}"
            except (OSError, http.client.HTTPException) as error:
                failed = repr(error)
            with lock:
                if failed:
                    failures.append(failed)
                else:
                    answers[body] += 1
            time.sleep(0.005)

    threads = [threading.Thread(target=ask) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{sum(answers.values())} answered, {len(failures)} failed")
    for text, count in sorted(answers.items()):
        print(f"{count} times: {text}")
    for failure in failures[:5]:
        print(f"failure: {failure}")


def main(command, *arguments):
    if command == "port":
        print(port())
    elif command == "get":
        status, body = get(*arguments)
        print(body)
        if status != 200:
            sys.exit(f"status {status}")
    elif command == "until":
        until(arguments[0], arguments[1], float(arguments[2]))
    elif command == "load":
        load(arguments[0], float(arguments[1]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
