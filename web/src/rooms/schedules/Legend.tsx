/** What the marks mean; each as it is drawn. */

import { ActionIcon, Popover } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";
import { schedules as words } from "@/strings/schedules";
import classes from "./Legend.module.css";
import type { Item } from "./marks";
import { Sample } from "./shapes";

type Entry = [keyof typeof words.outcomeMeaning, Partial<Item>];

const ENTRIES: Entry[] = [
  ["succeeded", { right: 18 }],
  ["failed", { outcome: "failed" }],
  ["late", { late: true, left: 16, right: 21 }],
  ["missed", { outcome: "missed" }],
  ["skipped", { outcome: "skipped" }],
  ["paused", { kind: "band", outcome: "paused", left: 2, right: 30, count: 4 }],
  ["blocked", { outcome: "blocked" }],
  ["cancelled", { outcome: "cancelled" }],
  ["running", { outcome: "running", right: 24 }],
  ["coming", { kind: "coming", outcome: "coming", right: 18, reach: 26 }],
  [
    "cell",
    {
      kind: "cell",
      outcome: "failed",
      left: 4,
      right: 30,
      count: 24,
      outcomes: { failed: 6, succeeded: 18 },
    },
  ],
  ["madeUp", { outcome: "missed", madeUp: 1 }],
];

export function Legend() {
  return (
    <Popover position="bottom-end" width={340} withinPortal>
      <Popover.Target>
        <ActionIcon variant="default" size={30} aria-label={words.legend} title={words.legend}>
          <IconInfoCircle size={16} />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown aria-label={words.legend}>
        <dl className={classes.legend}>
          {ENTRIES.map(([name, item]) => (
            <div key={name}>
              <dt>
                <Sample item={item} width={34} />
              </dt>
              <dd>{words.outcomeMeaning[name]}</dd>
            </div>
          ))}
        </dl>
      </Popover.Dropdown>
    </Popover>
  );
}
