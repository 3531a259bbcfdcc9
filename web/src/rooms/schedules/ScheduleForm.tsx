/** Add or edit a schedule; the next ten fires are shown while it is written. */

import {
  Alert,
  Autocomplete,
  Button,
  Collapse,
  JsonInput,
  SegmentedControl,
  Select,
  TagsInput,
  TextInput,
} from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { asApiError } from "@/api/error";
import { CodeBlock } from "@/components/CodeBlock";
import { NumberField } from "@/components/NumberField";
import { parsedObject } from "@/lib/json";
import { common } from "@/strings/common";
import { schedules as words } from "@/strings/schedules";
import classes from "./Dialogs.module.css";
import { FireList } from "./FireList";
import { fromInput, toInput } from "./inputs";
import { calendarsQuery, type NewPreview, previewQuery } from "./queries";
import { cliOf, type Form, type Kind, specOf } from "./spec";

export interface Draft {
  form: Form;
  /** As JSON; empty is the workflow's own. */
  parameters: string;
  lateAfter: number | null;
  tooLong: number | null;
}

interface Props {
  initial: Draft;
  /** What the preview is of: a schedule that is there, or a workflow. */
  of: Pick<NewPreview, "schedule_id" | "group" | "workflow" | "name">;
  /** Workflow and name, where a new one is made. */
  before?: ReactNode;
  quiet?: readonly string[];
  note?: string;
  /** A reason must be given. */
  reasoned: boolean;
  ready?: boolean;
  cli: (draft: Draft, reason: string) => string;
  onSave: (draft: Draft, reason: string) => Promise<unknown>;
  onCancel: () => void;
}

const ZONES =
  typeof Intl.supportedValuesOf === "function"
    ? ["UTC", ...Intl.supportedValuesOf("timeZone").filter((one) => one !== "UTC")]
    : ["UTC"];

export function ScheduleForm(props: Props) {
  const [draft, setDraft] = useState(props.initial);
  const [reason, setReason] = useState("");
  const [more, setMore] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const { form } = draft;
  const set = (change: Partial<Form>) =>
    setDraft((old) => ({ ...old, form: { ...old.form, ...change } }));
  const invalid = parametersOf(draft.parameters) === undefined;
  const lacking = props.reasoned && reason.trim() === "";

  async function save() {
    setBusy(true);
    setError(null);
    try {
      await props.onSave(draft, reason.trim());
    } catch (thrown) {
      setError(thrown);
      setBusy(false);
    }
  }

  const problem = error === null ? null : asApiError(error);
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (!lacking && !invalid && !busy && props.ready !== false) void save();
      }}
    >
      {props.before}
      <SegmentedControl
        aria-label={words.form.kind}
        data={(["cron", "interval", "once"] as const).map((value) => ({
          value,
          label: words.form.kinds[value],
        }))}
        value={form.kind}
        onChange={(kind) => set({ kind: kind as Kind })}
      />
      <When form={form} set={set} />
      <Preview form={form} of={props.of} />
      {form.kind === "cron" && props.quiet && props.quiet.length > 0 ? (
        <p className="sw-soft">
          {words.form.quiet}:{" "}
          {props.quiet.map((one) => (
            <Button
              key={one}
              size="compact-xs"
              variant="light"
              mr={4}
              onClick={() => set({ expression: at(one, form.expression), timezone: "UTC" })}
            >
              {one} UTC
            </Button>
          ))}
          {words.form.quietHint}
        </p>
      ) : null}
      <div className={classes.fields}>
        <Select
          label={words.form.overlap}
          description={words.overlapOf[form.overlap as keyof typeof words.overlapOf]}
          inputWrapperOrder={["label", "input", "description"]}
          allowDeselect={false}
          data={options(["skip", "allow", "queue", "replace"])}
          value={form.overlap}
          onChange={(overlap) => set({ overlap: overlap ?? "skip" })}
        />
        <Select
          label={words.form.misfire}
          description={words.misfireOf[form.misfire as keyof typeof words.misfireOf]}
          inputWrapperOrder={["label", "input", "description"]}
          allowDeselect={false}
          data={options(["latest", "all", "skip"])}
          value={form.misfire}
          onChange={(misfire) => set({ misfire: misfire ?? "latest" })}
        />
      </div>
      <Button
        variant="subtle"
        size="compact-xs"
        aria-expanded={more}
        onClick={() => setMore(!more)}
        style={{ alignSelf: "flex-start" }}
      >
        {more ? words.form.less : words.form.more}
      </Button>
      <Collapse expanded={more}>
        <More draft={draft} set={set} change={(one) => setDraft((old) => ({ ...old, ...one }))} />
      </Collapse>
      {props.note ? <p className="sw-soft">{props.note}</p> : null}
      <TextInput
        label={common.reason}
        description={common.reasonHint}
        value={reason}
        required={props.reasoned}
        maxLength={1000}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <div>
        <div className="sw-label">{common.sameCommand}</div>
        <CodeBlock label={common.sameCommand} wrap>
          {props.cli(draft, reason.trim() || "…")}
        </CodeBlock>
      </div>
      {problem ? (
        <Alert color="red" role="alert" title={problem.what}>
          {problem.why} {problem.fix}
        </Alert>
      ) : null}
      <div className={classes.actions}>
        <Button variant="default" onClick={props.onCancel}>
          {common.cancel}
        </Button>
        <Button
          type="submit"
          loading={busy}
          disabled={lacking || invalid || props.ready === false}
          title={lacking ? common.reasonNeeded : undefined}
        >
          {words.form.save}
        </Button>
      </div>
    </form>
  );
}

