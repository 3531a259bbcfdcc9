import { type ReactNode, useEffect } from "react";
import { cx } from "@/lib/cx";
import classes from "./PageHeader.module.css";

interface Props {
  title: string;
  /** Instead of the title, where it is more than a word: with a badge, say. */
  heading?: ReactNode;
  /** Under the title: one sentence. */
  lead?: ReactNode;
  actions?: ReactNode;
  above?: ReactNode;
}

/** The head of a screen: sets the page's title too, which the shell reads out. */
export function PageHeader({ title, heading, lead, actions, above }: Props) {
  usePageTitle(title);
  return (
    <header className={classes.header}>
      {above ? <div className={cx(classes.above, "sw-alone")}>{above}</div> : null}
      <div className={classes.line}>
        <h1 className={classes.title}>{heading ?? title}</h1>
        {actions ? <div className={cx(classes.actions, "sw-alone")}>{actions}</div> : null}
      </div>
      {lead ? <div className={classes.lead}>{lead}</div> : null}
    </header>
  );
}

export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Stepwell`;
  }, [title]);
}
