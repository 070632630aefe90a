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
    faults : list of str
        What went wrong since `open` was last called.
    """

    def __init__(self, browser, width=WIDE):
        self.url = ""
        self.faults = []
        self.page = page = browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme="light", reduced_motion="reduce"
        )
        report = self.faults.append
        page.on("console", lambda m: report(f"console: {m.text}") if m.type != "log" else None)
        page.on("pageerror", lambda error: report(f"script: {error}"))
        page.on("requestfailed", lambda request: report(f"failed: {request.url}"))
        page.on("response", lambda r: report(f"{r.status}: {r.url}") if r.status > 399 else None)
        page.on("request", self._check_host)

    def _check_host(self, request):
        if urlsplit(request.url).netloc not in (urlsplit(self.url).netloc, ""):
            self.faults.append(f"leaves the machine: {request.url}")

    def open(self, url):
        """Load a page, and wait until its formulas are rendered and no request is pending."""
        self.url = url
        self.faults.clear()
        self.page.goto(url, wait_until="load")
        self.page.wait_for_function(
            "() => !document.querySelector('.math') || window.MathJax?.startup?.promise"
        )
        self.page.evaluate("() => window.MathJax?.startup?.promise")
        self.page.wait_for_load_state("networkidle")

    def show(self, url):
        """Open a page unless it is the one that was opened last."""
        if url != self.url:
            self.open(url)

    def close(self):
        """Close the tab and its browser context."""
        self.page.close()
