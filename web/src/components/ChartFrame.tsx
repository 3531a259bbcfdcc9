import type { ReactNode } from "react";
import { common } from "@/strings/common";
import classes from "./ChartFrame.module.css";
import { Instant } from "./Instant";

interface Props {
  title: string;
  /** What span it shows: "the last 24 hours". */
  window: ReactNode;
  /** How many things were counted: "1 204 runs". */
  sample: ReactNode;
  asOf: string | null;
  actions?: ReactNode;
  children: ReactNode;
}

/** A chart says its window, its sample size and when it was fetched. */
export function ChartFrame({ title, window, sample, asOf, actions, children }: Props) {
  return (
    <figure className={classes.frame} aria-label={title}>
      <figcaption className={classes.caption}>
        <span className={classes.title}>{title}</span>
        <span className="sw-soft">{window}</span>
        <span className="sw-soft">{sample}</span>
        {asOf === null ? null : (
          <span className="sw-soft">
            {common.refreshed} <Instant at={asOf} />
          </span>
        )}
        <span className="sw-grow" />
        {actions}
      </figcaption>
      {children}
    </figure>
  );
}
