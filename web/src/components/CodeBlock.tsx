import { cx } from "@/lib/cx";
import classes from "./CodeBlock.module.css";
import { CopyButton } from "./CopyButton";

interface Props {
  children: string;
  /** What it is: "command", "traceback". */
  label: string;
  /** Break long lines instead of scrolling. */
  wrap?: boolean;
  tall?: boolean;
  /** Only some lines of it; the rest scrolls. */
  short?: boolean;
}

/** Text as it is, to read and to copy. */
export function CodeBlock({ children, label, wrap = false, tall = false, short = false }: Props) {
  return (
    <div className={classes.block}>
      <pre
        className={cx(
          classes.text,
          wrap && classes.wrap,
          tall && classes.tall,
          short && classes.short,
        )}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys
        tabIndex={0}
      >
        {children}
      </pre>
      <div className={classes.copy}>
        <CopyButton value={children} label={label} />
      </div>
    </div>
  );
}
