import { Button, TextInput } from "@mantine/core";
import { IconDownload, IconHistory } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { Column } from "@/components/DataTable";
import { Instant } from "@/components/Instant";
import { JsonView } from "@/components/JsonView";
import { Listing } from "@/components/Listing";
import { SideDrawer } from "@/components/SideDrawer";
import { apiAddress } from "@/lib/page";
import { writeSearch } from "@/lib/search";
import { useTyped } from "@/lib/typed";
import { settings } from "@/strings/settings";
import { For, Section, Word } from "./Parts";
import { type AuditFilter, auditQuery, type Entry, usePages } from "./queries";
import classes from "./Settings.module.css";

const words = settings.audit;
const TEXTS = ["actor", "action", "target", "address"] as const;
const EXAMPLES = {
  actor: "ada",
  action: "schedule.pause",
  target: "reports/daily",
  address: "10.0.0.7",
} as const;

export function Audit() {
  return (
    <For needs="reviewer" part={settings.pages.audit}>
      <Log />
    </For>
  );
}

function useFilter(): AuditFilter {
  const { actor, action, target, address, since, until } = useSearch({ from: "/shell/settings" });
  return { actor, action, target, address, since, until };
}

function Log() {
  const filter = useFilter();
  const { entry: open } = useSearch({ from: "/shell/settings" });
  const navigate = useNavigate({ from: "/settings" });
  const found = usePages(auditQuery(filter));
  const filtered = Object.values(filter).some((one) => one !== undefined);
  const shown = found.rows.find((one) => one.id === open);
  const change = (next: Partial<AuditFilter>) =>
    void navigate({ search: (old) => ({ ...old, ...next }), replace: true });
  const show = (one: Entry | null) =>
    void navigate({ search: (old) => ({ ...old, entry: one?.id }), replace: open !== undefined });
  return (
    <Section
      alone
      title={settings.pages.audit}
      actions={(["csv", "json"] as const).map((format) => (
        <Button
          key={format}
          component="a"
          variant="default"
          leftSection={<IconDownload size={14} />}
          href={apiAddress(`/audit/export${writeSearch({ format, ...filter })}`)}
          download={`audit.${format}`}
        >
          {words[format]}
        </Button>
      ))}
    >
      <Filters filter={filter} onChange={change} />
      <Listing
        label={settings.pages.audit}
        found={found}
        columns={COLUMNS}
        rowId={(one) => one.id}
        rowName={(one) => `${one.action} ${one.target}`}
        onOpen={show}
        current={open}
        keys
        rows={10}
        filtered={filtered}
        nothing={{
          title: words.nothing,
          onClear: () => void navigate({ search: { page: "audit" } }),
        }}
        never={{ title: words.none, text: words.noneText, icon: <IconHistory size={28} /> }}
      />
      {open === undefined ? null : (
        <SideDrawer
          key={open}
          opened
          onClose={() => show(null)}
          title={shown === undefined ? settings.pages.audit : <code>{shown.action}</code>}
        >
          {shown === undefined ? <p>{words.gone}</p> : <Detail one={shown} />}
        </SideDrawer>
      )}
    </Section>
  );
}

interface FilterProps {
  filter: AuditFilter;
  onChange: (next: Partial<AuditFilter>) => void;
}

function Filters({ filter, onChange }: FilterProps) {
  return (
    <div className={classes.filters}>
      {TEXTS.map((name) => (
        <Text key={name} name={name} value={filter[name]} onChange={onChange} />
      ))}
      {(["since", "until"] as const).map((name) => (
        <Moment key={name} name={name} value={filter[name]} onChange={onChange} />
      ))}
    </div>
  );
}

interface FieldProps<N extends keyof AuditFilter> {
  name: N;
  value: string | undefined;
  onChange: FilterProps["onChange"];
}

function Text({ name, value, onChange }: FieldProps<keyof typeof EXAMPLES>) {
  return (
    <TextInput
      {...useTyped(value ?? "", (text) => onChange({ [name]: text || undefined }), 350)}
      size="xs"
      type="search"
      label={words[name]}
      placeholder={EXAMPLES[name]}
    />
  );
}

function Moment({ name, value, onChange }: FieldProps<"since" | "until">) {
  const typed = useTyped(localOf(value), (text) => onChange({ [name]: instantOf(text) }), 0);
  return <TextInput {...typed} size="xs" type="datetime-local" label={words[name]} />;
}

function instantOf(local: string): string | undefined {
  const at = new Date(local);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

/** An instant as a field of the browser's wants it: in its own zone, to the minute. */
function localOf(at: string | undefined): string {
  if (at === undefined) return "";
  const moment = new Date(at);
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000)
    .toISOString()
    .slice(0, 16);
}

function refused(one: Entry): boolean {
  return one.action.endsWith(".refuse");
}

function Detail({ one }: { one: Entry }) {
  const parts = [
    [words.before, one.before],
    [words.after, one.after],
    [words.details, one.details],
  ] as const;
  const told = parts.filter(([, value]) => value !== null && value !== undefined);
  return (
    <div className="sw-stack">
      <dl className={classes.facts} style={{ padding: 0 }}>
        <Fact name={words.at}>
          <Instant at={one.at} as="exact" />
        </Fact>
        <Fact name={words.actor}>{one.actor}</Fact>
        <Fact name={words.target}>
          <code>{one.target}</code>
        </Fact>
        <Fact name={words.address}>{one.address ?? words.server}</Fact>
        <Fact name={words.result}>
          <Result one={one} />
        </Fact>
        <Fact name={words.reason}>{one.reason ?? "–"}</Fact>
      </dl>
      {told.length === 0 ? <p className="sw-soft">{words.noChange}</p> : null}
      {told.map(([name, value]) => (
        <section key={name}>
          <h3>{name}</h3>
          <JsonView value={value} label={name} open={3} />
        </section>
      ))}
    </div>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Result({ one }: { one: Entry }) {
  return refused(one) ? (
    <Word tone="bad">{words.refused}</Word>
  ) : (
    <Word tone="good">{words.succeeded}</Word>
  );
}

const COLUMNS: Column<Entry>[] = [
  {
    key: "at",
    beside: true,
    header: words.at,
    width: "7rem",
    cell: (one) => <Instant at={one.at} />,
  },
  {
    key: "actor",
    beside: true,
    header: words.actor,
    width: "7rem",
    card: "head",
    cell: (one) => <span className={`${classes.name} sw-truncate`}>{one.actor}</span>,
  },
  {
    key: "action",
    beside: true,
    header: words.action,
    width: "10rem",
    card: "head",
    cell: (one) => <code>{one.action}</code>,
  },
  {
    key: "target",
    header: words.target,
    cell: (one) => <span className="sw-truncate">{one.target}</span>,
  },
  {
    key: "reason",
    header: words.reason,
    width: "17%",
    cell: (one) => <span className="sw-soft">{one.reason}</span>,
  },
  {
    key: "address",
    header: words.address,
    width: "7.5rem",
    cell: (one) =>
      one.address === null ? (
        <span className="sw-soft">{words.server}</span>
      ) : (
        <code>{one.address}</code>
      ),
  },
  {
    key: "result",
    header: words.result,
    width: "5.5rem",
    cell: (one) => <Result one={one} />,
  },
];
