import { SegmentedControl, Switch, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { api, ok } from "@/api/client";
import { quoted } from "@/components/CopyAs";
import { NumberField } from "@/components/NumberField";
import { ReasonDialog } from "@/components/ReasonDialog";
import { usePhone } from "@/lib/media";
import { settings } from "@/strings/settings";
import { because, orNull, useDone } from "./Parts";
import type { Group } from "./queries";
import classes from "./Settings.module.css";
import { type Pairs, pairsOf, textOf } from "./variables";

const words = settings.groups;
const STALE = ["groups", "reviews", "discoveries", "workflows"] as const;

type Rule = keyof typeof words.rules;

interface Props {
  group: Group;
  onClose: () => void;
}

function options(environment: Pairs, secrets: Pairs): string {
  return [
    ...Object.entries(environment.values).map(
      ([name, one]) => ` --env ${quoted(`${name}=${one}`)}`,
    ),
    ...Object.entries(secrets.values).map(([name, one]) => ` --secret ${quoted(`${name}=${one}`)}`),
  ].join("");
}

export function NewGroup({ onClose }: { onClose: () => void }) {
  const [image, setImage] = useState("");
  const [launcher, setLauncher] = useState("process");
  const [name, setName] = useState("");
  const [variables, setVariables] = useState({ environment: "", secrets: "" });
  const environment = pairsOf(variables.environment);
  const secrets = pairsOf(variables.secrets, true);
  const done = useDone(...STALE);
  return (
    <ReasonDialog
      opened
      optional
      onClose={onClose}
      title={words.register}
      submit={words.submit}
      ready={
        image.trim() !== "" &&
        launcher.trim() !== "" &&
        environment.bad === null &&
        secrets.bad === null
      }
      cli={() =>
        `stepwell groups register ${quoted(image.trim() || "IMAGE")}${launcher === "process" ? "" : ` --launcher ${quoted(launcher)}`}${options(environment, secrets)}`
      }
      onSubmit={async (reason) => {
        await ok(
          api.POST("/api/v1/groups", {
            body: {
              image: image.trim(),
              launcher: launcher.trim(),
              name: orNull(name),
              environment: environment.values,
              secrets: secrets.values,
              discover_with_secrets: false,
              reason: orNull(reason),
            },
          }),
        );
        await done();
      }}
    >
      <TextInput
        label={words.image}
        value={image}
        autoComplete="off"
        data-autofocus
        onChange={(event) => setImage(event.currentTarget.value)}
      />
      <div className={classes.pair}>
        <TextInput
          label={words.launcher}
          description={words.launcherHint}
          value={launcher}
          autoComplete="off"
          onChange={(event) => setLauncher(event.currentTarget.value)}
        />
        <TextInput
          label={words.name}
          description={words.nameHint}
          value={name}
          autoComplete="off"
          onChange={(event) => setName(event.currentTarget.value)}
        />
      </div>
      <Variables
        text={variables}
        environment={environment}
        secrets={secrets}
        onChange={setVariables}
      />
    </ReasonDialog>
  );
}

export function ChangeGroup({ group, onClose }: Props) {
  const before = {
    environment: textOf(group.environment),
    secrets: textOf(group.secrets),
  };
  const [image, setImage] = useState(group.image);
  const [variables, setVariables] = useState(before);
  const phone = usePhone();
  const [rule, setRule] = useState<Rule>(
    group.two_person == null ? "default" : group.two_person ? "two" : "one",
  );
  const [watch, setWatch] = useState<string | number>(group.watch_every ?? "");
  const [withSecrets, setWithSecrets] = useState(group.discover_with_secrets);
  const environment = pairsOf(variables.environment);
  const secrets = pairsOf(variables.secrets, true);
  const done = useDone(...STALE);
  const changed = image.trim() !== group.image;
  return (
    <ReasonDialog
      opened
      optional
      onClose={onClose}
      title={words.changeTitle(group.name)}
      submit={words.changeSubmit}
      ready={image.trim() !== "" && environment.bad === null && secrets.bad === null}
      cli={(reason) =>
        `stepwell groups change ${quoted(group.name)}${changed ? ` --image ${quoted(image.trim())}` : ""}${options(environment, secrets)}${rule === "default" ? "" : ` --${rule}-person`} --discover-${withSecrets ? "with" : "without"}-secrets${because(reason)}`
      }
      onSubmit={async (reason) => {
        await ok(
          api.PATCH("/api/v1/groups/{name}", {
            params: { path: { name: group.name } },
            body: {
              ...(changed ? { image: image.trim() } : {}),
              environment: environment.values,
              secrets: secrets.values,
              discover_with_secrets: withSecrets,
              two_person: rule === "default" ? null : rule === "two",
              watch_every: watch === "" ? null : Number(watch),
              reason: orNull(reason),
            },
          }),
        );
        await done();
      }}
    >
      <TextInput
        label={words.image}
        value={image}
        autoComplete="off"
        data-autofocus
        onChange={(event) => setImage(event.currentTarget.value)}
      />
      <Variables
        text={variables}
        environment={environment}
        secrets={secrets}
        onChange={setVariables}
      />
      <Switch
        label={words.withSecrets}
        checked={withSecrets}
        onChange={(event) => setWithSecrets(event.currentTarget.checked)}
      />
      <div>
        <div className="sw-label">{words.rule}</div>
        <SegmentedControl
          aria-label={words.rule}
          orientation={phone ? "vertical" : "horizontal"}
          value={rule}
          data={(["default", "two", "one"] as const).map((value) => ({
            value,
            label: words.rules[value],
          }))}
          onChange={(next) => setRule(next as Rule)}
        />
      </div>
      <NumberField
        label={words.watch}
        description={words.watchHint}
        value={watch}
        min={5}
        fractions
        optional
        onChange={setWatch}
      />
    </ReasonDialog>
  );
}

interface VariablesProps {
  text: { environment: string; secrets: string };
  environment: Pairs;
  secrets: Pairs;
  onChange: (text: { environment: string; secrets: string }) => void;
}

function Variables({ text, environment, secrets, onChange }: VariablesProps) {
  return (
    <div className={classes.pair}>
      <Textarea
        label={words.environment}
        description={words.environmentHint}
        value={text.environment}
        autosize
        minRows={2}
        maxRows={10}
        error={environment.bad === null ? undefined : words.bad(environment.bad)}
        onChange={(event) => onChange({ ...text, environment: event.currentTarget.value })}
      />
      <Textarea
        label={words.secrets}
        description={words.secretsHint}
        value={text.secrets}
        autosize
        minRows={2}
        maxRows={10}
        error={secrets.bad === null ? undefined : words.bad(secrets.bad)}
        onChange={(event) => onChange({ ...text, secrets: event.currentTarget.value })}
      />
    </div>
  );
}

const ACTS = {
  discover: {
    title: words.discoverTitle,
    submit: words.discover,
    lead: words.discoverLead,
    path: "/api/v1/groups/{name}/discoveries",
  },
  archive: {
    title: words.archiveTitle,
    submit: words.archive,
    lead: words.archiveLead,
    path: "/api/v1/groups/{name}/archivals",
  },
  restore: {
    title: words.restoreTitle,
    submit: words.restore,
    lead: "",
    path: "/api/v1/groups/{name}/restorations",
  },
} as const;

export function GroupAct({ act, group, onClose }: Props & { act: keyof typeof ACTS }) {
  const { title, submit, lead, path } = ACTS[act];
  const done = useDone(...STALE, "schedules");
  return (
    <ReasonDialog
      opened
      optional
      danger={act === "archive"}
      onClose={onClose}
      title={title(group.name)}
      submit={submit}
      cli={(reason) => `stepwell groups ${act} ${quoted(group.name)}${because(reason)}`}
      onSubmit={async (reason) => {
        const given = { params: { path: { name: group.name } }, body: { reason: orNull(reason) } };
        await ok<unknown>(api.POST(path, given));
        await done();
      }}
    >
      {lead === "" ? null : <p className={classes.lead}>{lead}</p>}
    </ReasonDialog>
  );
}
