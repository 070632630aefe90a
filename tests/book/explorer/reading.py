"""What a page with figures shows, and what a reader does there."""


def results(page):
    """Read the marked results, {name: text}."""
    return page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll("[data-explorer]")].map(
          one => [one.dataset.explorer, one.innerText]
        ))"""
    )


def shown(page, name):
    """Read one of the marked results."""
    return results(page)[name]


def sentence(page):
    """Read the sentence under the player."""
    return page.locator(".ex-player .ex-sum").inner_text()


def numbers_of(page, panel):
    """Read the numbers in a panel of the player."""
    texts = page.locator(f".ex-{panel} .ex-cell").all_text_contents()
    return [float(text.replace("−", "-").replace("∞", "inf")) for text in texts]


def marked(page, panel, mark):
    """List the places [channel, row, column] of the cells that have a mark."""
    script = "all => all.map(cell => cell.place.key)"
    return page.locator(f".ex-{panel} .ex-{mark}").evaluate_all(script)


def change_address(page, setting):
    """Change the address of the page that is open, and wait until it has heard of it."""
    page.evaluate(
        """setting => new Promise(done => {
          if (location.hash === `#${setting}`) { done(); return; }
          addEventListener("hashchange", () => setTimeout(done), { once: true });
          location.hash = setting;
        })""",
        setting,
    )


def drag(page, start, end):
    """Press on one element, and let go on another."""
    for locator, action in ((start, page.mouse.down), (end, page.mouse.up)):
        box = locator.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=5)
        action()


def fill(figure, *values):
    """Fill in the fields of a small figure in one call, and read its sentence."""
    return figure.evaluate(
        """(figure, values) => {
          figure.querySelectorAll("select, input").forEach((field, place) => {
            if (field.type === "checkbox") field.checked = values[place];
            else field.value = values[place];
            field.dispatchEvent(new Event("input", { bubbles: true }));
          });
          return figure.querySelector("p").innerText;
        }""",
        values,
    )
