/** All runs of a cause once more: how many, the newest five, and how. */

import { Radio, Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, ok, type Schemas } from "@/api/client";
import { asApiError } from "@/api/error";
import { quoted } from "@/components/CopyAs";
import { Instant } from "@/components/Instant";
import { ReasonDialog } from "@/components/ReasonDialog";
import { announce } from "@/lib/announce";
import { number } from "@/lib/time";
import { common } from "@/strings/common";
import { home as words } from "@/strings/home";
import type { Cause } from "./queries";

type NewBulk = Schemas["NewBulk"];
type How = "repeat" | "reexecute";

const ARGUMENTS: Record<How, Record<string, unknown>> = {
  repeat: {},
  reexecute: { mode: "failed", release: "current" },
};

interface Props {
  cause: Cause;
  onClose: () => void;
  onBegun: (bulk: string) => void;
}

export function RerunDialog({ cause, onClose, onBegun }: Props) {
  const [how, setHow] = useState<How>("repeat");
  const body = (reason: string): NewBulk => ({
    action: how,
    arguments: ARGUMENTS[how],
    query: cause.query,
    reason,
    rate: 20,
  });
  const { data, error } = useQuery({
    queryKey: ["bulk", "preview", how, cause.query],
    staleTime: 0,
    queryFn: async () => {
      const found = await ok(
        api.POST("/api/v1/bulk", { body: body("-"), params: { query: { preview: true } } }),
      );
      return "sample" in found ? found : null;
    },
  });
  const count = data ? number(data.total) : "…";
  return (
    <ReasonDialog
      opened
      onClose={onClose}
      title={words.rerun.title(count)}
      submit={words.rerun.submit(count)}
      query={cause.query}
      ready={data != null && data.total > 0}
      sample={
        data
          ? {
              total: common.sample(data.sample.length, count),
              items: data.sample.map((run) => ({
                id: run.id,
                content: (
                  <span className="sw-row sw-between">
                    <span className="sw-truncate">
                      {run.group}/{run.workflow}
                    </span>
                    <Instant at={run.created_at} />
                  </span>
                ),
              })),
            }
          : undefined
      }
      cli={(reason) =>
        (data?.command ?? `stepwell bulk start ${how}`).replace(
          /--reason ('[^']*'|\S+)/,
          `--reason ${quoted(reason)}`,
        )
      }
      onSubmit={async (reason) => {
        const begun = await ok(
          api.POST("/api/v1/bulk", { body: { ...body(reason), expected: data?.total ?? null } }),
        );
        announce(words.rerun.begun);
        if ("id" in begun) onBegun(begun.id);
      }}
    >
      <strong>{cause.sentence}</strong>
      <Radio.Group
        label={words.rerun.how}
        value={how}
        onChange={(next) => setHow(next === "reexecute" ? "reexecute" : "repeat")}
      >
        <div className="sw-stack">
          <Radio value="repeat" label={words.rerun.repeat} description={words.rerun.repeatText} />
          <Radio
            value="reexecute"
            label={words.rerun.reexecute}
            description={words.rerun.reexecuteText}
          />
        </div>
      </Radio.Group>
      {data === undefined && !error ? <Skeleton height={110} /> : null}
      {error ? <span role="alert">{asApiError(error).what}</span> : null}
    </ReasonDialog>
  );
}
