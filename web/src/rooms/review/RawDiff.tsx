import { MergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView, lineNumbers } from "@codemirror/view";
import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import { NONCE } from "@/lib/page";
import { review as words } from "@/strings/review";
import type { Entry } from "./queries";
import classes from "./Review.module.css";
import { sorted } from "./values";

/** Both entries as text, line by line; what is the same is folded. */
export function RawDiff({ before, after }: { before: Entry | null; after: Entry | null }) {
  const place = useRef<HTMLDivElement>(null);
  const old = before === null ? "" : sorted(before);
  const now = after === null ? "" : sorted(after);
  const dark = useComputedColorScheme("light") === "dark";
  useEffect(() => {
    if (place.current === null) return;
    const extensions = [
      EditorView.editable.of(false),
      EditorState.readOnly.of(true),
      EditorView.lineWrapping,
      EditorView.cspNonce.of(NONCE),
      EditorView.theme({}, { dark }),
      lineNumbers(),
    ];
    const named = (label: string) => [
      ...extensions,
      EditorView.contentAttributes.of({ tabindex: "0", "aria-label": label }),
    ];
    const view = new MergeView({
      a: { doc: old, extensions: named(words.rawBefore) },
      b: { doc: now, extensions: named(words.rawAfter) },
      parent: place.current,
      collapseUnchanged: { margin: 3, minSize: 6 },
      gutter: true,
    });
    return () => view.destroy();
  }, [old, now, dark]);
  return <div ref={place} className={classes.raw} />;
}