function options(values: (keyof typeof words.optionNames)[]) {
  return values.map((value) => ({ value, label: words.optionNames[value] }));
}

/** The same days at another time of day. */
function at(clock: string, expression: string): string {
  const [hour, minute] = clock.split(":").map(Number);
  const days = expression.trim().split(/\s+/).slice(-3);
  return `${minute} ${hour} ${days.length === 3 ? days.join(" ") : "* * *"}`;
}

type Set = (change: Partial<Form>) => void;

function When({ form, set }: { form: Form; set: Set }) {
  if (form.kind === "cron") {
    return (
      <div className={classes.fields}>
        <TextInput
          label={words.form.expression}
          description={words.form.expressionHint}
          inputWrapperOrder={["label", "input", "description"]}
          value={form.expression}
          required
          spellCheck={false}
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
          onChange={(event) => set({ expression: event.currentTarget.value })}
        />
        <Autocomplete
          label={words.form.timezone}
          data={ZONES}
          limit={40}
          value={form.timezone}
          onChange={(timezone) => set({ timezone })}
        />
      </div>
    );
  }
  if (form.kind === "once") {
    return (
      <Moment
        label={words.form.at}
        value={form.at}
        onChange={(value) => set({ at: value })}
        required
      />
    );
  }
  return (
    <div className={classes.fields}>
      <NumberField
        label={words.form.every}
        min={1}
        fractions
        value={form.every}
        onChange={(value) => set({ every: Number(value) })}
      />
      <Select
        label={words.form.every}
        labelProps={{ "aria-hidden": true, style: { visibility: "hidden" } }}
        aria-label={words.form.every}
        allowDeselect={false}
        data={Object.entries(words.form.units).map(([value, label]) => ({ value, label }))}
        value={form.unit}
        onChange={(unit) => set({ unit: (unit ?? "minutes") as Form["unit"] })}
      />
      <div className={classes.wide}>
        <Moment
          label={words.form.anchor}
          hint={words.form.anchorHint}
          value={form.anchor}
          onChange={(value) => set({ anchor: value })}
        />
      </div>
    </div>
  );
}

/** An instant, in UTC: what a form says must not depend on who reads it. */
function Moment(props: {
  label: string;
  hint?: string;
  value: string;
  required?: boolean;
  onChange: (value: string) => void;
}) {
  return (
    <TextInput
      type="datetime-local"
      label={`${props.label} (UTC)`}
      description={props.hint}
      inputWrapperOrder={["label", "input", "description"]}
      required={props.required}
      value={props.value === "" ? "" : toInput(Date.parse(props.value), "UTC")}
      onChange={(event) => props.onChange(fromInput(event.currentTarget.value, "UTC") ?? "")}
    />
  );
}

