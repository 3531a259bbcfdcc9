import { cx } from "@/lib/cx";
import { common } from "@/strings/common";
import classes from "./StateBadge.module.css";
import { StateGlyph, type StateWord } from "./StateGlyph";

interface Props {
  state: StateWord;
  /** `plain`: no background, for dense tables. */
  look?: "filled" | "plain";
  size?: "sm" | "md";
  /** Instead of the word itself: "failed in load". */
  children?: string;
}

/** A state: word, icon, shape and colour, so that no single one of them has to be seen. */
export function StateBadge({ state, look = "filled", size = "sm", children }: Props) {
  return (
    <span
      className={cx(classes.badge, classes[look], classes[size])}
      data-state={state}
      title={common.stateMeaning[state]}
    >
      <StateGlyph state={state} size={size === "md" ? 16 : 13} />
      <span>{children ?? common.states[state]}</span>
    </span>
  );
}
