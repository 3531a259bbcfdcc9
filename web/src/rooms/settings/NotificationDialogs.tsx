import {
  Autocomplete,
  MultiSelect,
  SegmentedControl,
  Select,
  Textarea,
  TextInput,
} from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, ok, type Schemas } from "@/api/client";
import { workflowNamesQuery } from "@/api/workflows";
import { quoted } from "@/components/CopyAs";
import { NumberField } from "@/components/NumberField";
import { ReasonDialog } from "@/components/ReasonDialog";
import { settings } from "@/strings/settings";
import { linesOf } from "./lines";
import { because, orNull, type Shown, useDone } from "./Parts";
import { causesQuery, groupNamesQuery, type Target, targetsQuery, usePages } from "./queries";
import classes from "./Settings.module.css";

const words = settings.notes;
const KEY = "notifications";
const REFERENCE = /^env:[A-Za-z_]\w*$/;

type Kind = Target["kind"];
type Told = Schemas["NotificationKind"];

interface Props {
  onClose: () => void;
}

interface MadeProps extends Props {
  onMade: (shown: Shown) => void;
}

function shownSecret(made: { name: string; secret: string | null }): Shown | null {
  return made.secret === null
    ? null
    : { title: words.madeTitle(made.name), label: words.signing, secret: made.secret };
}

export function NewTarget({ onClose, onMade }: MadeProps) {
  const [kind, setKind] = useState<Kind>("webhook");
  const [name, setName] = useState("");
  const [url, setUrl] = useState("");
  const [to, setTo] = useState("");
  const done = useDone(KEY);
  const reference = kind === "slack" || url.trim().startsWith("env:");
  const addresses = linesOf(to);
  const lost = reference && url.trim() !== "" && !REFERENCE.test(url.trim());
  const mail = kind === "email";

  function command(reason: string): string {
    const where = mail
      ? addresses.map((one) => ` --mail ${quoted(one)}`).join("")
      : ` ${reference ? "--url-ref" : "--to-url"} ${quoted(url.trim() || "…")}`;
    const of = quoted(name.trim() || "NAME");
    return `stepwell notifications targets add ${of} --kind ${kind}${where}${because(reason)}`;
  }

  return (
    <ReasonDialog
      opened
      optional
      onClose={onClose}
      title={words.addTarget}
      submit={words.submitTarget}
      ready={name.trim() !== "" && (mail ? addresses.length > 0 : url.trim() !== "" && !lost)}
      cli={command}
      onSubmit={async (reason) => {
        const made = await ok(
          api.POST("/api/v1/notifications/targets", {
            body: {
              name: name.trim(),
              kind,
              url: mail || reference ? null : url.trim(),
              url_ref: !mail && reference ? url.trim() : null,
              to: mail ? addresses : [],
              reason: orNull(reason),
            },
          }),
        );
        const shown = shownSecret(made);
        if (shown !== null) onMade(shown);
        await done(made.warning ?? undefined);
      }}
    >
      <SegmentedControl
        aria-label={words.kind}
        value={kind}
        data={Object.entries(words.kinds).map(([value, label]) => ({ value, label }))}
        onChange={(next) => setKind(next as Kind)}
      />
      <TextInput
        label={settings.name}
        value={name}
        autoComplete="off"
        data-autofocus
        onChange={(event) => setName(event.currentTarget.value)}
      />
      {mail ? (
        <Textarea
          label={words.to}
          description={settings.lines}
          value={to}
          autosize
          minRows={2}
          onChange={(event) => setTo(event.currentTarget.value)}
        />
      ) : (
        <TextInput
          label={kind === "slack" ? words.urlRef : words.url}
          description={words.urlHint}
          placeholder={kind === "slack" ? "env:SLACK_URL" : "https://example.org/hook"}
          value={url}
          error={lost ? words.noReference : undefined}
          autoComplete="off"
          onChange={(event) => setUrl(event.currentTarget.value)}
        />
      )}
    </ReasonDialog>
  );
}

export function RenewSecret({ target, onClose, onMade }: MadeProps & { target: Target }) {
  const done = useDone(KEY);
  return (
    <ReasonDialog
      opened
      optional
      danger
      onClose={onClose}
      title={words.renewTitle(target.name)}
      submit={words.renew}
      cli={(reason) =>
        `stepwell notifications targets renew-secret ${quoted(target.name)}${because(reason)}`
      }
      onSubmit={async (reason) => {
        const made = await ok(
          api.POST("/api/v1/notifications/targets/{name}/secrets", {
            params: { path: { name: target.name } },
            body: { reason: orNull(reason) },
          }),
        );
        const shown = shownSecret(made);
        if (shown !== null) onMade(shown);
        await done();
      }}
    >
      <p className={classes.lead}>{words.renewLead}</p>
    </ReasonDialog>
  );
}

