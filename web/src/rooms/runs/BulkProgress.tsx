import { ActionIcon, Button, Progress } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, ok } from "@/api/client";
import { RoleGate } from "@/components/RoleGate";
import { number } from "@/lib/time";
import { runs as words } from "@/strings/runs";
import { BulkDialog } from "./BulkDialog";
import classes from "./BulkProgress.module.css";
import { type Bulk, bulkQuery } from "./queries";
import { type Undo, undoOf } from "./undo";

/** How far an act on many runs has come, and with which it could not be done. */
export function BulkProgress(props: {
  id: string;
  onHide: () => void;
  onStarted: (bulk: Bulk) => void;
}) {
  const { id, onHide, onStarted } = props;
  const [asked, setAsked] = useState<Undo | null>(null);
  const client = useQueryClient();
  const { data } = useQuery(bulkQuery(id));
  const stop = useMutation({
    mutationFn: () =>
      ok(
        api.POST("/api/v1/bulk/{bulk_id}/cancellations", {
          params: { path: { bulk_id: id } },
          body: { reason: words.bulk.stopReason },
        }),
      ),
    onSettled: () => client.invalidateQueries({ queryKey: ["bulk"] }),
  });
  if (data === undefined) return null;
  const undo = undoOf(data);
  const share = data.total === 0 ? 100 : (100 * (data.done + data.failed)) / data.total;
  return (
    <section className={classes.box} aria-label={words.bulk.title(data.action, String(data.total))}>
      <div className="sw-row sw-wrap">
        <strong>{words.bulk.title(data.action, number(data.total))}</strong>
        <span className="sw-soft" role="status">
          {words.bulk.progress(number(data.done), number(data.total))};{" "}
          {words.bulk.state[data.state]}
        </span>
        <span className="sw-soft">“{data.reason}”</span>
        <span className="sw-grow" />
        {data.state === "running" ? (
          <RoleGate needs="operator">
            <Button variant="default" loading={stop.isPending} onClick={() => stop.mutate()}>
              {words.bulk.stop}
            </Button>
          </RoleGate>
        ) : null}
        {undo === null ? null : (
          <RoleGate needs="operator">
            <Button variant="default" onClick={() => setAsked(undo)}>
              {undo.act.action === "repeat" ? words.bulk.again : words.bulk.takeBack}
            </Button>
          </RoleGate>
        )}
        <ActionIcon variant="subtle" color="gray" aria-label={words.bulk.hide} onClick={onHide}>
          <IconX size={16} />
        </ActionIcon>
      </div>
      <Progress.Root size="sm">
        <Progress.Section
          value={share}
          color={data.failed > 0 ? "sand" : "well"}
          aria-label={words.bulk.progress(String(data.done), String(data.total))}
        />
      </Progress.Root>
      {data.failures.length > 0 ? (
        <details className={classes.failures}>
          <summary>{words.bulk.failed(number(data.failed))}</summary>
          <ul>
            {data.failures.map((one) => (
              <li key={one.run_id}>
                <Link to="/runs/$runId" params={{ runId: one.run_id }}>
                  <code>…{one.run_id.slice(-12)}</code>
                </Link>{" "}
                {one.what}
              </li>
            ))}
          </ul>
        </details>
      ) : null}
      {asked === null ? null : (
        <BulkDialog
          {...asked}
          ready
          onClose={() => setAsked(null)}
          onSubmit={async (body) => {
            const begun = await ok(api.POST("/api/v1/bulk", { body }));
            if ("id" in begun) onStarted(begun);
          }}
        />
      )}
    </section>
  );
}
