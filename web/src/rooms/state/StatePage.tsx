import { Select, TextInput } from "@mantine/core";
import { IconDatabase, IconSearch } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { CodeBlock } from "@/components/CodeBlock";
import { CopyAs, quoted } from "@/components/CopyAs";
import type { Column } from "@/components/DataTable";
import { Instant } from "@/components/Instant";
import { Listing } from "@/components/Listing";
import { PageHeader } from "@/components/PageHeader";
import { exactText } from "@/lib/exact";
import { foundPages } from "@/lib/found";
import { writeSearch } from "@/lib/search";
import { bytes } from "@/lib/time";
import { useTyped } from "@/lib/typed";
import { state as words } from "@/strings/state";
import { EntryDrawer } from "./EntryDrawer";
import { type Entry, entriesQuery, groupsQuery } from "./queries";
import classes from "./State.module.css";
import { inWords } from "./scopes";
import { writerOf } from "./writer";

const FROM = "/shell/state";

export function StatePage() {
  const search = useSearch({ from: FROM });
  const { group, scope, prefix, key, of, at } = search;
  const navigate = useNavigate({ from: "/state" });
  const found = useInfiniteQuery(entriesQuery({ group, scope, prefix }));
  const filtered = group !== undefined || scope !== undefined || prefix !== undefined;
  const open = (one: Entry | null) =>
    void navigate({
      search: (old) => ({
        ...old,
        key: one?.key,
        of: one?.group,
        at: one?.scope,
        version: undefined,
      }),
      replace: key !== undefined,
    });
  const place =
    key !== undefined && of !== undefined && at !== undefined
      ? { group: of, scope: at, key }
      : null;
  return (
    <>
      <PageHeader
        title={words.title}
        lead={words.lead}
        actions={
          <CopyAs
            call={{
              cli: `stepwell state list${group === undefined ? "" : ` ${group}`}${flag("scope", scope)}${flag("prefix", prefix)}`,
              path: `/state${writeSearch({ group, scope, prefix })}`,
            }}
          />
        }
      />
      <Filters
        group={group}
        scope={scope}
        prefix={prefix}
        seen={(found.data?.pages ?? []).flatMap((page) => page.items)}
        onChange={(next) =>
          void navigate({ search: (old) => ({ ...old, ...next }), replace: true })
        }
      />
      <Listing
        label={words.title}
        found={foundPages(found)}
        columns={COLUMNS}
        rowId={idOf}
        rowName={(one) => one.key}
        keys
        current={place === null ? undefined : `${of} ${at} ${key}`}
        onOpen={open}
        filtered={filtered}
        never={{
          title: words.never.title,
          icon: <IconDatabase size={28} />,
          text: (
            <>
              <p>{words.never.text}</p>
              <CodeBlock label="Python">{words.never.code}</CodeBlock>
            </>
          ),
        }}
        nothing={{ title: words.nothing, onClear: () => void navigate({ search: {} }) }}
      />
      {place === null ? null : (
        <EntryDrawer
          key={`${of} ${at} ${key}`}
          place={place}
          version={search.version}
          onVersion={(version) =>
            void navigate({ search: (old) => ({ ...old, version }), replace: true })
          }
          onClose={() => open(null)}
        />
      )}
    </>
  );
}

interface FilterProps {
  group: string | undefined;
  scope: string | undefined;
  prefix: string | undefined;
  /** What is listed: scopes of operations are known from there alone. */
  seen: readonly Entry[];
  onChange: (next: { group?: string; scope?: string; prefix?: string }) => void;
}

function Filters({ group, scope, prefix, seen, onChange }: FilterProps) {
  const groups = useQuery(groupsQuery);
  const workflows = groups.data?.items.find((one) => one.name === group)?.workflows ?? [];
  const scopes = new Set(["group", ...workflows.map((one) => `workflow:${one}`)]);
  for (const one of seen) if (one.group === group) scopes.add(one.scope);
  if (scope !== undefined) scopes.add(scope);
  const typed = useTyped(prefix ?? "", (text) => onChange({ prefix: text || undefined }));
  return (
    <div className={classes.filters}>
      <Select
        aria-label={words.group}
        placeholder={words.allGroups}
        clearable
        searchable
        value={group ?? null}
        data={(groups.data?.items ?? []).map((one) => one.name)}
        onChange={(next) => onChange({ group: next ?? undefined, scope: undefined })}
      />
      {group === undefined ? null : (
        <Select
          aria-label={words.scope}
          placeholder={words.allScopes}
          clearable
          value={scope ?? null}
          data={[...scopes].map((one) => ({ value: one, label: inWords(one) }))}
          onChange={(next) => onChange({ scope: next ?? undefined })}
        />
      )}
      <TextInput
        {...typed}
        type="search"
        aria-label={words.prefix}
        placeholder={words.prefix}
        leftSection={<IconSearch size={14} />}
      />
    </div>
  );
}

function flag(name: string, value: string | undefined): string {
  return value === undefined ? "" : ` --${name} ${quoted(value)}`;
}

function idOf(one: Entry): string {
  return `${one.group} ${one.scope} ${one.key}`;
}

const COLUMNS: Column<Entry>[] = [
  {
    key: "key",
    beside: true,
    header: words.columns.key,
    width: "24%",
    card: "head",
    sort: (one) => one.key,
    cell: (one) => <code className={classes.key}>{one.key}</code>,
  },
  {
    key: "scope",
    beside: true,
    header: words.columns.scope,
    width: "20%",
    sort: (one) => `${one.group} ${one.scope}`,
    cell: (one) => (
      <span className="sw-truncate" title={`${one.group} ${inWords(one.scope)}`}>
        {one.group} <span className="sw-soft">{inWords(one.scope)}</span>
      </span>
    ),
  },
  {
    key: "value",
    header: words.columns.value,
    cell: (one) =>
      one.deleted ? (
        <span className="sw-soft">{words.deleted}</span>
      ) : (
        <code className="sw-truncate sw-soft">{exactText(one.value).slice(0, 120)}</code>
      ),
  },
  {
    key: "size",
    header: words.columns.size,
    width: "5rem",
    align: "end",
    sort: (one) => sizeOf(one),
    cell: (one) => bytes(sizeOf(one)),
  },
  {
    key: "version",
    header: words.columns.version,
    width: "5rem",
    align: "end",
    sort: (one) => one.version,
    cell: (one) => one.version,
  },
  {
    key: "by",
    header: words.columns.by,
    width: "11rem",
    cell: (one) => <span className="sw-truncate">{writerOf(one)}</span>,
  },
  {
    key: "at",
    beside: true,
    header: words.columns.at,
    width: "7.5rem",
    sort: (one) => one.written_at,
    cell: (one) => <Instant at={one.written_at} as="ago" />,
  },
];

function sizeOf(one: Entry): number {
  return exactText(one.value).length;
}
