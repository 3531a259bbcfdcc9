import { Alert, Button, SegmentedControl, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { api, ok, type Schemas } from "@/api/client";
import { asApiError } from "@/api/error";
import { quoted } from "@/components/CopyAs";
import { NumberField } from "@/components/NumberField";
import { ReasonDialog } from "@/components/ReasonDialog";
import { duration } from "@/lib/time";
import { settings } from "@/strings/settings";
import { linesOf } from "./lines";
import { because, orNull, useDone } from "./Parts";
import type { Source, SourceImage } from "./queries";
import classes from "./Settings.module.css";

const words = settings.sources;

type Kind = Source["kind"];

interface Fields {
  name: string;
  kind: Kind;
  location: string;
  include: string;
  exclude: string;
  every: string | number;
  launcher: string;
  username: string;
  password: string;
}

function fieldsOf(source: Source | null): Fields {
  return {
    name: source?.name ?? "",
    kind: source?.kind ?? "folder",
    location: source?.location ?? "",
    include: (source?.include ?? []).join("\n"),
    exclude: (source?.exclude ?? []).join("\n"),
    every: source?.scan_every ?? "",
    launcher: source?.launcher ?? "",
    username: source?.credentials?.username ?? "",
    password: source?.credentials?.password ?? "",
  };
}

function bodyOf(fields: Fields) {
  const credentials =
    fields.username.trim() === ""
      ? null
      : { username: fields.username.trim(), password: fields.password.trim() };
  return {
    location: fields.location.trim(),
    include: linesOf(fields.include),
    exclude: linesOf(fields.exclude),
    scan_every: fields.every === "" ? null : Number(fields.every),
    launcher: orNull(fields.launcher),
    credentials,
  };
}

function command(fields: Fields, changed: boolean): string {
  const body = bodyOf(fields);
  return [
    `stepwell sources ${changed ? "change" : "add"} ${quoted(fields.name.trim() || "NAME")}`,
    `--${fields.kind} ${quoted(body.location || "…")}`,
    ...body.include.map((one) => `--include ${quoted(one)}`),
    ...body.exclude.map((one) => `--exclude ${quoted(one)}`),
    ...(body.credentials === null
      ? []
      : [
          `--username ${quoted(body.credentials.username)}`,
          `--password ${quoted(body.credentials.password)}`,
        ]),
    ...(body.scan_every === null ? [] : [`--every ${body.scan_every}`]),
    ...(body.launcher === null ? [] : [`--launcher ${quoted(body.launcher)}`]),
  ].join(" ");
}

/** A new source, or with `source` what is to change of one. */
export function SourceDialog({ source, onClose }: { source: Source | null; onClose: () => void }) {
  const [fields, setFields] = useState(() => fieldsOf(source));
  const set = (change: Partial<Fields>) => setFields((old) => ({ ...old, ...change }));
  const done = useDone("sources");
  const halves = (fields.username.trim() === "") !== (fields.password.trim() === "");

  async function submit(reason: string) {
    const body = { ...bodyOf(fields), reason: orNull(reason) };
    if (source === null) {
      const made = { ...body, name: fields.name.trim(), kind: fields.kind };
      await ok(api.POST("/api/v1/sources", { body: made }));
    } else {
      const path = { name: source.name };
      await ok(api.PATCH("/api/v1/sources/{name}", { params: { path }, body }));
    }
    await done();
  }

  return (
    <ReasonDialog
      opened
      optional
      onClose={onClose}
      title={source === null ? words.add : words.changeTitle(source.name)}
      submit={source === null ? words.submit : words.changeSubmit}
      ready={fields.name.trim() !== "" && fields.location.trim() !== "" && !halves}
      cli={(reason) => command(fields, source !== null) + because(reason)}
      onSubmit={submit}
    >
      {source === null ? (
        <>
          <SegmentedControl
            aria-label={words.kind}
            value={fields.kind}
            data={(["folder", "registry"] as const).map((value) => ({
              value,
              label: words.kinds[value],
            }))}
            onChange={(next) => set({ kind: next as Kind })}
          />
          <TextInput
            label={settings.name}
            description={words.nameHint}
            value={fields.name}
            data-autofocus
            autoComplete="off"
            onChange={(event) => set({ name: event.currentTarget.value })}
          />
        </>
      ) : null}
      <TextInput
        label={words.location}
        description={words.locationHint[fields.kind]}
        value={fields.location}
        autoComplete="off"
        onChange={(event) => set({ location: event.currentTarget.value })}
      />
      <div className={classes.pair}>
        <Textarea
          label={words.include}
          description={words.includeHint}
          value={fields.include}
          autosize
          minRows={2}
          onChange={(event) => set({ include: event.currentTarget.value })}
        />
        <Textarea
          label={words.exclude}
          description={words.excludeHint}
          value={fields.exclude}
          autosize
          minRows={2}
          onChange={(event) => set({ exclude: event.currentTarget.value })}
        />
      </div>
      <div className={classes.pair}>
        <NumberField
          label={words.every}
          description={words.everyHint}
          value={fields.every}
          min={10}
          fractions
          optional
          onChange={(every) => set({ every })}
        />
        <TextInput
          label={words.launcher}
          value={fields.launcher}
          autoComplete="off"
          onChange={(event) => set({ launcher: event.currentTarget.value })}
        />
      </div>
      {fields.kind === "registry" ? (
        <div className={classes.pair}>
          <TextInput
            label={words.username}
            description={words.credentialsHint}
            placeholder="env:REGISTRY_USER"
            value={fields.username}
            autoComplete="off"
            error={halves ? words.both : undefined}
            onChange={(event) => set({ username: event.currentTarget.value })}
          />
          <TextInput
            label={words.password}
            description={words.credentialsHint}
            placeholder="env:REGISTRY_PASSWORD"
            value={fields.password}
            autoComplete="off"
            onChange={(event) => set({ password: event.currentTarget.value })}
          />
        </div>
      ) : null}
      {source === null ? <Trial fields={fields} ready={fields.location.trim() !== ""} /> : null}
    </ReasonDialog>
  );
}

/** Looks at a source that is not added yet. */
function Trial({ fields, ready }: { fields: Fields; ready: boolean }) {
  const [seen, setSeen] = useState<Schemas["Tested"] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  async function look() {
    setBusy(true);
    setError(null);
    setSeen(null);
    try {
      const body = { ...bodyOf(fields), name: fields.name.trim() || "new", kind: fields.kind };
      setSeen(await ok(api.POST("/api/v1/source-tests", { body })));
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  }
  const problem = error === null ? null : asApiError(error);
  return (
    <div className="sw-stack">
      <div>
        <Button variant="default" loading={busy} disabled={!ready} onClick={() => void look()}>
          {words.test}
        </Button>
      </div>
      {problem ? (
        <Alert color="red" role="alert" title={problem.what}>
          {problem.why} {problem.fix}
        </Alert>
      ) : null}
      {seen ? <Seen tested={seen} /> : null}
    </div>
  );
}

/** What a test of a source saw, or why it saw nothing. */
export function Seen({ tested }: { tested: Schemas["Tested"] }) {
  if (!tested.ok) {
    const { what, why, fix } = (tested.error ?? {}) as Record<string, string | undefined>;
    return (
      <Alert color="red" role="alert" title={what}>
        {why} {fix}
      </Alert>
    );
  }
  return (
    <Alert color="green" role="status" title={words.seen(tested.count, duration(tested.seconds))}>
      {tested.images.slice(0, 10).map((one) => (
        <div key={one}>
          <code>{one}</code>
        </div>
      ))}
    </Alert>
  );
}

export function RemoveSource({ source, onClose }: { source: Source; onClose: () => void }) {
  const done = useDone("sources");
  return (
    <ReasonDialog
      opened
      danger
      optional
      onClose={onClose}
      title={words.removeTitle(source.name)}
      submit={words.remove}
      cli={(reason) => `stepwell sources remove ${quoted(source.name)}${because(reason)}`}
      onSubmit={async (reason) => {
        await ok(
          api.POST("/api/v1/sources/{name}/removals", {
            params: { path: { name: source.name } },
            body: { reason: orNull(reason) },
          }),
        );
        await done();
      }}
    >
      <p className={classes.lead}>{words.removeLead}</p>
    </ReasonDialog>
  );
}

interface ImageProps {
  image: SourceImage;
  onClose: () => void;
}

export function RegisterImage({ image, onClose }: ImageProps) {
  const [name, setName] = useState("");
  const done = useDone("sources", "groups", "reviews", "workflows");
  return (
    <ReasonDialog
      opened
      optional
      onClose={onClose}
      title={words.registerTitle}
      submit={words.register}
      cli={(reason) =>
        `stepwell sources accept ${quoted(image.source)} ${quoted(image.image)}${name.trim() === "" ? "" : ` --group ${quoted(name.trim())}`}${because(reason)}`
      }
      onSubmit={async (reason) => {
        await ok(
          api.POST("/api/v1/source-images/{image_id}/registrations", {
            params: { path: { image_id: image.id } },
            body: {
              name: orNull(name),
              reason: orNull(reason),
              discover_with_secrets: false,
              environment: {},
              secrets: {},
            },
          }),
        );
        await done();
      }}
    >
      <p className={classes.lead}>
        <code>{image.image}</code>
        <br />
        {words.registerLead}
      </p>
      <TextInput
        label={words.groupName}
        description={words.groupNameHint}
        placeholder={image.stated_name ?? undefined}
        value={name}
        autoComplete="off"
        onChange={(event) => setName(event.currentTarget.value)}
      />
    </ReasonDialog>
  );
}

export function DismissImage({ image, onClose }: ImageProps) {
  const done = useDone("sources");
  return (
    <ReasonDialog
      opened
      optional
      onClose={onClose}
      title={words.dismissTitle}
      submit={words.dismiss}
      cli={(reason) =>
        `stepwell sources dismiss ${quoted(image.source)} ${quoted(image.image)}${because(reason)}`
      }
      onSubmit={async (reason) => {
        await ok(
          api.POST("/api/v1/source-images/{image_id}/dismissals", {
            params: { path: { image_id: image.id } },
            body: { reason: orNull(reason) },
          }),
        );
        await done();
      }}
    >
      <p className={classes.lead}>
        <code>{image.image}</code>
        <br />
        {words.dismissLead}
      </p>
    </ReasonDialog>
  );
}
