"""A web service with ENCs, good and bad, for the tests of `apply --enc`.

python3 web.py DIRECTORY: listens on free ports of 127.0.0.1, one for each
NAME.pem of the directory with NAME.key (`mutual` asks for a client certificate
of ca.pem), and one without TLS. Writes `ports` (JSON) when it is ready, and a
line of JSON into `requests` for each request. Serves the file `document`.
"""
import http.server
import json
import os
import ssl
import sys
import threading
import time

DIRECTORY = sys.argv[1]
COUNTS = {}


def path(name):
    return os.path.join(DIRECTORY, name)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def log(self):
        peer = getattr(self.connection, "getpeercert", lambda: None)()
        entry = {
            "path": self.path,
            "authorization": self.headers.get("Authorization"),
            "client": peer["subject"][0][0][1] if peer else None,
        }
        with open(path("requests"), "a") as log:
            log.write(json.dumps(entry) + "\n")
        COUNTS[self.path] = COUNTS.get(self.path, 0) + 1
        return COUNTS[self.path]

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def document(self):
        with open(path("document"), "rb") as file:
            self.answer(200, file.read())

    def do_GET(self):
        count = self.log()
        what, _, rest = self.path[1:].split("?")[0].partition("/")
        if what == "nodes":
            self.document()
        elif what == "token":
            good = self.headers.get("Authorization") == "Bearer t0ken-s3cret"
            self.document() if good else self.answer(401, b"s3cret of the body")
        elif what == "flaky":
            self.document() if count > int(rest) else self.answer(500)
        elif what == "busy":
            self.document() if count > 1 else self.answer(429, Retry_After=rest)
        elif what == "status":
            self.answer(int(rest), b"s3cret of the body")
        elif what == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"app: foo/tags/r1\nclasses:\n")
            self.close_connection = True
        elif what == "unmarked":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"app: foo/tags/r1\nclasses:\n")
            self.close_connection = True
        elif what == "drip":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            for _ in range(1000):
                self.wfile.write(b"#")
                self.wfile.flush()
                time.sleep(0.1)
        elif what == "stall":
            time.sleep(60)
        elif what == "endless":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            while True:
                self.wfile.write(b"10000\r\n" + b"#" * 0x10000 + b"\r\n")
        elif what == "long":
            self.send_response(200)
            self.send_header("Content-Length", "99999999999")
            self.end_headers()
        elif what == "loop":
            self.answer(302, Location="/loop/" + str(count))
        elif what == "to":
            with open(path("ports")) as ports:
                port = json.load(ports)
            name, _, rest = rest.partition("/")
            scheme = "http" if name == "plain" else "https"
            self.answer(307, Location=f"{scheme}://localhost:{port[name]}/{rest}?x=s3cret")
        else:
            self.answer(404)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, tls):
        super().__init__(("127.0.0.1", 0), Handler)
        self.tls = tls

    def finish_request(self, request, client_address):
        # The handshake is in the thread of the request: who stalls stalls nobody else.
        if self.tls:
            request = self.tls.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def handle_error(self, *_):
        pass


def context(name):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(path(name + ".pem"), path(name + ".key"))
    if name == "mutual":
        tls.verify_mode = ssl.CERT_REQUIRED
        tls.load_verify_locations(path("ca.pem"))
    elif name == "other":
        tls.verify_mode = ssl.CERT_OPTIONAL
        tls.load_verify_locations(path("ca.pem"))
    return tls


names = [name[:-4] for name in os.listdir(DIRECTORY) if name.endswith(".key")]
servers = {name: Server(context(name)) for name in names if name not in ("ca", "client")}
servers["plain"] = Server(None)
for server in servers.values():
    threading.Thread(target=server.serve_forever, daemon=True).start()
with open(path("ports.new"), "w") as ports:
    json.dump({name: server.server_address[1] for name, server in servers.items()}, ports)
os.rename(path("ports.new"), path("ports"))
# Ends with the test that started it.
sys.stdin.read()
