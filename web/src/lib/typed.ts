/** A field whose text is part of the address: it goes there a moment after the last letter. */

import { useDebouncedCallback } from "@mantine/hooks";
import { type ChangeEvent, type RefObject, useEffect, useRef, useState } from "react";

interface Typed {
  ref: RefObject<HTMLInputElement | null>;
  value: string;
  onChange: (event: ChangeEvent<HTMLInputElement>) => void;
  onBlur: () => void;
}

/**
 * What belongs to the field. `value` is what the address says; `send` writes it there, at most
 * once in so many milliseconds.
 *
 * The address comes behind the hand. So as long as one writes in the field it keeps what was
 * typed, and takes over what else changes the address (a link, a button that clears it) after.
 */
export function useTyped(value: string, send: (text: string) => void, after = 250): Typed {
  const ref = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(value);
  const later = useDebouncedCallback(send, after);
  useEffect(() => {
    if (document.activeElement !== ref.current) setTyped(value);
  }, [value]);
  return {
    ref,
    value: typed,
    onChange: ({ currentTarget }) => {
      setTyped(currentTarget.value);
      later(currentTarget.value.trim());
    },
    onBlur: () => later.flush(), // else it would come after what is clicked next, and undo it
  };
}
