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
}

/** Text as it is, to read and to copy. */
export function CodeBlock({ children, label, wrap = false, tall = false }: Props) {
  return (
    <div className={classes.block}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys */}
      <pre className={cx(classes.text, wrap && classes.wrap, tall && classes.tall)} tabIndex={0}>
        {children}
      </pre>
      <div className={classes.copy}>
        <CopyButton value={children} label={label} />
      </div>
    </div>
  );
}
