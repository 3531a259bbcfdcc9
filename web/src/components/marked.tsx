import { Fragment, type ReactNode } from "react";

/** `Waits for *extract*` -> with the name emphasised. */
export function marked(sentence: string): ReactNode {
  return sentence.split(/\*([^*]+)\*/).map((part, at) =>
    at % 2 === 1 ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one sentence stay in order
      <em key={at}>{part}</em>
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one sentence stay in order
      <Fragment key={at}>{part}</Fragment>
    ),
  );
}
