import { UnstyledButton } from "@mantine/core";
import { IconCheck, IconPlayerPause, IconX } from "@tabler/icons-react";
import { review as words } from "@/strings/review";
import type { Choices } from "./decisions";
import { Standing } from "./Marks";
import type { Review } from "./queries";
import classes from "./Review.module.css";

interface Props {
  review: Review;
  choices: Choices;
  /** Whether the reader may decide: keys that do nothing are not offered. */
  may: boolean;
  at: string;
  onOpen: (workflow: string) => void;
}

const ICONS = { accept: IconCheck, reject: IconX, hold: IconPlayerPause };

/** The workflows of the group, each with its mark and what is chosen for it. */
export function WorkflowList({ review, choices, may, at, onOpen }: Props) {
  const breaking = new Set(
    review.workflows
      .filter((one) => one.changes.some((c) => c.breaking))
      .map((one) => one.workflow),
  );
  return (
    <nav className={classes.left} aria-label={words.workflows}>
      <ul>
        {review.workflows.map((one) => {
          const choice = choices[one.workflow]?.choice ?? null;
          const decided = choice ?? one.decided?.decision ?? null;
          const Icon = decided === null ? null : ICONS[decided];
          return (
            <li key={one.workflow}>
              <UnstyledButton
                className={classes.item}
                aria-current={one.workflow === at ? "true" : undefined}
                onClick={() => onOpen(one.workflow)}
              >
                <Standing of={one.standing} brief />
                <span className="sw-truncate sw-grow">{one.workflow}</span>
                {breaking.has(one.workflow) ? (
                  <span className={classes.bang} title={words.breakingMeaning}>
                    !<span className="sw-hidden">{words.breaking}</span>
                  </span>
                ) : null}
                {Icon === null || decided === null ? null : (
                  <span className={classes.chosen} data-choice={decided} data-new={choice !== null}>
                    <Icon size={13} aria-hidden="true" />
                    <span className="sw-hidden">
                      {choice === null ? words.decidedAs[decided] : words.chosen[decided]}
                    </span>
                  </span>
                )}
              </UnstyledButton>
            </li>
          );
        })}
      </ul>
      <p className={classes.keys}>{may ? words.keys : words.keysToRead}</p>
    </nav>
  );
}
