import { Fragment, type ReactNode } from "react";

/** A sentence in which backticks mark what is typed or written so: "Without `since:2h` ...". */
export function Coded({ children }: { children: string }): ReactNode {
  return children.split("`").map((part, at) => {
    const key = `${at} ${part}`;
    return at % 2 === 1 ? <code key={key}>{part}</code> : <Fragment key={key}>{part}</Fragment>;
  });
}
