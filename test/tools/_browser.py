# SPDX-License-Identifier: MIT
"""Opens a page of "vmalloc report --html" in a browser without a window, and uses it.

    _browser.py BROWSER PAGE [PICTURE.png WIDTH HEIGHT light|dark SCRIPT...]

Speaks the DevTools protocol over a pipe: messages of JSON, each ended by a zero byte. With a picture, no
checks are made: the page is drawn as it is after the scripts.
"""
import base64
import json
import os
import subprocess
import sys
import tempfile
import time


class Browser:
    def __init__(self, program, folder):
        to_read, self.to = os.pipe()
        self.source, from_write = os.pipe()

        def descriptors():  # 3 and 4 are what the browser reads and writes
            a, b = os.dup(to_read), os.dup(from_write)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--force-color-profile=srgb", "--hide-scrollbars",
             "--user-data-dir=" + folder, "--remote-debugging-pipe", "about:blank"],
            preexec_fn=descriptors, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(from_write)
        self.rest, self.number, self.events, self.session = b"", 0, [], None

    def message(self):
        while b"\0" not in self.rest:
            more = os.read(self.source, 1 << 16)
            if not more:
                raise SystemExit("the browser went away")
            self.rest += more
        one, self.rest = self.rest.split(b"\0", 1)
        return json.loads(one)

    def call(self, method, **params):
        self.number += 1
        request = {"id": self.number, "method": method, "params": params}
        if self.session:
            request["sessionId"] = self.session
        os.write(self.to, json.dumps(request).encode() + b"\0")
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise SystemExit(f"{method}: {answer['error']}")
                return answer["result"]
            if "method" in answer:
                self.events.append(answer)

    def run(self, script):
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise SystemExit(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def open(self, path, width, height, theme):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")
        self.resize(width, height)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        self.call("Page.navigate", url="file://" + path)
        self.until("document.documentElement?.dataset.ready === 'true'")

    def resize(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def until(self, script, seconds=20):
        end = time.monotonic() + seconds
        while not self.run(script):
            if time.monotonic() > end:
                raise SystemExit(f"never came true: {script}; {self.troubles()}")
            time.sleep(0.05)

    def settled(self, script):
        """What the script gives once it is not 0 and no transition changes it any more."""
        last, same, end = None, 0, time.monotonic() + 20
        while same < 6:
            now = self.run(script)
            same = same + 1 if now and now == last else 0
            last = now
            if time.monotonic() > end:
                raise SystemExit(f"never came to rest: {script}: {now}")
            time.sleep(0.08)
        return last

    def click(self, script):
        """Clicks in the middle of the element that the script gives."""
        x, y = self.run(f"(() => {{ const e = {script}; e.scrollIntoView({{block: 'center'}}); "
                        "const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()")
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def troubles(self):
        """What a console would show, dialogs, and anything fetched that is not the page."""
        found = []
        for event in self.events:
            name, params = event["method"], event["params"]
            if name in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded",
                        "Page.javascriptDialogOpening"):
                found.append(json.dumps(params)[:600])
            url = params.get("request", {}).get("url", "")
            if name == "Network.requestWillBeSent" and not url.startswith(("file:", "data:")):
                found.append("fetched " + url)
        return found


FRAME = ("[...document.querySelectorAll('#flame g.frame')].find(g => g.getAttribute('name') === '%s')"
         ".querySelector('rect')")
ROWS = "[...document.querySelectorAll('#sites .site .function')].map(e => e.textContent)"


def check(what, got):
    if not got:
        raise SystemExit(f"not so: {what}")


def use_measures(b):
    """What the root says and what the table is sorted by follow the measure."""
    roots = set()
    for name in b.run("[...document.querySelectorAll('#measures input')].map(i => i.value)"):
        b.click(f"document.querySelector('#measures input[value={name}]').parentElement")
        b.until(f"document.querySelector('#measures input[value={name}]').checked")
        b.until("document.querySelector('#flame').textContent !== ''")
        roots.add(b.run("(document.querySelector('#flame .frame') ?? document.querySelector('#flame')).textContent"))
        check(name + " sorts the table",
              b.run(f"document.querySelector('[data-column={name}]').parentElement.ariaSort === 'descending'"))
    check(f"measures differ: {roots}", len(roots) >= 5)
    b.click("document.querySelector('#measures input[value=bytes]').parentElement")
    b.until("document.querySelector('#measures input[value=bytes]').checked")


def use_zoom(b):
    """The frame becomes as wide as the graph; and back."""
    width = b.run("document.querySelector('#flame svg').width.baseVal.value")
    narrow = b.settled(f"+{FRAME % 'leak'}.getAttribute('width')")
    check("a frame is narrow at first", 0 < narrow < 0.9 * width)
    b.click(FRAME % "leak")
    b.until(f"Math.abs({FRAME % 'leak'}.getAttribute('width') - {width}) < 1")
    check("the way back is open", b.run("!document.querySelector('#reset').disabled"))
    b.click("document.querySelector('#reset')")
    b.until(f"Math.abs({FRAME % 'leak'}.getAttribute('width') - {narrow}) < 1")
    check("the way back is done", b.run("document.querySelector('#reset').disabled"))


def use_search(b):
    """Frames are marked, a share is told, the table holds what has it in its stack."""
    every = b.run(ROWS)
    b.run("document.querySelector('#search').focus()")
    b.call("Input.insertText", text="LEAK")
    b.until("document.querySelector('#found').textContent.includes('%')")
    check("the table is filtered", b.run(ROWS) == ["leak"] and len(every) > 1)
    check("frames are marked",
          b.run(f"{FRAME % 'leak'}.getAttribute('fill') !== {FRAME % 'churn'}.getAttribute('fill')"))
    b.run("(s => { s.value = '(no[such'; s.dispatchEvent(new Event('input')); })(document.querySelector('#search'))")
    b.until("document.querySelector('#found').textContent === 'not found'")
    b.run("(s => { s.value = ''; s.dispatchEvent(new Event('input')); })(document.querySelector('#search'))")
    b.until(f"{ROWS}.length === {len(every)}")


def use_table(b):
    """Each column sorts both ways, rows open, rows can be joined otherwise."""
    for column in ("calls", "mean", "name"):
        b.click(f"document.querySelector('[data-column={column}]')")
        down = b.run(ROWS)
        b.click(f"document.querySelector('[data-column={column}]')")
        up = b.run(ROWS)
        check(f"{column} sorts", sorted(up) == sorted(down) and up != down)
        check(f"{column} tells how",
              b.run(f"document.querySelector('[data-column={column}]').parentElement.ariaSort") == "ascending")
    b.click("document.querySelector('#sites .expand')")
    b.until("document.querySelectorAll('#sites .details .stack li').length > 1")
    for group in ("stack", "function", "module", "region", "line"):
        b.run(f"(s => {{ s.value = '{group}'; s.dispatchEvent(new Event('change')); }})"
              "(document.querySelector('#group'))")
        check("rows by " + group, b.run(ROWS))


def use_looks(b):
    """The graph upside down and by lines; light and dark; a narrow window."""
    b.click("document.querySelector('#upside')")
    b.until("document.querySelector('#flame').textContent.includes('all allocating functions')")
    b.click("document.querySelector('#bylines')")
    b.click("document.querySelector('#upside')")
    colour = "getComputedStyle(document.body).backgroundColor"
    light = b.run(colour)
    b.click("document.querySelector('#theme')")
    check("dark is another colour", b.run(colour) != light)
    b.resize(800, 900)
    b.until("document.documentElement.scrollWidth <= 800")


def use(b):
    check("the flame graph has frames", b.run("document.querySelectorAll('#flame g.frame').length > 4"))
    check("the time line is drawn", b.run("document.querySelectorAll('#times canvas').length === 1"))
    check("regions are drawn", b.run("document.querySelectorAll('canvas.map').length > 0"))
    check("histograms are drawn", b.run("document.querySelectorAll('.histogram').length === 2"))
    for part in (use_measures, use_zoom, use_search, use_table, use_looks):
        part(b)


def draw(b, path, scripts):
    for script in scripts:
        b.run(script)
        time.sleep(0.5)
    time.sleep(0.5)
    with open(path, "wb") as file:
        file.write(base64.b64decode(b.call("Page.captureScreenshot")["data"]))


def main():
    program, page, *rest = sys.argv[1:]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        b = Browser(program, folder)
        try:
            if rest:
                b.open(os.path.abspath(page), int(rest[1]), int(rest[2]), rest[3])
                draw(b, rest[0], rest[4:])
            else:
                b.open(os.path.abspath(page), 1400, 900, "light")
                use(b)
            troubles = b.troubles()
            if troubles:
                raise SystemExit("trouble: " + "\n".join(troubles))
        finally:
            b.process.kill()
            b.process.wait()


main()