export function TargetAct({
  act,
  target,
  onClose,
}: Props & { act: "test" | "remove"; target: Target }) {
  const done = useDone(KEY);
  const test = act === "test";
  const path = { name: target.name };
  return (
    <ReasonDialog
      opened
      optional
      danger={!test}
      onClose={onClose}
      title={test ? words.testTitle(target.name) : words.removeTarget(target.name)}
      submit={test ? words.testSubmit : words.remove}
      cli={(reason) =>
        `stepwell notifications ${test ? "test" : "targets remove"} ${quoted(target.name)}${because(reason)}`
      }
      onSubmit={async (reason) => {
        if (test) {
          await ok(
            api.POST("/api/v1/notifications/targets/{name}/tests", {
              params: { path },
              body: { reason: orNull(reason) },
            }),
          );
          await done(words.tested);
        } else {
          await ok(
            api.DELETE("/api/v1/notifications/targets/{name}", {
              params: { path, query: { reason: orNull(reason) } },
            }),
          );
          await done();
        }
      }}
    >
      {test ? null : <p className={classes.lead}>{words.removeTargetLead}</p>}
    </ReasonDialog>
  );
}

export function NewRule({ onClose }: Props) {
  const targets = usePages(targetsQuery);
  const groups = useQuery(groupNamesQuery);
  const [target, setTarget] = useState<string | null>(null);
  const [kinds, setKinds] = useState<string[]>(["failure", "recovery", "late"]);
  const [group, setGroup] = useState<string | null>(null);
  const [workflow, setWorkflow] = useState("");
  const [every, setEvery] = useState<string | number>(3600);
  const workflows = useQuery(workflowNamesQuery);
  const inForce = workflows.data?.items.filter((one) => group === null || one.group === group);
  const names = inForce && [...new Set(inForce.map((one) => one.workflow))].sort();
  const unknown = workflow.trim() !== "" && names && !names.includes(workflow.trim());
  const done = useDone(KEY);

  function command(reason: string): string {
    const options = [
      ...kinds.map((one) => ` --kind ${one}`),
      group === null ? "" : ` --group ${quoted(group)}`,
      workflow.trim() === "" ? "" : ` --workflow ${quoted(workflow.trim())}`,
      ` --every ${every}`,
    ].join("");
    return `stepwell notifications rules add ${quoted(target ?? "TARGET")}${options}${because(reason)}`;
  }

  return (
    <ReasonDialog
      opened
      optional
      onClose={onClose}
      title={words.addRule}
      submit={words.addRule}
      ready={target !== null && kinds.length > 0 && every !== ""}
      cli={command}
      onSubmit={async (reason) => {
        await ok(
          api.POST("/api/v1/notifications/rules", {
            body: {
              target: target ?? "",
              kinds: kinds as Told[],
              group,
              workflow: orNull(workflow),
              every: Number(every),
              reason: orNull(reason),
            },
          }),
        );
        await done();
      }}
    >
      <Select
        label={words.target}
        data={targets.rows.map((one) => one.name)}
        value={target}
        data-autofocus
        onChange={setTarget}
      />
      <MultiSelect
        label={words.of}
        data={Object.entries(words.kindsOf).map(([value, label]) => ({ value, label }))}
        value={kinds}
        onChange={setKinds}
      />
      <div className={classes.pair}>
        <Select
          label={words.group}
          clearable
          searchable
          data={(groups.data?.items ?? []).map((one) => one.name)}
          value={group}
          onChange={setGroup}
        />
        <Autocomplete
          label={words.workflow}
          value={workflow}
          data={names ?? []}
          autoComplete="off"
          onChange={setWorkflow}
        />
      </div>
      {unknown ? (
        <p className={classes.lead} role="status">
          {words.unknownWorkflow}
        </p>
      ) : null}
      <NumberField
        label={words.everySeconds}
        value={every}
        min={60}
        max={2_592_000}
        onChange={setEvery}
      />
    </ReasonDialog>
  );
}

export function NewMute({ onClose }: Props) {
  const [cause, setCause] = useState("");
  const [until, setUntil] = useState("");
  const causes = useQuery(causesQuery);
  const failing = new Map((causes.data?.items ?? []).map((one) => [one.fingerprint, one]));
  const chosen = failing.get(cause.trim());
  const done = useDone(KEY);
  const at = new Date(until);
  const iso = Number.isNaN(at.getTime()) ? "" : at.toISOString();
  return (
    <ReasonDialog
      opened
      onClose={onClose}
      title={words.addMute}
      submit={words.mute}
      ready={cause.trim() !== "" && iso !== ""}
      cli={(reason) =>
        `stepwell notifications mutes add ${quoted(cause.trim() || "CAUSE")} --until ${iso || "…"}${because(reason)}`
      }
      onSubmit={async (reason) => {
        await ok(
          api.POST("/api/v1/notifications/mutes", {
            body: { cause: cause.trim(), until: iso, reason },
          }),
        );
        await done();
      }}
    >
      <Autocomplete
        label={words.cause}
        description={words.causeHint}
        value={cause}
        data={[...failing.keys()]}
        filter={({ options }) => options}
        renderOption={({ option }) => {
          const one = failing.get(option.value);
          return one === undefined ? (
            option.value
          ) : (
            <span className={classes.two}>
              <span>{one.sentence}</span>
              <span className={classes.small}>
                {words.causeOf(one.runs, one.workflows.map(placeOf).join(", "))}
              </span>
            </span>
          );
        }}
        autoComplete="off"
        data-autofocus
        onChange={setCause}
      />
      {chosen === undefined ? null : <p className={classes.lead}>{chosen.sentence}</p>}
      <TextInput
        label={words.untilYours}
        type="datetime-local"
        value={until}
        onChange={(event) => setUntil(event.currentTarget.value)}
      />
    </ReasonDialog>
  );
}

function placeOf(one: { group: string; workflow: string }): string {
  return `${one.group}/${one.workflow}`;
}
