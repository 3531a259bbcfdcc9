import { Button, Menu, SegmentedControl, TextInput } from "@mantine/core";
import { IconFilterPlus, IconStack2, IconX } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { CodeBlock } from "@/components/CodeBlock";
import { CopyAs, quoted } from "@/components/CopyAs";
import type { Column } from "@/components/DataTable";
import { Instant } from "@/components/Instant";
import { Listing } from "@/components/Listing";
import { PageHeader } from "@/components/PageHeader";
import { StateBadge } from "@/components/StateBadge";
import { foundPages } from "@/lib/found";
import { writeSearch } from "@/lib/search";
import { duration, number } from "@/lib/time";
import { steps as words } from "@/strings/steps";
import { Failures } from "./Failures";
import { countsQuery, type Filters, type Step, stateOf, stepsQuery } from "./queries";
import { StepDrawer } from "./StepDrawer";
import classes from "./Steps.module.css";

const FROM = "/shell/steps";

type Name = keyof typeof words.fields;
const NAMES = Object.keys(words.fields) as Name[];

export function StepsPage() {
  const { step, view, status, ...filters } = useSearch({ from: FROM });
  const navigate = useNavigate({ from: "/steps" });
  const given = filters as Filters;
  const found = useInfiniteQuery(stepsQuery({ ...given, status }));
  const open = (id: string | undefined) =>
    void navigate({ search: (old) => ({ ...old, step: id }), replace: step !== undefined });
  const filtered = status !== undefined || Object.keys(given).length > 0;
  const query = writeSearch({ ...given, status });
  return (
    <>
      <PageHeader
        title={words.title}
        lead={words.lead}
        actions={
          <>
            <SegmentedControl
              aria-label={words.failures}
              value={view ?? "list"}
              onChange={(next) =>
                void navigate({
                  search: (old) => ({ ...old, view: next === "failures" ? next : undefined }),
                })
              }
              data={[
                { value: "list", label: words.list },
                { value: "failures", label: words.failures },
              ]}
            />
            <CopyAs call={{ cli: command({ ...given, status }), path: `/steps${query}` }} />
          </>
        }
      />
      <Bar filters={given} status={status} />
      {view === "failures" ? (
        <Failures filters={given} />
      ) : (
        <Listing
          found={foundPages(found)}
          keys
          label={words.title}
          columns={COLUMNS}
          rowId={(one) => one.id}
          rowName={(one) => one.name}
          current={step}
          onOpen={(one) => open(one.id)}
          filtered={filtered}
          never={{
            title: words.never.title,
            icon: <IconStack2 size={28} />,
            text: (
              <>
                <p>{words.never.text}</p>
                <CodeBlock label="Python">{words.never.code}</CodeBlock>
              </>
            ),
          }}
          nothing={{ title: words.nothing, onClear: () => void navigate({ search: {} }) }}
        />
      )}
      {step === undefined ? null : (
        <StepDrawer key={step} id={step} onShow={open} onClose={() => open(undefined)} />
      )}
    </>
  );
}

