"""How the browser tests open a page."""

from contextlib import contextmanager
from urllib.parse import urlsplit

WIDE, PHONE = 1280, 390


@contextmanager
def visit(browser, url, *, theme="light", width=WIDE):
    """Open a page; gives it and the list of everything that went wrong on the way."""
    faults = []
    page = browser.new_page(
        viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce"
    )
    host = urlsplit(url).netloc
    page.on("console", lambda m: faults.append(f"console: {m.text}") if m.type != "log" else None)
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("requestfailed", lambda request: faults.append(f"failed: {request.url}"))
    page.on("response", lambda r: faults.append(f"{r.status}: {r.url}") if r.status > 399 else None)
    page.on(
        "request",
        lambda request: (
            faults.append(f"leaves the machine: {request.url}")
            if urlsplit(request.url).netloc not in (host, "")
            else None
        ),
    )
    try:
        page.goto(url, wait_until="load")
        page.wait_for_function(
            "() => !document.querySelector('.math') || window.MathJax?.startup?.promise"
        )
        page.evaluate("() => window.MathJax?.startup?.promise")
        page.wait_for_load_state("networkidle")
        yield page, faults
    finally:
        page.close()  # and the browsing context that was made for it
