#!/usr/bin/env python3
"""A line to an object store that counts requests by method, and bytes each way.

count.py STORE: prints its port; each GET of /counts answers with what was
counted since the last, and is not counted itself.
"""
import collections
import http.client
import http.server
import sys
import threading

STORE = sys.argv[1]
counts = collections.Counter()
lock = threading.Lock()


class Line(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def pass_on(self):
        if self.path == "/counts":
            with lock:
                told = " ".join(f"{name} {count}" for name, count in sorted(counts.items()))
                counts.clear()
            return self.answer(200, [], told.encode())
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        store = http.client.HTTPConnection(STORE)
        store.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            store.putheader(name, value)
        store.endheaders(body)
        response = store.getresponse()
        answer = response.read()
        with lock:
            counts[self.command] += 1
            counts["sent"] += len(body)
            counts["received"] += len(answer)
        skip = ("content-length", "transfer-encoding", "connection")
        headers = [pair for pair in response.getheaders() if pair[0].lower() not in skip]
        length = response.getheader("content-length", len(answer)) if self.command == "HEAD" else len(answer)
        self.answer(response.status, headers, answer, length)

    def answer(self, status, headers, body, length=None):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_HEAD = do_DELETE = pass_on

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Line)
print(server.server_port, flush=True)
server.serve_forever()