/** How many there are per table, and the filters that are set. */
function Bar({ filters, status }: { filters: Filters; status: string | undefined }) {
  const navigate = useNavigate({ from: "/steps" });
  const [added, setAdded] = useState<Name[]>([]);
  const counts = useQuery(countsQuery(filters));
  const set = NAMES.filter((name) => filters[name] !== undefined || added.includes(name));
  const count = (table: "ready" | "done" | "failed") => {
    const of = counts.data;
    if (of === undefined) return "";
    return ` ${number(of[table])}${of.more.includes(table) ? "+" : ""}`;
  };
  const change = (name: Name, value: string | undefined) =>
    void navigate({ search: (old) => ({ ...old, [name]: value || undefined }), replace: true });
  return (
    <div className={classes.bar}>
      <SegmentedControl
        aria-label={words.columns.status}
        value={status ?? "all"}
        onChange={(next) =>
          void navigate({
            search: (old) => ({
              ...old,
              status: next === "all" ? undefined : (next as "ready" | "done" | "failed"),
            }),
          })
        }
        data={[
          { value: "all", label: words.status.all },
          ...(["ready", "done", "failed"] as const).map((value) => ({
            value,
            label: `${words.status[value]}${count(value)}`,
          })),
        ]}
      />
      {set.map((name) => (
        <Filter
          key={name}
          name={name}
          value={filters[name] ?? ""}
          onChange={(value) => change(name, value)}
          onRemove={() => {
            setAdded(added.filter((one) => one !== name));
            change(name, undefined);
          }}
        />
      ))}
      <Menu position="bottom-start">
        <Menu.Target>
          <Button variant="subtle" leftSection={<IconFilterPlus size={15} />}>
            {words.filter}
          </Button>
        </Menu.Target>
        <Menu.Dropdown className={classes.menu}>
          {NAMES.filter((name) => !set.includes(name)).map((name) => (
            <Menu.Item key={name} onClick={() => setAdded([...added, name])}>
              {words.fields[name]}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </div>
  );
}

interface FilterProps {
  name: Name;
  value: string;
  onChange: (value: string) => void;
  onRemove: () => void;
}

function Filter({ name, value, onChange, onRemove }: FilterProps) {
  const instant = name.endsWith("_from") || name.endsWith("_to");
  const [typed, setTyped] = useState(instant ? value.slice(0, 16) : value);
  useEffect(() => {
    const timer = window.setTimeout(() => {
      const next = instant && typed !== "" ? asInstant(typed) : typed.trim();
      if (next !== value) onChange(next);
    }, 350);
    return () => window.clearTimeout(timer);
  }, [typed, instant, value, onChange]);
  return (
    <span className={classes.filter}>
      <TextInput
        size="xs"
        aria-label={words.fields[name]}
        placeholder={words.fields[name]}
        title={words.fields[name]}
        type={instant ? "datetime-local" : "text"}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
      <button
        type="button"
        className={classes.remove}
        aria-label={words.remove(words.fields[name])}
        onClick={onRemove}
      >
        <IconX size={13} aria-hidden="true" />
      </button>
    </span>
  );
}

/** What a field of the browser's own says, in the browser's zone. */
function asInstant(typed: string): string {
  const at = new Date(typed);
  return Number.isNaN(at.getTime()) ? "" : at.toISOString();
}

function command(filters: Filters): string {
  const options = Object.entries(filters)
    .filter((pair): pair is [string, string] => pair[1] !== undefined)
    .map(([name, value]) => ` --${name.replaceAll("_", "-")} ${quoted(value)}`);
  return `stepwell steps list${options.join("")}`;
}

const COLUMNS: Column<Step>[] = [
  {
    key: "status",
    header: words.columns.status,
    width: "7.5rem",
    card: "head",
    cell: (one) => <StateBadge state={stateOf(one, Date.now())} look="plain" />,
  },
  {
    key: "name",
    header: words.columns.name,
    width: "24%",
    card: "head",
    cell: (one) => <span className={classes.name}>{one.name}</span>,
  },
  {
    key: "keys",
    header: words.columns.keys,
    width: "10%",
    cell: (one) => <span className="sw-truncate">{one.search_key ?? one.unique_key}</span>,
  },
  { key: "queue", header: words.columns.queue, width: "5.5rem", cell: (one) => one.queue },
  {
    key: "due",
    header: words.columns.due,
    width: "6.5rem",
    cell: (one) => <Instant at={one.ended_at ?? one.schedule_time} as="ago" />,
  },
  {
    key: "tries",
    header: words.columns.tries,
    width: "6.5rem",
    align: "end",
    cell: (one) => words.tries(one.execution_count, one.failure_count, one.lost_count),
  },
  {
    key: "took",
    header: words.columns.took,
    width: "4.5rem",
    align: "end",
    cell: (one) => (one.execution_duration === null ? "" : duration(one.execution_duration)),
  },
  {
    key: "description",
    card: "sentence",
    header: words.columns.description,
    cell: (one) => <span className="sw-truncate sw-soft">{one.description}</span>,
  },
];
