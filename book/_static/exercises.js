/* The field below an exercise: reads numbers, compares, and shows the hint for a known mistake.
   Reading and comparing are those of convlab/check/parsing.py and checking.py. */
(() => {
  const MAX_LENGTH = 10000;
  const NUMBER = /[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?(?:\/\d+)?/iy;
  const SEPARATORS = /(?:[\s,;x×()[\]]|\b(?:and|to|pixels?|cells?|rows?|columns?)\b)*/iy;

  // The numbers in a text; a string is what is wrong with it.
  function parseNumbers(answer, single) {
    if (answer.length > MAX_LENGTH) return "The answer is too long.";
    let text = answer.replaceAll("−", "-").replace(/torch\.Size|tensor|array/gi, " ");
    if (single) text = text.replace(/(?<=\d),(?=\d{3}(?!\d))/g, "");
    const numbers = [];
    for (let position = 0; ;) {
      SEPARATORS.lastIndex = position;
      SEPARATORS.exec(text);
      const start = SEPARATORS.lastIndex;
      if (start === text.length) break;
      NUMBER.lastIndex = start;
      const match = NUMBER.exec(text);
      if (!match || (numbers.length && start === position)) {
        const [word] = text.slice(start).split(/[\s,;()[\]]/);
        return `Type numbers only, with commas: '${word.slice(0, 20)}' is not one.`;
      }
      const [numerator, denominator] = match[0].split("/").map(Number);
      if (denominator === 0) return `${match[0]} divides by 0.`;
      numbers.push(numerator / (denominator ?? 1));
      position = NUMBER.lastIndex;
    }
    return numbers.length ? numbers : "The answer contains no number.";
  }

  const sameNumbers = (given, right, tolerance) => given.length === right.length
    && given.every((one, i) => Math.abs(one - right[i]) <= tolerance + 1e-9 * Math.abs(right[i]));

  // What an answer is: { error }, { passed: true } or { passed: false, mistake }.
  function judge({ answer, choices, tolerance, mistakes }, text) {
    let isSame = (right) => right === text;
    let count = answer.length;
    if (choices.length) {
      if (!choices.includes(text)) return { error: `Choose one of: ${choices.join(", ")}.` };
    } else {
      const numbers = parseNumbers(text, answer.length === 1);
      if (typeof numbers === "string") return { error: numbers };
      isSame = (right) => sameNumbers(numbers, right, tolerance);
      count = numbers.length;
    }
    if (isSame(answer)) return { passed: true };
    const known = Object.keys(mistakes).find((name) => isSame(mistakes[name]));
    if (known || count === answer.length) return { passed: false, mistake: known ?? null };
    const wanted = answer.length === 1 ? "one number" : `${answer.length} numbers`;
    return { passed: false, mistake: null, note: `The answer has ${wanted}, and yours ${count}.` };
  }

  class Field extends HTMLElement {
    connectedCallback() {
      const exercise = JSON.parse(this.dataset.exercise);
      const form = document.createElement("form");
      const label = document.createElement("label");
      label.textContent = exercise.answer.length > 1 && !exercise.choices.length
        ? "Your answer, with commas " : "Your answer ";
      const input = document.createElement(exercise.choices.length ? "select" : "input");
      for (const choice of ["", ...exercise.choices]) {
        if (exercise.choices.length) input.append(new Option(choice));
      }
      input.autocomplete = "off";
      label.append(input);
      const button = document.createElement("button");
      button.textContent = "Check";
      const output = document.createElement("output");
      form.append(label, button, output);
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.show(judge(exercise, input.value.trim()), output);
      });
      input.addEventListener("input", () => this.show({}, output));
      this.prepend(form);
    }

    show({ error, passed, mistake, note }, output) {
      output.textContent = error ?? note ?? { true: "Right.", false: "Not yet." }[passed] ?? "";
      output.className = passed ? "right" : "wrong";
      const shown = passed ? "" : mistake;
      const text = [...this.querySelectorAll(".answer-text")]
        .find((box) => box.dataset.mistake === shown);
      if (text) {
        const copy = text.cloneNode(true);
        copy.className = "answer-shown";
        copy.hidden = false;
        output.append(copy);
      }
    }
  }

  customElements.define("conv-exercise", Field);
  Object.assign(Field, { parseNumbers, judge });
})();
