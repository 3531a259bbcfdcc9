import { type RefObject, useEffect } from "react";

/** A form is not sent while a field holds what cannot be read: it would go without that value. */
export function useStopped(
  box: RefObject<HTMLInputElement | HTMLTextAreaElement | null>,
  wrong: string,
): void {
  useEffect(() => {
    box.current?.setCustomValidity(wrong);
  }, [box, wrong]);
}
