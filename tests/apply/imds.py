"""Stands in for EC2's instance metadata service, which is on EC2 only: as much
of its second version as `apply --enc ec2` asks, with the refusals that the
real one gives. No test of ours has seen the real one.

python3 imds.py DIRECTORY: writes `ports` (JSON) when it is ready, a line of
JSON into `requests` for each request, and serves the file `user-data`.
"""
import http.server
import json
import os
import sys
import threading

DIRECTORY = sys.argv[1]
TOKENS = []


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, status, body=b""):
        with open(os.path.join(DIRECTORY, "requests"), "a") as log:
            log.write(json.dumps({"method": self.command, "path": self.path, "status": status}) + "\n")
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):
        ttl = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
        if self.path != "/latest/api/token":
            return self.answer(404)
        # What comes through a proxy gets no token.
        if self.headers.get("X-Forwarded-For"):
            return self.answer(403)
        if not ttl.isdigit() or not 1 <= int(ttl) <= 21600:
            return self.answer(400)
        TOKENS.append(f"AQAEA-s3cret-{len(TOKENS)}==")
        # The first token is forgotten, as after a restart of the service.
        self.answer(200, TOKENS[-1].encode())
        if len(TOKENS) == 1 and os.path.exists(os.path.join(DIRECTORY, "forgetful")):
            TOKENS[0] = None

    def do_GET(self):
        if self.headers.get("X-aws-ec2-metadata-token") not in TOKENS:
            return self.answer(401)
        file = os.path.join(DIRECTORY, "user-data")
        if self.path != "/latest/user-data" or not os.path.exists(file):
            return self.answer(404)
        with open(file, "rb") as data:
            self.answer(200, data.read())


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
with open(os.path.join(DIRECTORY, "ports.new"), "w") as ports:
    json.dump({"plain": server.server_address[1]}, ports)
os.rename(os.path.join(DIRECTORY, "ports.new"), os.path.join(DIRECTORY, "ports"))
sys.stdin.read()