function More(props: { draft: Draft; set: Set; change: (change: Partial<Draft>) => void }) {
  const { draft, set, change } = props;
  const calendars = useQuery(calendarsQuery);
  const seconds = (value: number | "") => (value === "" ? null : value);
  return (
    <div className={classes.fields}>
      <Moment
        label={words.form.start}
        value={draft.form.start}
        onChange={(start) => set({ start })}
      />
      <Moment label={words.form.end} value={draft.form.end} onChange={(end) => set({ end })} />
      <div className={classes.wide}>
        <TagsInput
          label={words.form.exclude}
          description={words.form.excludeHint}
          inputWrapperOrder={["label", "input", "description"]}
          data={calendars.data?.items.map((one) => one.name) ?? []}
          value={draft.form.exclude}
          onChange={(exclude) => set({ exclude })}
        />
      </div>
      <NumberField
        label={words.form.jitter}
        description={words.form.jitterHint}
        inputWrapperOrder={["label", "input", "description"]}
        min={0}
        max={86_400}
        value={draft.form.jitter}
        onChange={(value) => set({ jitter: Number(value) })}
      />
      <span />
      <NumberField
        label={words.form.lateAfter}
        placeholder={words.serverDefault}
        min={0}
        optional
        value={draft.lateAfter}
        onChange={(value) => change({ lateAfter: seconds(value) })}
      />
      <NumberField
        label={words.form.tooLong}
        placeholder={words.serverDefault}
        min={0}
        optional
        value={draft.tooLong}
        onChange={(value) => change({ tooLong: seconds(value) })}
      />
      <div className={classes.wide}>
        <JsonInput
          label={words.form.parameters}
          error={
            parametersOf(draft.parameters) === undefined ? words.form.parametersInvalid : undefined
          }
          autosize
          minRows={2}
          value={draft.parameters}
          onChange={(parameters) => change({ parameters })}
        />
      </div>
    </div>
  );
}

/** What is written, as an object; undefined where it is none. */
export function parametersOf(text: string): Record<string, unknown> | undefined {
  if (text.trim() === "") return {};
  return parsedObject(text) ?? undefined;
}

function Preview({ form, of }: { form: Form; of: Props["of"] }) {
  const [asked] = useDebouncedValue(form, 250);
  const spec = specOf(asked);
  const preview = useQuery({
    ...previewQuery({ ...of, spec, count: 10 }),
    enabled: asked.kind !== "once" || asked.at !== "",
  });
  const zone = asked.kind === "cron" ? asked.timezone : "UTC";
  const stale = preview.isFetching || asked !== form;
  if (preview.error) {
    const problem = asApiError(preview.error);
    return (
      <Alert color="orange" title={problem.what} role="status">
        {problem.why} {problem.fix}
      </Alert>
    );
  }
  const found = preview.data;
  return (
    <section
      className={classes.preview}
      aria-label={words.form.preview}
      aria-live="polite"
      aria-busy={stale}
      data-stale={stale || undefined}
    >
      <strong>{found?.description ?? words.form.preview}</strong>
      {found === undefined ? null : found.fires.length === 0 ? (
        <p>{words.form.previewEmpty}</p>
      ) : (
        <FireList fires={found.fires} zone={zone} />
      )}
      {[...(found?.says ?? []), ...(found?.notes.map((one) => one.text) ?? [])].map((text) => (
        <p key={text} className="sw-soft">
          {text}
        </p>
      ))}
    </section>
  );
}

export function optionsOf(draft: Draft): string[] {
  return [
    ...cliOf(draft.form),
    ...(draft.lateAfter === null ? [] : ["--late-after", String(draft.lateAfter)]),
    ...(draft.tooLong === null ? [] : ["--too-long-after", String(draft.tooLong)]),
  ];
}
