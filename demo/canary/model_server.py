"""Serves one version of the model over HTTP, and sends its telemetry to Wardline: `POST /predict` with `id` and `row`."""

import json
import pathlib
import queue
import sys
import threading
import time
import urllib.request
import warnings
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import joblib

warnings.filterwarnings("ignore", category=RuntimeWarning)
VERSION, PORT, FOLDER, WARDLINE = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3]), sys.argv[4]
MODEL = joblib.load(FOLDER / f"{VERSION}.joblib")
NAMES = [name.replace(" ", "_") for name in joblib.load(FOLDER / "rows.joblib")["names"]]
EVENTS: queue.SimpleQueue = queue.SimpleQueue()


class Predict(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self.answer(200, {"version": VERSION})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        began, served = time.perf_counter(), datetime.now(UTC)
        event = {
            "kind": "inference", "id": asked["id"], "time": served.isoformat(), "model": "screening", "version": VERSION,
            "role": "stable" if VERSION == "2.0" else "canary", "features": dict(zip(NAMES, asked["row"])),
        }
        try:
            score = float(MODEL.predict_proba([asked["row"]])[0, 1])
            decision = "benign" if score >= 0.5 else "refer"
            event |= {"status": "ok", "http_status": 200, "score": score, "decision": decision}
            answer = {"version": VERSION, "decision": decision}
        except ValueError as error:
            event |= {"status": "error", "http_status": 500, "error": type(error).__name__}
            answer = {"version": VERSION, "error": str(error)}
        event["latency_ms"] = (time.perf_counter() - began) * 1e3
        self.answer(event["http_status"], answer)
        EVENTS.put(event)

    def answer(self, status: int, answer: dict) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def send_telemetry() -> None:
    """Sends what there is, at once and together: an event waits for the request before it, and no longer."""
    while True:
        events = [EVENTS.get()]
        while not EVENTS.empty():
            events.append(EVENTS.get())
        body = "".join(json.dumps(event) + "\n" for event in events).encode()
        request = urllib.request.Request(f"{WARDLINE}/v1/events", body, {"Content-Type": "application/x-ndjson"})
        while True:
            try:
                urllib.request.urlopen(request, timeout=10).read()
                break
            except OSError:
                time.sleep(0.1)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


threading.Thread(target=send_telemetry, daemon=True).start()
Server(("127.0.0.1", PORT), Predict).serve_forever()
