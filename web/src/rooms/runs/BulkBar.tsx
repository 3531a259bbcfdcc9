/** What can be done with the selected runs. */

import { Button, Menu, Text, TextInput } from "@mantine/core";
import { IconArrowsDiff, IconPlayerStop, IconRefresh, IconTag, IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, ok } from "@/api/client";
import { RoleGate } from "@/components/RoleGate";
import { number } from "@/lib/time";
import { runs as words } from "@/strings/runs";
import classes from "./BulkBar.module.css";
import { BulkDialog } from "./BulkDialog";
import { type Bulk, countQuery, type Run } from "./queries";
import type { Act } from "./undo";

interface Props {
  q: string;
  ids: ReadonlySet<string>;
  everything: boolean;
  rows: readonly Run[];
  onEverything: () => void;
  onClear: () => void;
  onStarted: (bulk: Bulk) => void;
}

export function BulkBar(props: Props) {
  const { ids, everything } = props;
  if (ids.size === 0 && !everything) return null;
  return <Bar {...props} />;
}

function Bar({ q, ids, everything, rows, onEverything, onClear, onStarted }: Props) {
  const navigate = useNavigate();
  const [act, setAct] = useState<Act | null>(null);
  const { data: total } = useQuery(countQuery(q, false));
  const all = rows.length > 0 && rows.every((run) => ids.has(run.id));
  const two = [...ids];
  return (
    <section className={classes.bar} aria-label={words.selected(number(ids.size))}>
      <strong className={classes.count}>
        {everything ? words.allSelected(total?.shown ?? "…") : words.selected(number(ids.size))}
      </strong>
      {all && !everything && total && total.count > ids.size ? (
        <Button variant="subtle" onClick={onEverything}>
          {words.allMatching(total.shown)}
        </Button>
      ) : null}
      <span className="sw-grow" />
      <Menu position="top" width={320}>
        <Menu.Target>
          <Button variant="default" leftSection={<IconRefresh size={14} />}>
            {words.rerun}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {RERUNS.map((one) => {
            const [title, text] = words.modes[one.name as keyof typeof words.modes];
            return (
              <RoleGate key={one.name} needs="operator">
                <Menu.Item onClick={() => setAct(one)}>
                  <Text size="sm" fw={560}>
                    {title}
                  </Text>
                  <Text size="xs" c="dimmed">
                    {text}
                  </Text>
                </Menu.Item>
              </RoleGate>
            );
          })}
        </Menu.Dropdown>
      </Menu>
      <RoleGate needs="operator">
        <Button
          variant="default"
          leftSection={<IconTag size={14} />}
          onClick={() => setAct({ name: "label", action: "label", arguments: {} })}
        >
          {words.label}
        </Button>
      </RoleGate>
      <RoleGate needs="operator">
        <Button
          variant="default"
          leftSection={<IconPlayerStop size={14} />}
          onClick={() => setAct({ name: "cancel", action: "cancel", arguments: {}, danger: true })}
        >
          {words.cancel}
        </Button>
      </RoleGate>
      <RoleGate
        needs="viewer"
        blocked={two.length === 2 && !everything ? null : words.compareNeeds}
      >
        <Button
          variant="default"
          leftSection={<IconArrowsDiff size={14} />}
          onClick={() => {
            const [runId = "", otherId = ""] = two;
            void navigate({
              to: "/runs/$runId/compare/$otherId",
              params: { runId, otherId },
            });
          }}
        >
          {words.compare}
        </Button>
      </RoleGate>
      <Button variant="subtle" color="gray" leftSection={<IconX size={14} />} onClick={onClear}>
        {words.deselect}
      </Button>
      {act === null ? null : (
        <ActDialog
          act={act}
          onClose={() => setAct(null)}
          target={everything ? { query: q } : { ids: two }}
          onStarted={onStarted}
        />
      )}
    </section>
  );
}

const RERUNS: readonly Act[] = [
  { name: "failed", action: "reexecute", arguments: { mode: "failed operations" } },
  { name: "start", action: "reexecute", arguments: { mode: "from start" } },
  { name: "repeat", action: "repeat", arguments: {} },
];

/** The arguments that are still to be given, then the dialog of every wide act. */
function ActDialog({
  act,
  target,
  onClose,
  onStarted,
}: {
  act: Act;
  target: { query: string } | { ids: string[] };
  onClose: () => void;
  onStarted: (bulk: Bulk) => void;
}) {
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  const labels = act.action === "label";
  const given = labels ? { labels: { [key]: value } } : act.arguments;
  return (
    <BulkDialog
      act={{ ...act, arguments: given }}
      target={target}
      ready={!labels || (key !== "" && value !== "")}
      onClose={onClose}
      onSubmit={async (body) => {
        const bulk = await ok(api.POST("/api/v1/bulk", { body }));
        if ("id" in bulk) onStarted(bulk);
      }}
    >
      {labels ? (
        <div className="sw-row">
          <TextInput
            label={words.labelKey}
            value={key}
            onChange={(event) => setKey(event.currentTarget.value)}
          />
          <TextInput
            label={words.labelValue}
            value={value}
            onChange={(event) => setValue(event.currentTarget.value)}
          />
        </div>
      ) : null}
    </BulkDialog>
  );
}
