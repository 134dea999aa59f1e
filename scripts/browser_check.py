"""Looks at the demo's page in headless Chromium: counts move, alerts are listed, nothing is thrown.

Chromium is driven over its DevTools pipe. Its --virtual-time-budget is no use here: it waits for every request to end,
and the page keeps an event stream open. Only Python's own library is used.
"""

import argparse
import base64
import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

READY_SECONDS = 180
PAGE_SECONDS = 60
CHROMIUM_FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-proxy-server",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--window-size=1400,1000", "--remote-debugging-pipe",
]


class Failure(Exception):
    """A check that did not hold; its text says what was seen."""


class Chromium:
    """A browser with one page, spoken to over the DevTools pipe (JSON, each message ended by a zero byte)."""

    def __init__(self, executable, profile):
        to_browser, self.write_end = os.pipe()
        self.read_end, from_browser = os.pipe()
        self.buffer = b""
        self.last_id = 0
        self.session = None
        self.thrown = []

        def place_pipes():
            # Chromium reads descriptor 3 and writes 4. Copies first: the pipes may themselves be 3 or 4.
            read_copy, write_copy = os.dup(to_browser), os.dup(from_browser)
            os.dup2(read_copy, 3)
            os.dup2(write_copy, 4)

        self.process = subprocess.Popen(
            [executable, *CHROMIUM_FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            close_fds=False, preexec_fn=place_pipes, start_new_session=True,
        )
        os.close(to_browser)
        os.close(from_browser)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method, **params):
        self.last_id += 1
        message = {"id": self.last_id, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + PAGE_SECONDS + 30
        while True:
            answer = self.read_message(deadline)
            if answer.get("method") == "Runtime.exceptionThrown":
                details = answer["params"]["exceptionDetails"]
                self.thrown.append(details.get("exception", {}).get("description") or details["text"])
            if answer.get("id") == self.last_id:
                if "error" in answer:
                    raise Failure(f"Chromium refused {method}: {answer['error']['message']}")
                return answer["result"]

    def read_message(self, deadline):
        while b"\0" not in self.buffer:
            if not select.select([self.read_end], [], [], max(0, deadline - time.monotonic()))[0]:
                raise Failure("Chromium does not answer")
            chunk = os.read(self.read_end, 1 << 20)
            if not chunk:
                raise Failure("Chromium ended early")
            self.buffer += chunk
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise Failure(f"{expression} threw {result['exceptionDetails']['text']}")
        return result["result"].get("value")

    def until(self, condition, seconds=PAGE_SECONDS):
        """Waits in the page until the JavaScript expression is true; whether it became so."""
        return self.evaluate(
            "new Promise(done => { const end = performance.now() + %d; const look = () => "
            "(%s) ? done(true) : performance.now() > end ? done(false) : setTimeout(look, 100); look(); })"
            % (seconds * 1000, condition)
        )

    def close(self):
        """Ends the browser with its children: it ends by itself when its pipe does."""
        os.close(self.write_end)
        os.close(self.read_end)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def stop(process, how, seconds=20):
    """Ends a process that this script started; its exit code."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start_demo(binary, directory):
    """The demo process, its address and its log, once it says that it is ready."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    log = os.path.join(directory, "demo.log")
    with open(log, "wb") as output:
        demo = subprocess.Popen(
            [binary, "demo", "--port", str(port), "--data-dir", os.path.join(directory, "data")],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )
    deadline = time.monotonic() + READY_SECONDS
    while True:
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            with urllib.request.urlopen(url + "readyz", timeout=5) as answer:
                if answer.status == 200:
                    return demo, url, log
        if demo.poll() is not None or time.monotonic() > deadline:
            stop(demo, signal.SIGKILL)
            with open(log, encoding="utf-8", errors="replace") as text:
                raise Failure(f"the demo did not become ready (exit code {demo.returncode}):\n{text.read()[-2000:]}")
        time.sleep(0.2)


TOTAL = "Number((document.getElementById('total')?.textContent ?? '').replace(/[^0-9]/g, ''))"
ALERTS = "document.querySelectorAll('#alerts .alert')"


def page_opens(browser, url):
    error = browser.call("Page.navigate", url=url).get("errorText")
    if error or not browser.until("document.readyState === 'complete' && document.title !== ''"):
        raise Failure(f"the page does not open: {error or 'it has no title'}")


def total_is_shown(browser, _):
    if not browser.until(f"{TOTAL} > 0"):
        raise Failure("#total shows no number above 0")


def total_rises(browser, _):
    before = browser.evaluate(TOTAL)
    if not browser.until(f"{TOTAL} > {before}"):
        raise Failure(f"#total stays at {before} while traffic runs")


def alerts_are_listed(browser, _):
    if not browser.until(f"{ALERTS}.length > 0 && {ALERTS}[0].textContent.trim() !== ''"):
        raise Failure("#alerts has no row of class alert with a text")


def nothing_is_thrown(browser, _):
    browser.evaluate("0")
    if browser.thrown:
        raise Failure("the page threw: " + "; ".join(dict.fromkeys(browser.thrown)))


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--chromium", required=True)
    arguments.add_argument("--binary", required=True)
    arguments.add_argument("--url", help="a running server instead of a demo of our own")
    arguments.add_argument("--screenshot", help="where to save what the page looks like")
    options = arguments.parse_args()

    passed = failed = 0

    def check(name, run):
        nonlocal passed, failed
        try:
            run()
            passed += 1
            print(f"ok      {name}")
        except Failure as failure:
            failed += 1
            print(f"FAILED  {name}: {failure}")

    directory = tempfile.mkdtemp(prefix="platewatch-browser-")
    demo = browser = log = None
    # A stop from outside runs the clean-up below.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        url = options.url
        if url is None:
            demo, url, log = start_demo(options.binary, directory)
        browser = Chromium(options.chromium, os.path.join(directory, "profile"))
        for run in (page_opens, total_is_shown, total_rises, alerts_are_listed, nothing_is_thrown):
            check(run.__name__.replace("_", " "), lambda run=run: run(browser, url))
        if options.screenshot:
            image = browser.call("Page.captureScreenshot", format="png")["data"]
            with open(options.screenshot, "wb") as file:
                file.write(base64.b64decode(image))
        # The browser, and with it an open event stream, is still there: neither may hold up the shutdown.
        if demo is not None:
            check("demo stops when told", lambda: demo_stops(demo))
        if failed and log:
            with open(log, encoding="utf-8", errors="replace") as text:
                print(f"the demo said:\n{text.read()[-2000:]}")
    except Failure as failure:
        failed += 1
        print(f"FAILED  {failure}")
    finally:
        if browser is not None:
            browser.close()
        if demo is not None:
            stop(demo, signal.SIGKILL)
        shutil.rmtree(directory, ignore_errors=True)
    print(f"\n{passed} passed, {failed} failed")
    return 1 if failed else 0


def demo_stops(demo):
    code = stop(demo, signal.SIGTERM)
    if code != 0:
        raise Failure(f"exit code {code}")


if __name__ == "__main__":
    sys.exit(main())
