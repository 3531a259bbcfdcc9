/**
 * A description of a failure, taken apart: `Error: text (after Cause: text)` in its first line,
 * then its frames, the ones of the project's own code first. Pure.
 */

export interface Failure {
  /** Outermost first: what was raised, what it came after, … */
  chain: string[];
  frames: { place: string; code: string }[];
  rest: string[];
}

const FRAME = /^\s+(\S.*:\d+ in [^:]+)(?:: (.*))?$/;

export function failureOf(description: string): Failure {
  const [first = "", ...lines] = description.split("\n");
  const found: Failure = { chain: chainOf(first), frames: [], rest: [] };
  for (const line of lines) {
    const frame = FRAME.exec(line);
    if (frame !== null) found.frames.push({ place: frame[1] ?? "", code: frame[2] ?? "" });
    else if (line.trim() !== "") found.rest.push(line);
  }
  return found;
}

/** `A: x (after B: y (after C: z))` -> `A: x`, `B: y`, `C: z`. */
function chainOf(line: string): string[] {
  const [head = "", ...causes] = line.split(/ \(after (?=[A-Za-z_][\w.]*(?::|\)|$))/);
  let open = causes.length;
  return [
    head,
    ...causes.map((one) => {
      let text = one;
      while (open > 0 && text.endsWith(")") && count(text, ")") > count(text, "(")) {
        text = text.slice(0, -1);
        open -= 1;
      }
      return text;
    }),
  ];
}

function count(text: string, char: string): number {
  return text.split(char).length - 1;
}
