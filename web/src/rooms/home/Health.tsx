/** The parts of the server: one line where all are well, else those that are not. */

import { Collapse, UnstyledButton } from "@mantine/core";
import {
  IconAlertTriangle,
  IconChevronDown,
  IconCircleCheck,
  IconCircleX,
} from "@tabler/icons-react";
import { useState } from "react";
import { home as words } from "@/strings/home";
import classes from "./Health.module.css";
import type { Summary } from "./queries";

type Part = Summary["health"][number];

const ICONS = { ok: IconCircleCheck, warning: IconAlertTriangle, problem: IconCircleX };
const ORDER = ["problem", "warning", "ok"];

export function Health({ parts }: { parts: Part[] }) {
  const [open, setOpen] = useState(false);
  const wrong = parts
    .filter((one) => one.state !== "ok")
    .sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
  const well = parts.filter((one) => one.state === "ok");
  return (
    <section className={classes.health} aria-label={words.health.title}>
      {wrong.length > 0 ? (
        <ul className={classes.list}>
          {wrong.map((one) => (
            <Line key={one.name} part={one} />
          ))}
        </ul>
      ) : null}
      {well.length > 0 ? (
        <>
          <UnstyledButton
            className={classes.fold}
            aria-expanded={open}
            onClick={() => setOpen(!open)}
          >
            <IconCircleCheck size={16} className={classes.ok} aria-hidden="true" />
            <span>
              {wrong.length === 0
                ? words.health.allWell(well.length)
                : `${well.length} ${words.health.states.ok}`}
              <span className="sw-soft"> {well.map((one) => one.name).join(", ")}</span>
            </span>
            <IconChevronDown size={15} aria-hidden="true" data-open={open || undefined} />
          </UnstyledButton>
          <Collapse expanded={open}>
            <ul className={classes.list}>
              {well.map((one) => (
                <Line key={one.name} part={one} />
              ))}
            </ul>
          </Collapse>
        </>
      ) : null}
    </section>
  );
}

function Line({ part }: { part: Part }) {
  const Icon = ICONS[part.state];
  return (
    <li className={classes.line} data-state={part.state}>
      <Icon size={16} role="img" aria-label={words.health.states[part.state]} />
      <span>
        <strong>{part.name}</strong> <span className={classes.sentence}>{part.sentence}</span>
      </span>
    </li>
  );
}
