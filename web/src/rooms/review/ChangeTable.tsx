import { UnstyledButton } from "@mantine/core";
import { useState } from "react";
import { review as words } from "@/strings/review";
import { Breaks, Impact } from "./Marks";
import type { Change, WorkflowReview } from "./queries";
import classes from "./Review.module.css";
import { shortValue } from "./values";

interface Props {
  shown: WorkflowReview;
  /** What changed of the group itself, whatever the workflow. */
  group: readonly Change[];
  release: number | null;
}

/** Each change in a sentence, with both sides, what it can do and whether it breaks something. */
export function ChangeTable({ shown, group, release }: Props) {
  if (shown.standing === "same" && group.length === 0)
    return <p className={classes.quiet}>{words.sameWorkflow}</p>;
  return (
    <div className={classes.changes}>
      {shown.standing === "code" ? <p className={classes.quiet}>{words.codeOnly}</p> : null}
      {shown.standing === "same" ? (
        <p className={classes.quiet}>{words.sameWorkflow}</p>
      ) : (
        <Lines changes={shown.changes} release={release} label={shown.workflow} />
      )}
      {group.length > 0 ? (
        <>
          <h3 className={classes.section}>{words.wholeGroup}</h3>
          <Lines changes={group} release={release} label={words.wholeGroup} />
        </>
      ) : null}
    </div>
  );
}

function Lines({
  changes,
  release,
  label,
}: {
  changes: readonly Change[];
  release: number | null;
  label: string;
}) {
  return (
    <ul className={classes.lines} aria-label={label}>
      {changes.map((one) => (
        <Line key={`${one.kind} ${one.path}`} one={one} release={release} />
      ))}
    </ul>
  );
}

function Line({ one, release }: { one: Change; release: number | null }) {
  const [open, setOpen] = useState(false);
  const large = [one.before, one.after].some((side) => typeof side === "object" && side !== null);
  const shown = open || !large;
  return (
    <li className={classes.line} data-kind={one.kind}>
      <div className={classes.said}>
        <span className={classes.sign} aria-hidden="true">
          {SIGNS[one.kind] ?? "~"}
        </span>
        <span className="sw-grow">{one.sentence}</span>
        <span className={classes.category}>{one.category}</span>
        <Impact of={one.impact} />
        {one.breaking ? <Breaks /> : null}
      </div>
      {shown ? (
        <div className={classes.sides}>
          <Side
            title={words.before(release)}
            value={one.before}
            unavailable={one.unavailable?.includes("before")}
            side="before"
          />
          <Side
            title={words.after}
            value={one.after}
            unavailable={one.unavailable?.includes("after")}
            side="after"
          />
        </div>
      ) : null}
      <div className={classes.under}>
        <code className="sw-soft">{one.path}</code>
        {large ? (
          <UnstyledButton
            className={classes.toggle}
            onClick={() => setOpen(!open)}
            aria-expanded={open}
          >
            {open ? words.fold : words.unfold}
          </UnstyledButton>
        ) : null}
      </div>
    </li>
  );
}

const SIGNS: Record<string, string> = {
  added: "+",
  removed: "−",
  renamed: "→",
  moved: "↕",
  changed: "~",
};

interface SideProps {
  title: string;
  value: unknown;
  unavailable: boolean | undefined;
  side: "before" | "after";
}

function Side({ title, value, unavailable, side }: SideProps) {
  const there = value !== null && value !== undefined;
  return (
    <div className={classes.side} data-side={side} data-empty={!there || undefined}>
      <div className={classes.sideTitle}>{title}</div>
      {unavailable ? (
        <span className="sw-soft">{words.unavailable}</span>
      ) : (
        <pre className={classes.value}>{there ? shortValue(value) : words.nothing}</pre>
      )}
    </div>
  );
}
