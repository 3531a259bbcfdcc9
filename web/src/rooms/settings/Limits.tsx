import { Autocomplete, Select } from "@mantine/core";
import { IconGauge } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { api, ok } from "@/api/client";
import { useMe } from "@/api/session";
import { workflowNamesQuery } from "@/api/workflows";
import { quoted } from "@/components/CopyAs";
import type { Column } from "@/components/DataTable";
import { Instant } from "@/components/Instant";
import { Listing } from "@/components/Listing";
import { NumberField } from "@/components/NumberField";
import { ReasonDialog } from "@/components/ReasonDialog";
import { settings } from "@/strings/settings";
import { Controls } from "./Controls";
import {
  Act,
  Acts,
  Add,
  actsColumn,
  because,
  nameColumn,
  orNull,
  Section,
  useDone,
  Word,
} from "./Parts";
import { limitsQuery, type RunLimit, useWhole } from "./queries";
import classes from "./Settings.module.css";

const words = settings.limits;

type Kind = RunLimit["kind"];
type Open = { act: "set"; limit: RunLimit | null } | { act: "remove"; limit: RunLimit } | null;

export function Limits() {
  const me = useMe();
  return (
    <>
      {me.mode === "engine" ? null : <RunLimits />}
      <Controls />
    </>
  );
}

function RunLimits() {
  const found = useWhole({ ...limitsQuery, refetchInterval: 10_000 });
  const [open, setOpen] = useState<Open>(null);
  const columns = useMemo(() => columnsOf(setOpen), []);
  const close = () => setOpen(null);
  return (
    <Section
      title={words.runs}
      lead={words.runsLead}
      actions={
        <Add
          needs="operator"
          main
          label={words.set}
          act={() => setOpen({ act: "set", limit: null })}
        />
      }
    >
      <Listing
        label={words.runs}
        found={found}
        columns={columns}
        rowId={idOf}
        keys
        never={{ title: words.none, text: words.noneText, icon: <IconGauge size={28} /> }}
      />
      {open === null ? null : open.act === "set" ? (
        <SetLimit limit={open.limit} all={found.rows} onClose={close} />
      ) : (
        <RemoveLimit limit={open.limit} onClose={close} />
      )}
    </Section>
  );
}

function idOf(one: RunLimit): string {
  return `${one.kind} ${one.name}`;
}

function place(kind: Kind, name: string): string {
  return kind === "pool" ? quoted(name) : `--${kind} ${quoted(name)}`;
}

interface SetProps {
  limit: RunLimit | null;
  all: readonly RunLimit[];
  onClose: () => void;
}

/** What may be limited; undefined as long as it is not known. */
function useNames(kind: Kind, all: readonly RunLimit[]): string[] | undefined {
  const { data } = useQuery(workflowNamesQuery);
  if (kind === "pool") return all.filter((one) => one.kind === "pool").map((one) => one.name);
  const names = data?.items.map((one) =>
    kind === "group" ? one.group : `${one.group}/${one.workflow}`,
  );
  return names && [...new Set(names)].sort();
}

