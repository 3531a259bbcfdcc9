import { Button, Checkbox } from "@mantine/core";
import { IconCheck, IconPlayerStop, IconRefresh, IconX } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ok } from "@/api/client";
import { CopyAs, reasonFlag } from "@/components/CopyAs";
import { ReasonDialog } from "@/components/ReasonDialog";
import { RoleGate } from "@/components/RoleGate";
import { run as words } from "@/strings/run";
import { hasEnded, type RunDetail } from "./queries";
import { RerunDialog } from "./RerunDialog";

type Dialog = "rerun" | "cancel" | "approve" | "reject" | null;

export function RunActions({ run }: { run: RunDetail }) {
  const [dialog, setDialog] = useState<Dialog>(null);
  const close = () => setDialog(null);
  const ended = hasEnded(run);
  const asks = run.waiting?.code === "approval";
  return (
    <>
      {asks ? (
        <>
          <RoleGate needs="reviewer">
            <Button leftSection={<IconCheck size={14} />} onClick={() => setDialog("approve")}>
              {words.act.approve}
            </Button>
          </RoleGate>
          <RoleGate needs="reviewer">
            <Button
              variant="default"
              leftSection={<IconX size={14} />}
              onClick={() => setDialog("reject")}
            >
              {words.act.reject}
            </Button>
          </RoleGate>
        </>
      ) : null}
      {ended ? null : (
        <RoleGate needs="operator">
          <Button
            variant="default"
            leftSection={<IconPlayerStop size={14} />}
            onClick={() => setDialog("cancel")}
          >
            {words.act.cancel}
          </Button>
        </RoleGate>
      )}
      <RoleGate needs="operator" blocked={ended ? null : words.act.notEnded}>
        <Button
          variant={run.state === "failed" ? "filled" : "default"}
          leftSection={<IconRefresh size={14} />}
          onClick={() => setDialog("rerun")}
        >
          {words.act.rerun}
        </Button>
      </RoleGate>
      <CopyAs call={{ cli: `stepwell runs show ${run.id}`, path: `/runs/${run.id}` }} />
      {dialog === "rerun" ? <RerunDialog run={run} onClose={close} /> : null}
      {dialog === "cancel" ? <CancelDialog run={run} onClose={close} /> : null}
      {dialog === "approve" || dialog === "reject" ? (
        <AnswerDialog run={run} decision={dialog} onClose={close} />
      ) : null}
    </>
  );
}

function useRefresh(run: RunDetail) {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: ["run", run.id] });
}

function CancelDialog({ run, onClose }: { run: RunDetail; onClose: () => void }) {
  const [force, setForce] = useState(false);
  const refresh = useRefresh(run);
  return (
    <ReasonDialog
      opened
      onClose={onClose}
      title={words.cancelTitle}
      submit={words.cancelTitle}
      danger
      optional
      cli={(reason) =>
        `stepwell runs cancel ${run.id}${force ? " --force" : ""}${reasonFlag(reason)}`
      }
      onSubmit={async (reason) => {
        await ok(
          api.POST("/api/v1/runs/{run_id}/cancellations", {
            params: { path: { run_id: run.id } },
            body: { reason: reason || null, force },
          }),
        );
        await refresh();
      }}
    >
      <span>{words.cancelText}</span>
      <Checkbox
        size="sm"
        checked={force}
        onChange={(event) => setForce(event.currentTarget.checked)}
        label={words.force}
        description={words.forceText}
      />
    </ReasonDialog>
  );
}

function AnswerDialog({
  run,
  decision,
  onClose,
}: {
  run: RunDetail;
  decision: "approve" | "reject";
  onClose: () => void;
}) {
  const refresh = useRefresh(run);
  const named = run.waiting?.details?.operation;
  const operation = typeof named === "string" ? named : "";
  const reject = decision === "reject";
  return (
    <ReasonDialog
      opened
      onClose={onClose}
      title={(reject ? words.rejectTitle : words.approveTitle)(operation)}
      submit={reject ? words.act.reject : words.act.approve}
      danger={reject}
      optional={!reject}
      cli={(reason) => `stepwell runs ${decision} ${run.id}${reasonFlag(reason)}`}
      onSubmit={async (reason) => {
        await ok(
          api.POST("/api/v1/runs/{run_id}/approvals", {
            params: { path: { run_id: run.id } },
            body: { decision, operation: operation || null, reason: reason || null },
          }),
        );
        await refresh();
      }}
    >
      <span>{run.waiting?.sentence}</span>
      <span>{reject ? words.rejectText : words.approveText}</span>
    </ReasonDialog>
  );
}
