"""A requester: what reports go to, and what it does with them is its path's last word.

    ok      answers with 204
    slowly  answers the first of each key with 500, and 204 from then on
    500     always answers with 500
    hang    never answers
    reset   ends the connection with a reset
    lie     says 200 and breaks off in the middle of the answer

It keeps every body that it was sent, whatever it answered, and of which keys it gave a receipt.
"""
import collections
import http.server
import socket
import struct
import threading


class Requester(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, story):
        super().__init__(("127.0.0.1", 0), Conversation)
        self.bodies = collections.defaultdict(list)  # of each key
        self.receipts = set()
        self.is_mended = False  # then every path answers with 204
        self.ended = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()
        story.addCleanup(self.end)

    def end(self):
        self.ended.set()
        self.shutdown()
        self.server_close()

    def url(self, manner):
        return f"http://127.0.0.1:{self.server_port}/{manner}"

    def handle_error(self, request, client_address):
        pass  # whoever hangs up in the middle


class Conversation(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        bodies = self.server.bodies[self.headers["Idempotency-Key"]]
        bodies.append(body)
        manner = "ok" if self.server.is_mended else self.path.rsplit("/", 1)[1]
        if manner == "hang":
            self.close_connection = True
            self.server.ended.wait(60)
        elif manner == "reset":
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        elif manner == "lie":
            self.close_connection = True
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nof course")
        elif manner == "500" or (manner == "slowly" and len(bodies) == 1):
            self.answer(500)
        else:
            self.server.receipts.add(self.headers["Idempotency-Key"])
            self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass
