/** What a screen reader is told, politely, without moving the focus. */

type Listener = (text: string) => void;

let listener: Listener = () => undefined;

export function announce(text: string): void {
  listener(text);
}

/** The shell's live region listens here. */
export function onAnnounce(heard: Listener): () => void {
  listener = heard;
  return () => {
    listener = () => undefined;
  };
}
