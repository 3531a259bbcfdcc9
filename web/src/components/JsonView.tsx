import { type ReactNode, useState } from "react";
import { Exact, exactText } from "@/lib/exact";
import { common } from "@/strings/common";
import { CopyButton } from "./CopyButton";
import classes from "./JsonView.module.css";

interface Props {
  value: unknown;
  label: string;
  /** How many levels are open at first. */
  open?: number;
}

/** A value as a tree that folds. */
export function JsonView({ value, label, open = 2 }: Props) {
  return (
    <div className={classes.frame}>
      <section
        className={classes.view}
        aria-label={label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys
        tabIndex={0}
      >
        <Node value={value} depth={0} open={open} />
      </section>
      <div className={classes.copy}>
        <CopyButton value={() => exactText(value, 2)} label={label} />
      </div>
    </div>
  );
}

const MOST = 200;
/** More than so many within another value are folded at first: they would be all that is seen. */
const MANY = 24;

function Node({ value, depth, open, name }: NodeProps) {
  const [shown, setShown] = useState(depth < open && (depth === 0 || sizeOf(value) <= MANY));
  const key = name === undefined ? null : <span className={classes.key}>{name}: </span>;
  if (typeof value !== "object" || value === null || value instanceof Exact) {
    return (
      <div className={classes.line}>
        {key}
        <Leaf value={value} />
      </div>
    );
  }
  const list = Array.isArray(value);
  const pairs = Object.entries(value);
  const brief = list ? `[${pairs.length}]` : `{${pairs.length}}`;
  if (pairs.length === 0) {
    return (
      <div className={classes.line}>
        {key}
        <span className={classes.soft}>{list ? "[]" : "{}"}</span>
      </div>
    );
  }
  return (
    <div className={classes.node}>
      <button
        type="button"
        className={classes.fold}
        aria-expanded={shown}
        onClick={() => setShown(!shown)}
      >
        <span aria-hidden="true" className={classes.mark}>
          {shown ? "▾" : "▸"}
        </span>
        {key}
        <span className={classes.soft}>{brief}</span>
      </button>
      {shown ? (
        <div className={classes.children}>
          {pairs.slice(0, MOST).map(([inner, one]) => (
            <Node key={inner} name={inner} value={one} depth={depth + 1} open={open} />
          ))}
          {pairs.length > MOST ? (
            <div className={classes.soft}>{common.sample(MOST, String(pairs.length))}</div>
          ) : null}
        </div>
      ) : null}
    </div>
  );
}

function sizeOf(value: unknown): number {
  return typeof value === "object" && value !== null ? Object.keys(value).length : 0;
}

interface NodeProps {
  value: unknown;
  depth: number;
  open: number;
  name?: string;
}

function Leaf({ value }: { value: unknown }): ReactNode {
  if (typeof value === "string") return <span className={classes.string}>"{value}"</span>;
  return <span className={classes.atom}>{String(value)}</span>;
}
