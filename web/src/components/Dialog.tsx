import { Modal, type ModalProps } from "@mantine/core";
import { useLayoutEffect, useRef } from "react";
import { useFocusBack } from "@/lib/focus";

const FIELD =
  "input:enabled:not([type='radio'], [type='checkbox'], [type='hidden']), textarea:enabled";

/** Before the page, and alone: it holds the focus, and gives it back wherever it was opened from. */
export function Dialog({ children, ...props }: ModalProps) {
  useFocusBack(props.opened);
  return (
    <Modal {...props} returnFocus={false}>
      {children}
      <Beginning />
    </Modal>
  );
}

/**
 * Mantine begins at the cross in the corner, where nothing says otherwise. It looks when the
 * dialog is there, however long that takes; so it is said as soon as it is there.
 */
function Beginning() {
  const here = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    const dialog = here.current?.closest("[role='dialog']");
    if (!dialog || dialog.querySelector("[data-autofocus]") !== null) return;
    dialog.querySelector(FIELD)?.setAttribute("data-autofocus", "");
  }, []);
  return <span ref={here} hidden />;
}
