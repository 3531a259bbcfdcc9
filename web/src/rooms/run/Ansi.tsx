import Anser from "anser";
import { memo, type ReactNode } from "react";
import classes from "./Ansi.module.css";

const ESCAPE = "\u001b";

/** Text with the colours of a terminal, as classes: no style comes from the log itself. */
export const Ansi = memo(function Ansi({ text, find }: { text: string; find: string }) {
  if (!text.includes(ESCAPE)) return <>{found(text, find)}</>;
  const parts = Anser.ansiToJson(text, { use_classes: true, remove_empty: true });
  return (
    <>
      {parts.map((part, at) => {
        const names = [part.fg, part.bg && `${part.bg}-bg`, ...part.decorations]
          .filter(Boolean)
          .map((name) => classes[String(name)])
          .filter(Boolean);
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one line stay in order
          <span key={at} className={names.join(" ")}>
            {found(part.content, find)}
          </span>
        );
      })}
    </>
  );
});

/** With what was searched for marked. */
function found(text: string, find: string): ReactNode {
  if (find === "") return text;
  const at = text.toLowerCase().indexOf(find.toLowerCase());
  if (at < 0) return text;
  const end = at + find.length;
  return (
    <>
      {text.slice(0, at)}
      <mark>{text.slice(at, end)}</mark>
      {found(text.slice(end), find)}
    </>
  );
}
