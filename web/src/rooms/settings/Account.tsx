import { Alert, Button, PasswordInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconDevices } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { api, ok } from "@/api/client";
import { asApiError } from "@/api/error";
import { useMe } from "@/api/session";
import type { Column } from "@/components/DataTable";
import { Instant } from "@/components/Instant";
import { Listing } from "@/components/Listing";
import { ReasonDialog } from "@/components/ReasonDialog";
import { settings } from "@/strings/settings";
import { Act, actsColumn, because, orNull, Section, useDone, Word } from "./Parts";
import { type LoginSession, sessionsQuery, usePages } from "./queries";
import classes from "./Settings.module.css";

const words = settings.account;
const SHORTEST = 12;

export function Account() {
  const me = useMe();
  return (
    <>
      <Section title={words.who}>
        <dl className={`${classes.facts} sw-panel`}>
          <Fact name={words.facts.name} value={me.name} />
          <Fact name={words.facts.role} value={settings.roles[me.role]} />
          <Fact name={words.facts.how} value={words.how[me.how]} />
          {me.groups === null ? null : (
            <Fact name={words.facts.groups} value={me.groups.join(", ")} />
          )}
          {me.expires_at === null ? null : (
            <Fact name={words.facts.until} value={<Instant at={me.expires_at} />} />
          )}
        </dl>
      </Section>
      {me.user_id === null ? (
        <p className={classes.lead}>{words.noAccount}</p>
      ) : (
        <>
          <Sessions />
          <Section title={words.password} lead={words.note}>
            <Password name={me.name} />
          </Section>
        </>
      )}
    </>
  );
}

function Fact({ name, value }: { name: string; value: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Password({ name }: { name: string }) {
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const cache = useQueryClient();
  const navigate = useNavigate();
  const form = useForm({
    initialValues: { current: "", next: "", again: "" },
    validate: {
      next: (value) => (value.length < SHORTEST ? words.hint : null),
      again: (value, values) => (value === values.next ? null : words.differ),
    },
  });

  async function submit(values: typeof form.values) {
    setBusy(true);
    setError(null);
    try {
      await ok(
        api.POST("/api/v1/passwords", { body: { current: values.current, new: values.next } }),
      );
      await navigate({ to: "/login", search: { next: "/settings?page=account" } });
      cache.clear();
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  }

  const problem = error === null ? null : asApiError(error);
  const field = (key: keyof typeof form.values) => ({
    required: true,
    withAsterisk: false,
    ...form.getInputProps(key),
  });
  return (
    <div className="sw-panel">
      <form onSubmit={form.onSubmit(submit)} className={classes.form}>
        {problem === null ? null : (
          <Alert color="red" role="alert" title={problem.what}>
            {problem.why} {problem.fix}
          </Alert>
        )}
        <input type="text" hidden readOnly autoComplete="username" value={name} />
        <PasswordInput
          label={words.current}
          autoComplete="current-password"
          {...field("current")}
        />
        <PasswordInput
          label={words.next}
          description={words.hint}
          autoComplete="new-password"
          {...field("next")}
        />
        <PasswordInput label={words.again} autoComplete="new-password" {...field("again")} />
        <div>
          <Button type="submit" loading={busy}>
            {words.submit}
          </Button>
        </div>
      </form>
    </div>
  );
}

function Sessions() {
  const found = usePages(sessionsQuery);
  const [ending, setEnding] = useState<LoginSession | null>(null);
  const columns = useMemo(() => columnsOf(setEnding), []);
  return (
    <Section title={words.sessions}>
      <Listing
        label={words.sessions}
        found={found}
        columns={columns}
        rowId={(one) => one.id}
        keys
        rows={2}
        never={{ title: words.none, text: "", icon: <IconDevices size={28} /> }}
      />
      {ending ? <End session={ending} onClose={() => setEnding(null)} /> : null}
    </Section>
  );
}

function End({ session, onClose }: { session: LoginSession; onClose: () => void }) {
  const done = useDone("sessions", ...(session.current ? ["me"] : []));
  return (
    <ReasonDialog
      opened
      danger
      optional
      onClose={onClose}
      title={words.endTitle}
      submit={words.end}
      cli={(reason) => `stepwell users sessions --end ${session.id}${because(reason)}`}
      onSubmit={async (reason) => {
        await ok(
          api.POST("/api/v1/sessions/{session_id}/revocations", {
            params: { path: { session_id: session.id } },
            body: { reason: orNull(reason) },
          }),
        );
        await done();
      }}
    >
      <p className={classes.lead}>{words.endLead(deviceOf(session.agent))}</p>
    </ReasonDialog>
  );
}

/** `Firefox on Linux`: what a person knows their browser by. */
export function deviceOf(agent: string | null): string {
  if (agent === null) return "–";
  const browser = /(Edg|OPR|Firefox|HeadlessChrome|Chrome|Safari)\//.exec(agent)?.[1];
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|CrOS|Linux)/.exec(agent)?.[1];
  if (browser === undefined) return agent.slice(0, 60);
  const called = { Edg: "Edge", OPR: "Opera", HeadlessChrome: "Chrome" }[browser] ?? browser;
  return system === undefined ? called : `${called} on ${system.replace("Mac OS X", "macOS")}`;
}

function columnsOf(onEnd: (session: LoginSession) => void): Column<LoginSession>[] {
  return [
    {
      key: "agent",
      header: words.device,
      card: "head",
      cell: (one) => (
        <span title={one.agent ?? undefined}>
          {deviceOf(one.agent)} {one.current ? <Word tone="good">{words.this}</Word> : null}
        </span>
      ),
    },
    {
      key: "how",
      header: words.facts.how,
      width: "9rem",
      cell: (one) => words.how[one.how],
    },
    {
      key: "address",
      header: words.from,
      width: "9rem",
      cell: (one) => <code>{one.address ?? "–"}</code>,
    },
    {
      key: "begun",
      header: words.begun,
      width: "8rem",
      cell: (one) => <Instant at={one.created_at} as="ago" />,
    },
    {
      key: "used",
      header: words.used,
      width: "8rem",
      cell: (one) => <Instant at={one.last_used_at} as="ago" />,
    },
    {
      key: "expires",
      header: words.expires,
      width: "8rem",
      cell: (one) => <Instant at={one.expires_at} as="ago" />,
    },
    actsColumn("5rem", (one) => (
      <Act
        needs="viewer"
        danger
        label={words.end}
        name={deviceOf(one.agent)}
        onClick={() => onEnd(one)}
      />
    )),
  ];
}
