import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { api, ok, type Schemas } from "@/api/client";
import { asApiError } from "@/api/error";
import { quoted } from "@/components/CopyAs";
import { Instant } from "@/components/Instant";
import { ReasonDialog } from "@/components/ReasonDialog";
import { StateBadge } from "@/components/StateBadge";
import { number } from "@/lib/time";
import { common } from "@/strings/common";
import { runs as words } from "@/strings/runs";
import type { Act } from "./undo";

type NewBulk = Schemas["NewBulk"];

interface Props {
  act: Act;
  target: { query: string } | { ids: string[] };
  ready: boolean;
  onClose: () => void;
  onSubmit: (body: NewBulk) => Promise<void>;
  children?: ReactNode;
}

/** Asks the server what would be done, shows it, and does it if it is still the same. */
export function BulkDialog({ act, target, ready, onClose, onSubmit, children }: Props) {
  const body = (reason: string): NewBulk => ({
    action: act.action,
    arguments: act.arguments,
    reason,
    rate: 20,
    ...target,
  });
  const { data, error } = useQuery({
    queryKey: ["bulk", "preview", body("-")],
    enabled: ready,
    staleTime: 0,
    queryFn: async () => {
      const found = await ok(
        api.POST("/api/v1/bulk", { body: body("-"), params: { query: { preview: true } } }),
      );
      return "sample" in found ? found : null;
    },
  });
  const count = data ? number(data.total) : "…";
  const command = data?.command ?? `stepwell bulk start ${act.action}`;
  return (
    <ReasonDialog
      opened
      onClose={onClose}
      title={words.act[act.name](count)}
      submit={words.act[act.name](count)}
      danger={act.danger ?? false}
      query={"query" in target ? target.query : undefined}
      ready={ready && data !== undefined && data !== null && data.total > 0}
      cli={(reason) => command.replace(/--reason ('[^']*'|\S+)/, `--reason ${quoted(reason)}`)}
      sample={
        data
          ? {
              total: common.sample(data.sample.length, count),
              items: data.sample.map((run) => ({ id: run.id, content: <Line run={run} /> })),
            }
          : undefined
      }
      onSubmit={(reason) =>
        onSubmit({ ...body(reason), ...(data ? { expected: data.total } : {}) })
      }
    >
      {act.name in words.acts ? (
        <span>{words.acts[act.name as keyof typeof words.acts]}</span>
      ) : (
        <span>{words.modes[act.name as keyof typeof words.modes][1]}</span>
      )}
      {children}
      {ready && data === undefined && !error ? <Skeleton height={120} /> : null}
      {error ? <span role="alert">{asApiError(error).what}</span> : null}
    </ReasonDialog>
  );
}

function Line({ run }: { run: Schemas["Run"] }) {
  return (
    <span className="sw-row">
      <StateBadge state={run.state} look="plain" />
      <span className="sw-grow sw-truncate">
        {run.group}/{run.workflow}
      </span>
      <Instant at={run.created_at} />
    </span>
  );
}
