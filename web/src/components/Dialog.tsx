import { Modal, type ModalProps } from "@mantine/core";
import { useFocusBack } from "@/lib/focus";

/** Before the page, and alone: it holds the focus, and gives it back wherever it was opened from. */
export function Dialog(props: ModalProps) {
  useFocusBack(props.opened);
  return <Modal {...props} returnFocus={false} />;
}
