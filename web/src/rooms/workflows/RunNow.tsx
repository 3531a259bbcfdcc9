import { Alert, Button, Select, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { api, ok } from "@/api/client";
import { asApiError } from "@/api/error";
import { CodeBlock } from "@/components/CodeBlock";
import { CopyAct, quoted } from "@/components/CopyAs";
import { Dialog } from "@/components/Dialog";
import { ParameterForm } from "@/components/ParameterForm";
import { written } from "@/components/parameters";
import { shortDigest } from "@/lib/digest";
import { instant } from "@/lib/time";
import { common } from "@/strings/common";
import { workflows as words } from "@/strings/workflows";
import { DryRun } from "./DryRun";
import { type RunPlan, recentQuery, type WorkflowDetail } from "./queries";
import classes from "./Workflows.module.css";

interface Props {
  detail: WorkflowDetail;
  onClose: () => void;
}

/** A form from the workflow's schema; the inputs of its last runs are one choice away. */
export function RunNow({ detail, onClose }: Props) {
  const { group, workflow } = detail;
  const [given, setGiven] = useState<Record<string, unknown>>({});
  const [from, setFrom] = useState<string | null>(null);
  const [reason, setReason] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState<"run" | "dry" | null>(null);
  const [plan, setPlan] = useState<RunPlan | null>(null);
  const form = useRef<HTMLFormElement>(null);
  const recent = useQuery(recentQuery(group, workflow));
  const navigate = useNavigate();
  const cache = useQueryClient();

  function change(values: Record<string, unknown>) {
    setGiven(values);
    setPlan(null); // it was of other values
  }

  const sent = (dry: boolean) =>
    ok(
      api.POST("/api/v1/workflows/{group}/{workflow}/runs", {
        params: { path: { group, workflow }, query: { dry_run: dry || undefined } },
        body: { parameters: given, reason: reason.trim() || null } as never,
      }),
    );

  async function asked(dry: boolean) {
    setBusy(dry ? "dry" : "run");
    setError(null);
    setPlan(null);
    try {
      const answer = await sent(dry);
      if ("holds" in answer) setPlan(answer);
      else await begun(answer.id);
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(null);
    }
  }

  async function begun(id: string) {
    notifications.show({ message: words.begun });
    void cache.invalidateQueries({ queryKey: ["runs"] });
    await navigate({ to: "/runs/$runId", params: { runId: id } });
  }

  const earlier = (recent.data?.items ?? []).filter(
    (one) => Object.keys(one.parameters).length > 0,
  );
  const problem = error === null ? null : asApiError(error);
  return (
    <Dialog opened onClose={onClose} title={words.startTitle(`${group}/${workflow}`)} size="lg">
      <form
        ref={form}
        className={classes.start}
        onSubmit={(event) => {
          event.preventDefault();
          void asked(false);
        }}
      >
        <p className="sw-soft">{words.startLead(shortDigest(detail.digest), detail.release)}</p>
        {earlier.length > 0 ? (
          <Select
            label={words.again}
            clearable
            value={from}
            data={earlier.map((one) => ({
              value: one.id,
              label: `${instant(one.created_at, "local", Date.now())} · ${one.state} · ${brief(one.parameters)}`,
            }))}
            onChange={(id) => {
              setFrom(id);
              change(earlier.find((one) => one.id === id)?.parameters ?? {});
            }}
          />
        ) : null}
        <ParameterForm
          key={from}
          schema={detail.entry.parameters}
          value={given}
          onChange={change}
          errors={Object.fromEntries(
            (problem?.errors ?? []).map((one) => [
              one.field.split(/[./]/).at(-1) ?? "",
              one.message,
            ]),
          )}
        />
        <TextInput
          label={words.reason}
          value={reason}
          maxLength={1000}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        {problem === null ? null : (
          <Alert color="red" title={problem.what}>
            {problem.why} {problem.fix}
          </Alert>
        )}
        <div>
          <div className="sw-row sw-between">
            <span className="sw-label">{common.sameCommand}</span>
            <CopyAct act={() => sent(false)} />
          </div>
          <CodeBlock label="command" wrap>
            {command(group, workflow, given)}
          </CodeBlock>
        </div>
        {plan === null ? null : <DryRun plan={plan} />}
        <div className="sw-row">
          <span className="sw-grow" />
          <Button
            variant="default"
            loading={busy === "dry"}
            disabled={busy === "run"}
            onClick={() => {
              if (form.current?.reportValidity()) void asked(true);
            }}
          >
            {words.dry.button}
          </Button>
          <Button type="submit" loading={busy === "run"} disabled={busy === "dry"}>
            {words.start}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function command(group: string, workflow: string, given: Record<string, unknown>): string {
  const params = Object.entries(given).map(
    ([name, value]) => ` --param ${quoted(`${name}=${written(value)}`)}`,
  );
  return `stepwell runs start ${group} ${workflow}${params.join("")}`;
}

function brief(parameters: Record<string, unknown>): string {
  const text = Object.entries(parameters)
    .map(([name, value]) => `${name}=${written(value)}`)
    .join(" ");
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
