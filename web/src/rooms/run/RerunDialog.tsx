/** Run again: which way, and what would become of each operation, before it is done. */

import { Alert, NativeSelect, Radio, SegmentedControl, Skeleton, Textarea } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, ok, type Schemas } from "@/api/client";
import { asApiError } from "@/api/error";
import { quoted, reasonFlag } from "@/components/CopyAs";
import { ReasonDialog } from "@/components/ReasonDialog";
import { StateGlyph } from "@/components/StateGlyph";
import { exactText } from "@/lib/exact";
import { parsedObject } from "@/lib/json";
import { usePhone } from "@/lib/media";
import { run as words } from "@/strings/run";
import { edits } from "./input";
import type { ReexecutionPlan, RunDetail } from "./queries";
import classes from "./RerunDialog.module.css";

type Mode = Schemas["Mode"] | "new";
type Body = Schemas["Reexecution"];

const said = words.rerun;
const MODES = Object.keys(said.modes) as Mode[];

export function RerunDialog({ run, onClose }: { run: RunDetail; onClose: () => void }) {
  const navigate = useNavigate();
  const failed = run.state === "failed" || run.state === "cancelled";
  const [mode, setMode] = useState<Mode>(failed ? "failed operations" : "from start");
  const [operation, setOperation] = useState(run.failed_operation ?? run.operations[0] ?? "");
  const [release, setRelease] = useState<"same" | "current">("same");
  const phone = usePhone();
  const [input, setInput] = useState(() => exactText(run.parameters, 2));
  const parameters = parsedObject(input);

  const body: Body = {
    mode: mode === "new" ? "from start" : mode,
    operation: mode === "from an operation" ? operation : null,
    release,
  };
  const plan = useQuery({
    queryKey: ["run", run.id, "plan", body],
    enabled: mode !== "new",
    retry: false,
    staleTime: 0,
    queryFn: async (): Promise<ReexecutionPlan | null> => {
      const found = await ok(
        api.POST("/api/v1/runs/{run_id}/reexecutions", {
          params: { path: { run_id: run.id }, query: { preview: true } },
          body,
        }),
      );
      return "operations" in found && "warnings" in found && !("state" in found)
        ? (found as ReexecutionPlan)
        : null;
    },
  });

  async function submit(reason: string) {
    const path = { run_id: run.id };
    const given = { reason: reason || null };
    const made =
      mode === "new"
        ? await ok(
            api.POST("/api/v1/runs/{run_id}/repeats", {
              params: { path },
              body: { ...given, parameters },
            }),
          )
        : await ok(
            api.POST("/api/v1/runs/{run_id}/reexecutions", {
              params: { path },
              body: { ...body, ...given },
            }),
          );
    if ("id" in made) {
      await navigate({ to: "/runs/$runId", params: { runId: made.id }, search: {} });
    }
  }

  return (
    <ReasonDialog
      opened
      onClose={onClose}
      title={said.title}
      submit={said.submit}
      optional
      ready={mode === "new" ? parameters !== null : plan.data != null}
      cli={(reason) => command(run, mode, operation, release, parameters, reason)}
      onSubmit={submit}
    >
      <Radio.Group
        label={said.mode}
        value={mode}
        onChange={(value) => setMode(MODES.find((one) => one === value) ?? "from start")}
      >
        <div className={classes.modes}>
          {MODES.map((one) => (
            <Radio key={one} value={one} label={said.modes[one]} size="xs" />
          ))}
        </div>
      </Radio.Group>
      {mode === "from an operation" ? (
        <NativeSelect
          label={said.operation}
          value={operation}
          onChange={(event) => setOperation(event.currentTarget.value)}
          data={run.operations}
        />
      ) : null}
      {mode === "new" ? (
        <Input before={run.parameters} text={input} onChange={setInput} />
      ) : (
        <>
          <div className="sw-row sw-wrap">
            <span className="sw-label">{said.release}</span>
            <SegmentedControl
              aria-label={said.release}
              orientation={phone ? "vertical" : "horizontal"}
              value={release}
              onChange={(value) => setRelease(value === "current" ? "current" : "same")}
              data={(["same", "current"] as const).map((value) => ({
                value,
                label: said.releases[value],
              }))}
            />
          </div>
          <Preview plan={plan.data ?? null} loading={plan.isLoading} error={plan.error} />
        </>
      )}
    </ReasonDialog>
  );
}

function Preview({
  plan,
  loading,
  error,
}: {
  plan: ReexecutionPlan | null;
  loading: boolean;
  error: unknown;
}) {
  if (error) {
    const { what, why, fix } = asApiError(error);
    return (
      <Alert color="red" role="alert" title={what}>
        {why} {fix}
      </Alert>
    );
  }
  if (loading || plan === null) return <Skeleton height={120} />;
  return (
    <div>
      <div className="sw-label">{said.preview}</div>
      <ul className={classes.plan}>
        {plan.operations.map((one) => (
          <li key={one.operation} data-mark={one.mark}>
            <StateGlyph
              size={14}
              state={
                one.mark === "run again"
                  ? "running"
                  : one.mark === "reuse result"
                    ? "succeeded"
                    : "skipped"
              }
            />
            <span className={classes.name}>{one.operation}</span>
            <span className={classes.mark}>{said.marks[one.mark]}</span>
            <span className="sw-soft sw-grow">{one.why}</span>
          </li>
        ))}
      </ul>
      {plan.warnings.length > 0 ? (
        <Alert color="sand" mt="sm">
          {plan.warnings.map((one) => (
            <div key={one}>{one}</div>
          ))}
        </Alert>
      ) : null}
    </div>
  );
}

function Input({
  before,
  text,
  onChange,
}: {
  before: Record<string, unknown>;
  text: string;
  onChange: (text: string) => void;
}) {
  const after = parsedObject(text);
  const changed = after === null ? [] : edits(before, after);
  return (
    <div className="sw-stack">
      <Textarea
        label={said.input}
        value={text}
        onChange={(event) => onChange(event.currentTarget.value)}
        error={after === null ? said.inputWrong : null}
        autosize
        minRows={4}
        maxRows={14}
        spellCheck={false}
        classNames={{ input: "sw-mono" }}
      />
      <div>
        <div className="sw-label">{changed.length > 0 ? said.edited : said.unchanged}</div>
        <ul className={classes.edits}>
          {changed.map((one) => (
            <li key={one.name}>
              <code>{one.name}</code> {said.becomes(one.before, one.after)}
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}

function command(
  run: RunDetail,
  mode: Mode,
  operation: string,
  release: string,
  parameters: Record<string, unknown> | null,
  reason: string,
): string {
  if (mode === "new") {
    const given = edits(run.parameters, parameters ?? {})
      .map((one) => ` --param ${quoted(`${one.name}=${one.after}`)}`)
      .join("");
    return `stepwell runs repeat ${run.id}${given}${reasonFlag(reason)}`;
  }
  const how =
    mode === "from start"
      ? " --from-start"
      : mode === "from an operation"
        ? ` --from ${quoted(operation)}`
        : "";
  const by = release === "current" ? " --current" : "";
  return `stepwell runs reexecute ${run.id}${how}${by}${reasonFlag(reason)}`;
}