function SetLimit({ limit, all, onClose }: SetProps) {
  const [kind, setKind] = useState<Kind>(limit?.kind ?? "pool");
  const [name, setName] = useState(limit?.name ?? "");
  const [slots, setSlots] = useState<string | number>(limit?.slots ?? 1);
  const done = useDone("run-limits");
  const names = useNames(kind, all);
  const unknown = name.trim() !== "" && names !== undefined && !names.includes(name.trim());
  return (
    <ReasonDialog
      opened
      optional
      onClose={onClose}
      title={words.setTitle}
      submit={words.submit}
      ready={name.trim() !== "" && slots !== ""}
      cli={(reason) =>
        `stepwell pools set ${place(kind, name.trim() || "NAME")} --slots ${slots}${because(reason)}`
      }
      onSubmit={async (reason) => {
        await ok(
          api.POST("/api/v1/run-limits", {
            body: { kind, name: name.trim(), slots: Number(slots), reason: orNull(reason) },
          }),
        );
        await done();
      }}
    >
      {limit === null ? (
        <div className={classes.pair}>
          <Select
            label={words.kind}
            allowDeselect={false}
            data={Object.entries(words.kinds).map(([value, label]) => ({ value, label }))}
            value={kind}
            onChange={(next) => setKind((next ?? "pool") as Kind)}
          />
          <Autocomplete
            label={settings.name}
            placeholder={words.nameHint[kind]}
            value={name}
            data={names ?? []}
            autoComplete="off"
            data-autofocus
            onChange={setName}
          />
        </div>
      ) : (
        <p className={classes.lead}>
          {words.kinds[limit.kind]} <strong>{limit.name}</strong>
        </p>
      )}
      {unknown && limit === null ? (
        <p className={classes.lead} role="status">
          {words.unknown[kind]}
        </p>
      ) : null}
      <NumberField
        label={words.slots}
        description={words.slotsHint}
        value={slots}
        data-autofocus={limit === null ? undefined : true}
        min={0}
        max={1_000_000}
        onChange={setSlots}
      />
    </ReasonDialog>
  );
}

function RemoveLimit({ limit, onClose }: { limit: RunLimit; onClose: () => void }) {
  const done = useDone("run-limits");
  return (
    <ReasonDialog
      opened
      optional
      danger
      onClose={onClose}
      title={words.removeTitle(limit.name)}
      submit={words.remove}
      cli={(reason) => `stepwell pools remove ${place(limit.kind, limit.name)}${because(reason)}`}
      onSubmit={async (reason) => {
        await ok(
          api.DELETE("/api/v1/run-limits", {
            params: { query: { kind: limit.kind, name: limit.name, reason: orNull(reason) } },
          }),
        );
        await done();
      }}
    >
      <p className={classes.lead}>{words.removeLead}</p>
    </ReasonDialog>
  );
}

function columnsOf(onOpen: (open: Open) => void): Column<RunLimit>[] {
  return [
    nameColumn((one) => (
      <span>
        <span className="sw-soft">{words.kinds[one.kind]}</span>{" "}
        <span className={classes.name}>{one.name}</span>{" "}
        {one.declared ? <Word tone="warn">{words.unsized}</Word> : null}
      </span>
    )),
    {
      key: "slots",
      header: words.slots,
      width: "6rem",
      align: "end",
      sort: (one) => one.slots,
      cell: (one) => one.slots,
    },
    {
      key: "held",
      header: words.held,
      width: "8rem",
      align: "end",
      sort: (one) => one.held,
      cell: (one) => (
        <>
          {one.held}
          {one.holders.slice(0, 3).map((id) => (
            <Link key={id} to="/runs/$runId" params={{ runId: id }}>
              {" "}
              #{id.slice(-4)}
            </Link>
          ))}
        </>
      ),
    },
    {
      key: "waiting",
      header: words.waiting,
      width: "6rem",
      align: "end",
      sort: (one) => one.waiting,
      cell: (one) => one.waiting,
    },
    {
      key: "by",
      header: settings.by,
      width: "24%",
      cell: (one) =>
        one.changed_by === null ? null : (
          <div className={classes.two}>
            <span>
              {one.changed_by} <Instant at={one.changed_at} as="ago" />
            </span>
            {one.reason ? <span className={classes.small}>{one.reason}</span> : null}
          </div>
        ),
    },
    actsColumn("10.5rem", (one) => (
      <Acts>
        <Act
          needs="operator"
          label={words.change}
          name={one.name}
          onClick={() => onOpen({ act: "set", limit: one })}
        />
        {one.changed_by === null ? null : (
          <Act
            needs="operator"
            danger
            label={words.remove}
            name={one.name}
            onClick={() => onOpen({ act: "remove", limit: one })}
          />
        )}
      </Acts>
    )),
  ];
}
