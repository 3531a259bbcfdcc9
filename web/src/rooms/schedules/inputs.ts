/** Instants in `<input type="datetime-local">`, by the clock of a zone. Pure. */

import { instantOf, wall } from "./zones";

const two = (value: number) => String(value).padStart(2, "0");

/** `2026-03-29T03:00`. */
export function toInput(at: number, zone: string): string {
  if (Number.isNaN(at)) return "";
  const shown = wall(at, zone);
  const day = `${String(shown.year).padStart(4, "0")}-${two(shown.month)}-${two(shown.day)}`;
  return `${day}T${two(shown.hour)}:${two(shown.minute)}`;
}

/** An instant in ISO; null where nothing is written, or the clock never shows that. */
export function fromInput(text: string, zone: string): string | null {
  const found = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)/.exec(text);
  if (found === null) return null;
  const [year, month, day, hour, minute] = found.slice(1).map(Number);
  const at = instantOf(
    { year: year ?? 0, month: month ?? 1, day: day ?? 1, hour: hour ?? 0, minute: minute ?? 0 },
    zone,
  );
  return at === null ? null : new Date(at).toISOString();
}
