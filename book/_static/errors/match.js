/* The entry of a pasted text. A message is known by its words, in which the numbers are named:
 "got {got:n} channels" is an expression with the group `got`. */
window.Errors ??= {};
Errors.match = (() => {
"use strict";
const { ownFrame, read } = Errors.traceback;

const NUMBER = "-?\\d{1,15}|[su]\\d{1,6}"; // s1: a size that torch.compile leaves open
const FORMS = {
	n: [`(?:${NUMBER})`, (text) => Number(text)],
	list: [`(?:(?:${NUMBER})(?:, ?(?:${NUMBER})){0,11},?)?`, (text) => (text.match(/-?\w+/g) ?? []).map(Number)],
	dims: [`(?:${NUMBER})(?: ?x ?(?:${NUMBER})){0,5}`, (text) => text.split("x").map(Number)],
	word: ["[\\w.:]{1,80}", (text) => text.replace(/[.:]+$/, "")],
	text: ["[^'\"]{0,200}", (text) => text],
	type: ["[\\w.:]{1,60}(?: char| int)?", (text) => text],
	types: ["[^()]{0,300}", (text) => text],
};
const PLACE = /\{(\w+):(\w+)\}/g;

/** Words as an expression, and what reads its groups. */
const compile = (words) => {
	const readers = {};
	const parts = words.split(PLACE); // literal, name, form, literal, name, …
	let source = "";
	for (let place = 0; place < parts.length; place += 3) {
		source += parts[place].replace(/[.*+?^${}()|[\]\\/]/g, "\\$&").replaceAll(" ", " ?");
		if (place + 1 < parts.length) {
			const [form, reader] = FORMS[parts[place + 2]];
			source += `(?<${parts[place + 1]}>${form})`;
			readers[parts[place + 1]] = reader;
		}
	}
	return { expression: new RegExp(source), readers };
};

const compiled = new Map();
/** Find words in a message: {at, numbers}, or null. */
const find = (words, { message, joined }) => {
	if (!compiled.has(words)) compiled.set(words, compile(words));
	const { expression, readers } = compiled.get(words);
	const found = expression.exec(message) ?? expression.exec(joined);
	if (!found) return null;
	const numbers = Object.fromEntries(Object.entries(found.groups ?? {}).map(([name, text]) => [name, readers[name](text)]));
	return { at: found.index, numbers, complete: !Object.values(numbers).flat().some(Number.isNaN) };
};

/** The candidates of an exception: its entry first, others that print the same after it. */
const candidates = (exception) => {
	let best = null;
	for (const known of Errors.messages) {
		for (const [place, words] of [...known.words, ...(known.part ?? [])].entries()) {
			const found = find(words, exception);
			if (!found) continue;
			const whole = place < known.words.length;
			if (!best || (whole && !best.whole) || (whole === best.whole && found.at < best.at)) best = { known, whole, ...found };
			if (whole) break;
		}
	}
	if (!best) return null;
	const { known, whole, complete, numbers } = best;
	const context = { message: exception.message, type: exception.type, functions: exception.frames.map(({ name }) => name), files: exception.frames.map(({ file }) => file), code: ownFrame(exception)?.code ?? "" };
	if (!whole || !complete) return { numbers: {}, partial: true, entries: known.entries.map((entry) => ({ entry })) };
	const entries = known.answer(numbers, context);
	return entries.length ? { numbers, entries } : null;
};

/** Put the entries whose cause convlab has found first, or take all entries of that cause. */
const narrowed = (found, { cause }) => {
	if (cause === "unknown") return found;
	const fitting = found?.entries.filter(({ entry }) => Errors.causes[entry] === cause) ?? [];
	if (fitting.length) return { ...found, entries: fitting };
	// The words alone decide where no cause was given to what they mean.
	if (found && !found.partial && found.entries.every(({ entry }) => (Errors.causes[entry] ?? "unknown") === "unknown")) return found;
	const others = Object.keys(Errors.causes).filter((entry) => Errors.causes[entry] === cause);
	return others.length ? { numbers: {}, related: true, entries: others.map((entry) => ({ entry })) } : found;
};

const WARNING = /convlab: \[(?<name>\w{1,40})\] (?<says>.{1,2000}?)(?: cure: (?<cure>.{1,500}?))?(?: book: |$)/;

/** The entry of a warning of convlab. */
const warning = ({ message }) => {
	const { name, says, cure } = WARNING.exec(message)?.groups ?? {};
	if (!Object.hasOwn(Errors.silent, name ?? "")) return null;
	return { numbers: {}, entries: [{ entry: Errors.silent[name], says: [`${says}.`], cures: cure ? [cure] : [] }] };
};

/** What an exception is, in the catalogue or for convlab. */
const foundOf = (exception) => {
	const found = warning(exception) ?? candidates(exception);
	return exception.note ? narrowed(found, exception.note) : found;
};

/** The last error of each other chain of a text, once each. */
const othersOf = (exceptions, { chain, type, message }) => {
	const lasts = new Map(exceptions.filter((one) => one.chain !== chain && one.type).map((one) => [one.chain, one]));
	const told = new Map([...lasts.values()].map((one) => [`${one.type}: ${one.message}`.trim(), one]));
	told.delete(`${type}: ${message}`.trim());
	return [...told].map(([text, one]) => ({ text, entry: foundOf(one)?.entries[0].entry ?? "" }));
};

/** What is to be said of a pasted text; `found` is null where nothing of it is in the catalogue. */
const answer = (pasted) => {
	const exceptions = read(pasted);
	for (let place = exceptions.length - 1; place >= 0; place -= 1) {
		const exception = exceptions[place];
		const found = foundOf(exception);
		if (found) {
			const last = exceptions[exceptions.length - 1];
			const earlier = place < exceptions.length - 1;
			const chain = exceptions.filter((one) => one.chain === exception.chain);
			return { found, note: exception.note, frame: ownFrame(exception) ?? chain.map(ownFrame).findLast(Boolean) ?? null, type: exception.type, last: earlier ? last : null, others: othersOf(exceptions, exception) };
		}
	}
	const last = exceptions.at(-1) ?? null;
	return { found: null, note: last?.note ?? null, frame: last && ownFrame(last), type: last?.type ?? "", last: null, others: last ? othersOf(exceptions, last) : [] };
};

return { answer, find };
})();
