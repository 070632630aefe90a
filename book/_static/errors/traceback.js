/* A pasted text as exceptions: type, message, frames and convlab's note. Nothing here is slower than
 linear: each line is read once, with expressions whose repetitions are bounded. */
window.Errors ??= {};
Errors.traceback = (() => {
"use strict";
const MOST = 1e6, MOST_LINES = 1e5; // of a longer text the end is read
const LONGEST_LINE = 8000, LONGEST_MESSAGE = 30000, MOST_EXCEPTIONS = 60;

const TAG = /<\/?(?:a|b|body|br|code|div|em|font|html|i|p|pre|samp|span|strong|table|tbody|td|tr)\b[^<>]{0,1000}>/gi;
const BREAK = /<(?:br|\/p|\/div|\/tr|\/pre)\b[^<>]{0,1000}>/gi;
const ENTITIES = { lt: "<", gt: ">", quot: '"', apos: "'", "#39": "'", "#x27": "'", "#34": '"', nbsp: " ", amp: "&" };
const ANSI = /\u001b\[[0-9;:?]{0,40}[ -/]?[@-~]|\u009b[0-9;:?]{0,40}[@-~]|\u001b\][^\u0007\u001b]{0,2000}(?:\u0007|\u001b\\)|\u001b[@-Z\\^_]?|\[\d{1,3}(?:;\d{1,3}){0,4}m/g;
const INVISIBLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** The text without colours, HTML, escapes of JSON and what cannot be seen, as lines. */
const linesOf = (pasted) => {
	let text = pasted.length > MOST ? pasted.slice(-MOST) : pasted;
	if (/\(most recent call last\):? ?\\n|\\n {0,8}File \\?"/.test(text)) {
		text = text.replace(/\\r\\n|\\n/g, "\n").replace(/\\"/g, '"').replace(/\\t/g, " ").replace(/^ {0,8}"|",? {0,8}$/gm, "");
	}
	text = text.replace(/\\(?:u001b|x1b|033|e)(?=\[)/gi, "\u001b").replace(ANSI, "");
	if (text.includes("</") || /<(?:span|pre|br|div)/i.test(text)) text = text.replace(BREAK, "\n").replace(TAG, "");
	text = text.replace(/&(lt|gt|quot|apos|#39|#x27|#34|nbsp|amp);/g, (_, name) => ENTITIES[name]);
	text = text.replace(/\r\n?|[\u2028\u2029]/g, "\n").replace(INVISIBLE, "").replace(/[\u00a0\t]/g, " ")
		.replace(/[\u2018\u2019]/g, "'").replace(/[\u201c\u201d]/g, '"').replace(/\u00d7/g, "x");
	return text.replace(/\n{3,}/g, "\n\n").split("\n").slice(-MOST_LINES).map((line) => (line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE / 2)} ${line.slice(-LONGEST_LINE / 2)}` : line));
};

const HEAD = "Traceback (most recent call last)";
const CHAIN = /During handling of the above exception|The above exception was the direct cause/;
const TEST = /^_{3,200} .{1,300} _{3,200}$/; // pytest's title of a failing test

/** Take off what stands before each line: a log's time, a rank, a frame of lines, pytest's E. */
const withoutPrefix = (lines) => {
	let prefix = null, indented = 0;
	return lines.map((whole) => {
		let line = whole.replace(/^ {0,12}[│┃|] ?/, "");
		if (line !== whole) line = line.replace(/ ?[│┃|] ?$/, "").trimEnd();
		const head = line.indexOf(HEAD);
		if (head > 0 && head < 200) {
			const before = line.slice(0, head);
			const spaces = before.length - before.trimEnd().length;
			prefix = /Original |Exception Group |─|^\w+ +$/.test(before) ? null
				: new RegExp(`^${before.trimEnd().replace(/[.*+?^${}()|[\]\\/]/g, "\\$&").replace(/\d+/g, "\\d{1,20}")} {0,${spaces}}`);
			return prefix ? line.slice(head) : line;
		}
		if (head === 0) prefix = null;
		if (prefix) line = line.replace(prefix, "");
		else line = line.replace(/^\[(?:rank|default)?\d{1,6}\]: ?/, "");
		const marked = /^E( {3,60})/.exec(line); // the first such line of an error says how far it is indented
		if (marked) {
			indented = /^E +[\w.]+(?:Error|Exception)\b/.test(line) || !indented ? marked[1].length : indented;
			return line.slice(1).replace(new RegExp(`^ {0,${indented}}`), "");
		}
		if (indented && /^E$/.test(line.trimEnd())) return "";
		return /^(?:FAILED|ERROR) \S{1,300}::/.test(line) ? "" : line; // pytest's summary cuts messages
	});
};

const FRAMES = [
	/^ *File "(?<file>[^"]{1,1000})", line (?<line>\d{1,9})(?:, in (?<name>.{1,300}))?/,
	/^ *File (?<file>[^" ][^"]{0,999}):(?<line>\d{1,9}),? in (?<name>.{1,300})$/,
	/^ *(?:Cell|Input) (?<file>In ?\[\d{1,9}\])(?:, line (?<line>\d{1,9}))?(?:, in (?<name>.{1,300}))?/,
	/^(?<file>[~/<\w.][^ ]{0,500}(?:\.py|>)) in (?<name>.{1,300})$/,
	/^(?<file>(?:[A-Za-z]:)?[^ :"'|]{1,500}\.py):(?<line>\d{1,9})(?::? in (?<name>.{1,200})|:(?: \w{0,60})?) *$/,
];
const ARROW = /^ *(?:-{1,6}>|❱) ?(?<line>\d{1,9})(?<code>.*)$/;
const LIBRARY = /[\\/](?:site|dist)-packages[\\/]|[\\/]lib(?:64)?[\\/]python\d|[\\/]python\d[\d.]{0,8}[\\/]lib[\\/]|conda\w{0,20}[\\/](?:envs[\\/][^\\/]{1,100}[\\/])?lib[\\/]|[\\/]torch[\\/](?:_\w{1,40}|nn|utils|autograd|fx|distributed|optim|jit|cuda|amp|functional|serialization)[\\/.]|^<(?:frozen|string|eval_with_key|__array)/i;

const KIND = /(?:Error|Exception|Interrupt|Exit|Iteration|Unsupported|Failed|Failure|Group)$/;

/** The type and the message that a line starts with, or null: `RuntimeError: …`. */
const header = (line) => {
	const [type] = /^[\w.]{0,200}/.exec(line);
	if (!KIND.test(type)) return null;
	const rest = line.slice(type.length);
	return rest === "" || rest[0] === ":" ? { type, message: rest.slice(1).trim() } : null;
};

/** The same within a line of a log: `12:00 ERROR main: RuntimeError: …`. */
const headerInside = (line) => {
	const at = line.search(/(?:Error|Exception): /);
	if (at < 0 || /^ {4}|\b(?:except|raise) /.test(line)) return null;
	const start = at - /[\w.]*$/.exec(line.slice(Math.max(0, at - 150), at))[0].length;
	return header(line.slice(start));
};

const NOTE = /^convlab: \[(?<cause>\w{1,40})\] (?<where>.{1,300}?): /;

/** convlab's note in the lines of a message: {cause, layer, type, steps, fix, at}. */
const noteIn = (lines) => {
	const at = lines.findIndex((line) => NOTE.test(line));
	if (at < 0) return null;
	const { cause, where } = NOTE.exec(lines[at]).groups;
	const [, layer, type] = /^(.*) \((\w+)\)$/.exec(where) ?? [null, "", where];
	const rest = lines.slice(at + 1, at + 40);
	const end = rest.findIndex((line) => !line.startsWith("  "));
	const told = (end < 0 ? rest : rest.slice(0, end)).map((line) => line.trim());
	const fix = told.find((line) => line.startsWith("fix: "))?.slice(5) ?? "";
	return { cause, layer, type, fix, at, steps: told.filter((line) => !/^(?:fix|book): /.test(line)) };
};

/** The frames and the exceptions of the lines between two headings of a traceback. */
const readSegment = (lines) => {
	const frames = [], headers = [];
	let code = "";
	lines.forEach((line, place) => {
		if (/^> /.test(line)) code = line.slice(2).trim();
		const arrow = ARROW.exec(line);
		if (arrow && frames.length) {
			const last = frames[frames.length - 1];
			last.line ??= arrow.groups.line;
			if (last.line === arrow.groups.line) last.code = arrow.groups.code.replace(/^[│ ]+/, "").trim();
			return;
		}
		const form = FRAMES.findIndex((one) => one.test(line));
		if (form >= 0) {
			const { file, line: number, name = "" } = FRAMES[form].exec(line).groups;
			const next = lines[place + 1] ?? "";
			const follows = form < 2 && /^ {2,}(?!File |\d+ )/.test(next) ? next.trim() : "";
			const before = form === 4 ? code || (name && /^ {2,}/.test(next) ? next.trim() : "") : "";
			frames.push({ file, line: number, name: name.replace(/\(.*$/, "").trim(), code: follows || before, own: !LIBRARY.test(file) });
			code = "";
			return;
		}
		const found = line.includes(HEAD) ? null : header(line);
		if (found) headers.push({ ...found, place });
	});
	if (!headers.length) {
		lines.forEach((line, place) => {
			const found = line.includes(HEAD) ? null : headerInside(line);
			if (found) headers.push({ ...found, place });
		});
	}
	if (!headers.length && lines.some((line) => line.trim())) headers.push({ type: "", message: lines[0].trim(), place: 0 });
	return headers.slice(-MOST_EXCEPTIONS).map(({ type, message, place }, index, kept) => {
		let told = [message, ...lines.slice(place + 1, kept[index + 1]?.place).slice(0, 2000)];
		const note = noteIn(told);
		if (note) told = told.slice(0, note.at);
		told = told.filter((line) => !FRAMES[4].test(line)).map((line) => line.trim()); // pytest's line below the error
		return {
			type, note, frames,
			// Lines that were wrapped between words, and lines that were cut at a width.
			message: told.join(" ").slice(0, LONGEST_MESSAGE).replace(/ {2,}/g, " "),
			joined: told.join("").slice(0, LONGEST_MESSAGE).replace(/ {2,}/g, " "),
		};
	});
};

/** The exceptions of a text, the last one last; those of one chain have the same `chain`. */
const read = (pasted) => {
	const segments = [{ chain: 0, lines: [] }];
	let chain = 0, continued = false;
	for (const line of withoutPrefix(linesOf(pasted))) {
		const isTest = TEST.test(line);
		if (CHAIN.test(line)) {
			continued = segments[segments.length - 1].joined = true;
			segments.push({ chain, joined: true, lines: [] });
		} else if (isTest || line.includes(HEAD)) {
			// The traceback of a worker stands within the message of the process that waits for it.
			if (isTest || (!continued && !/Original Traceback/.test(line))) chain += 1;
			continued = false;
			segments.push({ chain, joined: true, lines: [line] });
		} else segments[segments.length - 1].lines.push(line);
	}
	const all = segments.slice(-MOST_EXCEPTIONS).flatMap((segment, place) => readSegment(segment.lines)
		// Without frames, each message is an error of its own.
		.map((one, index) => ({ ...one, chain: one.frames.length || segment.joined ? segment.chain : `${place}/${index}` }))).slice(-MOST_EXCEPTIONS);
	const named = all.filter(({ type, note }) => type || note);
	// What stands around a traceback has no type; without one, any text may be a message.
	return named.length ? named : all;
};

/** The last frame in the reader's own code, or null. */
const ownFrame = ({ frames }) => frames.filter(({ own }) => own).at(-1) ?? null;

return { MOST, ownFrame, read };
})();
