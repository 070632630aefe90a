"""A browser tab that records every fault of the page that it shows."""

from urllib.parse import urlsplit

WIDE, PHONE = 1280, 390


class Tab:
    """A tab of its own browser context, reused for many pages.

    Starting a tab costs more than loading a page.

    Attributes
    ----------
    page
        The page of Playwright.
    url : str
        The page that it shows.
    faults : list of str
        What went wrong since `open` was last called.
    loading_faults : list of str
        What went wrong until `show` returned: axe-core, for one, asks for files that do not exist.
    requested : list of str
        The addresses that it has asked for since `open` was last called.
    """

    def __init__(self, browser, width=WIDE):
        self.url = self._shown = ""
        self.faults, self.loading_faults, self.requested, self._pending = [], [], [], set()
        self.page = page = browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme="light", reduced_motion="reduce"
        )
        report = self.faults.append
        page.on("console", lambda m: report(f"console: {m.text}") if m.type != "log" else None)
        page.on("pageerror", lambda error: report(f"script: {error}"))
        page.on("requestfailed", lambda request: report(f"failed: {request.url}"))
        page.on("response", lambda r: report(f"{r.status}: {r.url}") if r.status > 399 else None)
        page.on("request", self._started)
        page.on("requestfinished", self._ended)
        page.on("requestfailed", self._ended)

    def _started(self, request):
        self._pending.add(request)
        self.requested.append(request.url)
        if urlsplit(request.url).netloc not in (urlsplit(self.url).netloc, ""):
            self.faults.append(f"leaves the machine: {request.url}")

    def _ended(self, request):
        self._pending.discard(request)

    def open(self, url):
        """Load a page, and wait until no request is pending."""
        self.url, self._shown = url, ""
        self.faults.clear()
        self.requested.clear()
        self._pending.clear()
        self.page.goto(url, wait_until="load")
        while self._pending:
            self.page.wait_for_timeout(10)

    def show(self, url):
        """Open a page and scroll to its end, unless that was done last.

        What goes wrong in the next half a second without a request counts as well.
        """
        if url != self._shown:
            self.open(url)
            self.page.wait_for_load_state("networkidle")
            self.page.mouse.wheel(0, 100_000)
            self.page.wait_for_timeout(100)
            self.loading_faults = list(self.faults)
            self._shown = url

    def close(self):
        """Close the tab and its browser context."""
        self.page.close()
