import type { ReactNode } from "react";
import { Mark } from "@/shell/Mark";
import classes from "./Gate.module.css";

/** The page before one is in. */
export function Gate({
  title,
  lead,
  children,
}: {
  title: string;
  lead: string;
  children: ReactNode;
}) {
  return (
    <div className={classes.place}>
      <Steps />
      <main className={classes.card} id="page">
        <div className={classes.brand}>
          <span className={classes.mark}>
            <Mark size={26} />
          </span>
          Stepwell
        </div>
        <h1 className={classes.title}>{title}</h1>
        <p className={classes.lead}>{lead}</p>
        {children}
      </main>
    </div>
  );
}

function Steps() {
  return (
    <svg
      className={classes.steps}
      viewBox="0 0 800 400"
      aria-hidden="true"
      preserveAspectRatio="none"
    >
      {[0, 1, 2, 3, 4, 5].map((at) => (
        <path
          key={at}
          d={`M0 ${60 + at * 56} H${130 + at * 44} V${110 + at * 56} H${670 - at * 44} V${60 + at * 56} H800 V400 H0 Z`}
          fill="currentColor"
          opacity={0.045 + at * 0.012}
        />
      ))}
    </svg>
  );
}
