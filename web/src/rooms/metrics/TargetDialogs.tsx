/** What a workflow is held to: set by hand, and dropped again. */

import { Select } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ok } from "@/api/client";
import { workflowNamesQuery } from "@/api/workflows";
import { reasonFlag } from "@/components/CopyAs";
import { NumberField } from "@/components/NumberField";
import { ReasonDialog } from "@/components/ReasonDialog";
import { metrics } from "@/strings/metrics";
import type { Subject } from "./queries";

const words = metrics.targets;

function useRefresh() {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: ["metrics", "targets"] });
}

export function SetTarget({ subject, onClose }: { subject: Subject; onClose: () => void }) {
  const names = useQuery(workflowNamesQuery);
  const refresh = useRefresh();
  const first = subject.workflow === undefined ? null : `${subject.group}/${subject.workflow}`;
  const [place, setPlace] = useState<string | null>(first);
  const [success, setSuccess] = useState<number | string>("");
  const [p95, setP95] = useState<number | string>("");
  const [days, setDays] = useState<number | string>(30);
  const share = typeof success === "number" ? success / 100 : null;
  const seconds = typeof p95 === "number" ? p95 : null;
  const over = typeof days === "number" ? days : 30;
  const options = [
    share === null ? "" : ` --success ${share}`,
    seconds === null ? "" : ` --p95 ${seconds}`,
    over === 30 ? "" : ` --window ${over}`,
  ].join("");
  return (
    <ReasonDialog
      opened
      onClose={onClose}
      title={words.setTitle}
      submit={words.set}
      optional
      ready={place !== null && (share !== null || seconds !== null)}
      cli={(reason) => `stepwell targets set ${place ?? "…"}${options}${reasonFlag(reason)}`}
      onSubmit={async (reason) => {
        const [group = "", workflow = ""] = (place ?? "").split("/");
        await ok(
          api.PUT("/api/v1/targets/{group}/{workflow}", {
            params: { path: { group, workflow } },
            body: { success: share, p95: seconds, window: over, reason: reason || null },
          }),
        );
        await refresh();
      }}
    >
      <span>{words.lead}</span>
      <Select
        label={words.workflow}
        searchable
        value={place}
        onChange={setPlace}
        data={(names.data?.items ?? []).map((one) => `${one.group}/${one.workflow}`)}
        comboboxProps={{ withinPortal: true }}
      />
      <NumberField
        label={words.success}
        description={words.successHint}
        min={0.1}
        max={99.99}
        fractions
        optional
        value={success}
        onChange={setSuccess}
      />
      <NumberField
        label={words.p95}
        description={words.p95Hint}
        min={0.001}
        fractions
        optional
        value={p95}
        onChange={setP95}
      />
      <NumberField label={words.days} min={1} max={366} value={days} onChange={setDays} />
    </ReasonDialog>
  );
}

export function DropTarget({
  of,
  onClose,
}: {
  of: Required<Pick<Subject, "group" | "workflow">>;
  onClose: () => void;
}) {
  const refresh = useRefresh();
  const { group, workflow } = of;
  return (
    <ReasonDialog
      opened
      onClose={onClose}
      title={words.dropTitle}
      submit={words.drop}
      danger
      optional
      cli={(reason) => `stepwell targets drop ${group}/${workflow}${reasonFlag(reason)}`}
      onSubmit={async (reason) => {
        await ok(
          api.DELETE("/api/v1/targets/{group}/{workflow}", {
            params: { path: { group, workflow }, query: { reason: reason || null } },
          }),
        );
        await refresh();
      }}
    >
      <strong>
        {group}/{workflow}
      </strong>
    </ReasonDialog>
  );
}
