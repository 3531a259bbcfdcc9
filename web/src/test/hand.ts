/** A hand that is quicker than the page is drawn. */

import { act } from "@testing-library/react";

const WIDTH = 100;

/** Presses at the first place, in percent of what is dragged over, and lets go at the last. */
export function dragAtOnce(over: HTMLElement, ...places: number[]): void {
  over.setPointerCapture = () => undefined;
  over.getBoundingClientRect = () => ({ left: 0, width: WIDTH }) as DOMRect;
  // jsdom has no PointerEvent; by its name and its place this is one.
  const pointer = (kind: string, clientX = 0) =>
    over.dispatchEvent(new MouseEvent(kind, { clientX, bubbles: true }));
  act(() => {
    pointer("pointerdown", places[0]);
    for (const place of places.slice(1)) pointer("pointermove", place);
    pointer("pointerup", places.at(-1));
  });
}
