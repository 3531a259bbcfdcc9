import { Modal, type ModalProps } from "@mantine/core";
import { useEffect } from "react";
import { useFocusBack } from "@/lib/focus";

const FIELD = "input:not([type='radio'], [type='checkbox'], [type='hidden']), textarea";

/** Before the page, and alone: it holds the focus, and gives it back wherever it was opened from. */
export function Dialog(props: ModalProps) {
  useFocusBack(props.opened);
  useEffect(() => {
    if (!props.opened) return;
    const timer = window.setTimeout(intoField, 30);
    return () => window.clearTimeout(timer);
  }, [props.opened]);
  return <Modal {...props} returnFocus={false} />;
}

/** Mantine begins at the cross in the corner, where nothing says otherwise. */
function intoField(): void {
  const header = document.activeElement?.closest(".mantine-Modal-header");
  header?.parentElement?.querySelector<HTMLElement>(FIELD)?.focus();
}
