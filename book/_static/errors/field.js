/* <paste-error>: a field for an error, and below it what is said of it. What is pasted becomes text of
 elements, never HTML, and is sent nowhere. */
(() => {
"use strict";
const { answer } = Errors.match;
const { MOST } = Errors.traceback;
const LARGE = 100000; // characters; of a larger text the field keeps the end
const MOST_OTHERS = 20;

const EXAMPLE = `Traceback (most recent call last):
  File "/home/me/train.py", line 31, in <module>
    scores = model(images)
  File "/home/me/.venv/lib/python3.12/site-packages/torch/nn/modules/module.py", line 1775, in _wrapped_call_impl
    return self._call_impl(*args, **kwargs)
  File "/home/me/net.py", line 12, in forward
    x = self.conv1(x)
  File "/home/me/.venv/lib/python3.12/site-packages/torch/nn/modules/conv.py", line 548, in forward
    return self._conv_forward(input, self.weight, self.bias)
RuntimeError: Given groups=1, weight of size [64, 3, 7, 7], expected input[8, 1, 224, 224] to have 3 channels, but got 1 channels instead`;

let ids = 0;
/** An element with attributes and children; a text between backticks is code. */
const element = (name, attributes, ...children) => {
	const made = document.createElement(name);
	for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
	made.append(...children);
	return made;
};
const rich = (text) => text.split("`").map((part, place) => (place % 2 ? element("code", {}, part) : part));
const paragraph = (text, attributes = {}) => element("p", attributes, ...rich(text));
const code = (text) => element("code", {}, text);
const clip = (text, most) => (text.length > most ? `${text.slice(0, most)}…` : text);

/** The heading of an entry of this page, or null. */
const headingOf = (entry) => document.getElementById(entry)?.closest("section")?.querySelector("h1, h2, h3, h4, h5, h6") ?? null;

const titleOf = (heading) => {
	const copy = heading.cloneNode(true);
	copy.querySelector(".headerlink")?.remove();
	return copy.textContent.trim();
};

/** A link to an entry, whose heading gets the focus, or to a section of a chapter; null without such a place. */
const linkTo = (entry) => {
	const [chapter, title] = Errors.elsewhere[entry] ?? [];
	if (chapter) return element("a", { href: `${chapter}.html#${entry}` }, title);
	const heading = headingOf(entry);
	if (!heading) return null;
	const link = element("a", { href: `#${entry}` }, titleOf(heading));
	link.addEventListener("click", (event) => {
		if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return; // another tab
		event.preventDefault();
		location.hash = entry; // this takes the focus away, so that it is given afterwards
		heading.setAttribute("tabindex", "-1");
		heading.focus({ preventScroll: true });
	});
	return link;
};

const list = (texts) => (texts.length ? [element("ul", {}, ...texts.map((text) => element("li", {}, ...rich(text))))] : []);

/** Where to read on: the entry, and the explorer. */
const links = ({ entry, explorer }) => [
	...(linkTo(entry) ? [element("p", {}, Errors.elsewhere[entry] ? "In another chapter: " : "The entry: ", linkTo(entry))] : []),
	...(explorer ? [element("p", {}, element("a", { href: `explorer.html#${explorer.address}`, class: "pe-explorer" }, explorer.same ? "This error in the explorer" : "The corrected layer in the explorer"))] : []),
];

/** One of several reasons for a message. */
const candidate = (one) => {
	const { entry, when, says = [], cures = [], explorer } = one;
	return [
		element("p", { class: "pe-entry" }, ...rich(when ?? ""), ...(when && linkTo(entry) ? [": "] : []), linkTo(entry) ?? ""),
		...says.map((text) => paragraph(text)), ...list(cures), ...links({ entry: "", explorer }),
	];
};

const place = ({ file, line, name, code: text }) => {
	const where = element("p", { class: "pe-place" }, "Your code: ", code(clip(file, 200)), ...(line ? [`, line ${line}`] : []), ...(name && !name.startsWith("<") ? [", in ", code(clip(name, 100))] : []));
	return text ? [where, element("pre", { tabindex: "0", "aria-label": "The line that failed" }, clip(text, 300))] : [where];
};

const noted = ({ cause, layer, type, steps, fix }) => [
	element("p", {}, "convlab found: ", ...(layer ? ["layer ", code(layer), ` (${type})`] : [type]), `, cause ${cause}.`),
	...(steps.length || fix ? [element("ul", {}, ...steps.map((step) => element("li", {}, code(step))), ...(fix ? [element("li", {}, "Fix: ", code(fix))] : []))] : []),
];

const UNKNOWN = "from convlab.explain import explaining\n\nwith explaining(model):\n    output = model(x)";

/** The other errors of the text. */
const otherErrors = (others) => (others.length ? [
	element("p", {}, "The other errors of the text:"),
	element("ul", { class: "pe-others" }, ...others.slice(-MOST_OTHERS).map(({ text, entry }) => {
		const link = linkTo(entry);
		return element("li", {}, code(clip(text, 160)), ...(link ? [": ", link] : []));
	})),
] : []);

/** A sentence that is read aloud, and the elements below it. */
const report = (answered, text) => {
	if (!text.trim()) return { sentence: "", parts: [] };
	const { sentence, parts } = reportOne(answered);
	const { others, last } = answered;
	const many = others.length ? `${others.length + 1} errors found; this is ${last ? "the last one that is in the catalogue" : "the last"}. ` : "";
	return { sentence: many + sentence, parts: [...parts, ...otherErrors(others)] };
};

const reportOne = ({ found, note, frame, last, type }) => {
	const parts = [];
	if (last) parts.push(element("p", {}, "The last error is not in the catalogue: ", code(clip(`${last.type}: ${last.message}`, 200)), ". An earlier one is:"));
	if (note) parts.push(...noted(note));
	if (frame) parts.push(...place(frame));
	if (!found) {
		parts.push(paragraph("What to do: run the failing call in this block. It adds the layer, the shapes and, where it knows one, a cure to the error; paste it again then."), element("pre", { tabindex: "0", "aria-label": "Code" }, UNKNOWN),
			element("p", {}, element("a", { href: "api-explain.html" }, "What explaining does")));
		const named = type ? `${clip(type, 80)}: this` : "This";
		return { sentence: `${named} error is not in the catalogue.`, parts };
	}
	const { entries, partial, related } = found;
	if (partial) parts.push(paragraph("The numbers of the message are missing. Paste all of it, and they are filled in here."));
	const [{ entry, says = [], cures = [], explorer }] = entries;
	if (entries.length === 1) {
		parts.push(...(note?.fix ? [] : list(cures)), element("div", { "data-entry": entry }, ...links({ entry, explorer })));
		return { sentence: says.length ? says.join(" ") : "This error is in the catalogue.", parts };
	}
	parts.push(element("ol", { class: "pe-entries" }, ...entries.map((one) => element("li", { "data-entry": one.entry }, ...candidate(one)))));
	return { sentence: related ? "The message is not in the catalogue; these entries have the same cause:" : `This message has ${entries.length} possible causes, the likeliest first:`, parts };
};

const button = (text, action) => {
	const made = element("button", { type: "button" }, text);
	made.addEventListener("click", action);
	return made;
};

const mount = (host) => {
	const id = `paste-error-${ids += 1}`;
	const field = element("textarea", { id, rows: 7, spellcheck: "false", autocomplete: "off", autocapitalize: "off", "aria-describedby": `${id}-help` });
	const status = element("p", { role: "status", class: "pe-status" });
	const answered = element("div", { class: "pe-answer" });
	const cut = element("p", { class: "pe-cut" });
	let timer = 0, told = "";
	const show = (text) => {
		clearTimeout(timer);
		const { sentence, parts } = report(answer(text), text);
		if (sentence !== told) status.replaceChildren(...rich(sentence));
		told = sentence;
		answered.replaceChildren(...parts);
	};
	/** Read a text that is too large for the field, and keep its end there. */
	const showLarge = (text) => {
		field.value = text.slice(-LARGE);
		const [all, most, kept] = [text.length, MOST, LARGE].map((number) => number.toLocaleString("en"));
		cut.textContent = `Of ${all} characters, ${text.length > MOST ? `the last ${most}` : "all"} were read; the field keeps the last ${kept}.`;
		show(text);
	};
	const changed = () => {
		if (field.value.length > LARGE) { showLarge(field.value); return; }
		cut.textContent = "";
		clearTimeout(timer);
		timer = setTimeout(() => show(field.value), 100);
	};
	field.addEventListener("input", changed);
	// Before the browser lays a large text out, which takes it minutes.
	field.addEventListener("beforeinput", (event) => {
		const text = event.data ?? event.dataTransfer?.getData("text/plain") ?? "";
		if (text.length <= LARGE) return;
		event.preventDefault();
		showLarge(text);
	});
	const put = (text) => {
		field.value = text;
		cut.textContent = "";
		show(text);
		field.focus();
	};
	host.replaceChildren(
		element("label", { for: id }, "Paste your error"),
		paragraph("The whole traceback, or the message alone, with all its lines: it starts at the last line that begins with the name of an error. It is read by this page, in your browser: nothing is sent anywhere.", { id: `${id}-help` }),
		field, cut,
		element("p", { class: "pe-bar" }, button("Show an example", () => put(EXAMPLE)), button("Clear", () => put(""))),
		status, answered,
	);
};

customElements.define("paste-error", class extends HTMLElement {
	connectedCallback() {
		if (this.childElementCount === 0) mount(this);
	}
});
})();
