import { Autocomplete, Button, SegmentedControl, TextInput } from "@mantine/core";
import { IconPlayerPause } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { api, ok } from "@/api/client";
import { quoted } from "@/components/CopyAs";
import type { Column } from "@/components/DataTable";
import { Instant } from "@/components/Instant";
import { Listing } from "@/components/Listing";
import { NumberField } from "@/components/NumberField";
import { ReasonDialog } from "@/components/ReasonDialog";
import { RoleGate } from "@/components/RoleGate";
import { duration } from "@/lib/time";
import { settings } from "@/strings/settings";
import { Act, Add, actsColumn, because, orNull, Section, useDone, Word } from "./Parts";
import { type Control, controlsQuery, queuesQuery, useWhole } from "./queries";
import classes from "./Settings.module.css";

const words = settings.limits;

type Kind = Control["kind"];
type Open = { act: "set"; kind: Kind } | { act: "drop"; control: Control } | null;

/** What operators hold back in the engine: pauses of queues, limits and rates of keys. */
export function Controls() {
  const found = useWhole({ ...controlsQuery, refetchInterval: 10_000 });
  const [open, setOpen] = useState<Open>(null);
  const columns = useMemo(() => columnsOf(setOpen), []);
  const close = () => setOpen(null);
  return (
    <Section
      title={words.controls}
      lead={words.controlsLead}
      actions={
        <>
          <RoleGate needs="operator">
            <Button
              variant="default"
              leftSection={<IconPlayerPause size={14} />}
              onClick={() => setOpen({ act: "set", kind: "pause" })}
            >
              {words.pause}
            </Button>
          </RoleGate>
          <Add
            needs="operator"
            label={words.limit}
            act={() => setOpen({ act: "set", kind: "limit" })}
          />
        </>
      }
    >
      <Listing
        label={words.controls}
        found={found}
        columns={columns}
        rowId={(one) => `${one.kind} ${one.key}`}
        slim
        never={{ title: words.noControls, text: words.noControlsText }}
      />
      {open === null ? null : open.act === "set" ? (
        <SetControl first={open.kind} onClose={close} />
      ) : (
        <DropControl control={open.control} onClose={close} />
      )}
    </Section>
  );
}

function SetControl({ first, onClose }: { first: Kind; onClose: () => void }) {
  const [kind, setKind] = useState(first);
  const [key, setKey] = useState("");
  const [slots, setSlots] = useState<string | number>(1);
  const [period, setPeriod] = useState<string | number>(1);
  const done = useDone("controls");
  const pause = kind === "pause";
  const rate = kind === "rate";

  function command(reason: string): string {
    const of = quoted(key.trim() || (pause ? "QUEUE" : "KEY"));
    if (pause) return `stepwell queues pause ${of}${because(reason)}`;
    if (rate) return `stepwell limits rate ${of} ${slots} --per ${period}${because(reason)}`;
    return `stepwell limits set ${of} ${slots}${because(reason)}`;
  }

  return (
    <ReasonDialog
      opened
      optional={!pause}
      onClose={onClose}
      title={words.controlTitle[kind]}
      submit={pause ? words.pause : words.submit}
      ready={key.trim() !== "" && (pause || (slots !== "" && (!rate || Number(period) > 0)))}
      cli={command}
      onSubmit={async (reason) => {
        await ok(
          api.POST("/api/v1/controls", {
            body: {
              kind,
              key: key.trim(),
              slots: pause ? null : Number(slots),
              period: rate ? Number(period) : null,
              reason: orNull(reason),
            },
          }),
        );
        await done();
      }}
    >
      {pause ? null : (
        <SegmentedControl
          aria-label={words.kind}
          value={kind}
          data={(["limit", "rate"] as const).map((value) => ({
            value,
            label: words.controlKinds[value],
          }))}
          onChange={(next) => setKind(next as Kind)}
        />
      )}
      {pause ? (
        <Queue value={key} onChange={setKey} />
      ) : (
        <TextInput
          label={words.key}
          value={key}
          autoComplete="off"
          data-autofocus
          onChange={(event) => setKey(event.currentTarget.value)}
        />
      )}
      {pause ? null : (
        <div className={classes.pair}>
          <NumberField
            label={rate ? words.many : words.slots}
            value={slots}
            min={0}
            onChange={setSlots}
          />
          {rate ? (
            <NumberField
              label={words.period}
              value={period}
              min={0.001}
              fractions
              onChange={setPeriod}
            />
          ) : null}
        </div>
      )}
    </ReasonDialog>
  );
}

/** One of the queues that there are; another one may be meant, but not without a word. */
function Queue({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const names = useQuery(queuesQuery).data?.items;
  const unknown = value.trim() !== "" && names !== undefined && !names.includes(value.trim());
  return (
    <>
      <Autocomplete
        label={words.queue}
        value={value}
        data={names ?? []}
        autoComplete="off"
        data-autofocus
        onChange={onChange}
      />
      {unknown ? (
        <p className={classes.lead} role="status">
          {names.length === 0 ? words.noQueue : words.unknownQueue}
        </p>
      ) : null}
    </>
  );
}

function DropControl({ control, onClose }: { control: Control; onClose: () => void }) {
  const done = useDone("controls");
  const { kind, key } = control;
  const pause = kind === "pause";
  return (
    <ReasonDialog
      opened
      optional
      onClose={onClose}
      title={pause ? words.resumeTitle(key) : words.forgetTitle(words.controlKinds[kind], key)}
      submit={pause ? words.resume : words.forget}
      cli={() => `stepwell ${pause ? "queues resume" : "limits drop"} ${quoted(key)}`}
      onSubmit={async (reason) => {
        await ok(
          api.DELETE("/api/v1/controls", {
            params: { query: { kind, key, reason: orNull(reason) } },
          }),
        );
        await done();
      }}
    />
  );
}

function holds(one: Control): string {
  if (one.kind === "pause") return words.paused;
  const slots = one.slots ?? 0;
  return one.period === null ? words.atOnce(slots) : words.within(slots, duration(one.period));
}

function columnsOf(onOpen: (open: Open) => void): Column<Control>[] {
  return [
    {
      key: "key",
      header: words.key,
      card: "head",
      sort: (one) => one.key,
      cell: (one) => (
        <span>
          <span className={classes.name}>{one.key}</span>{" "}
          <Word tone={one.kind === "pause" ? "warn" : "plain"}>{words.controlKinds[one.kind]}</Word>
        </span>
      ),
    },
    { key: "holds", header: words.holds, width: "11rem", cell: holds },
    {
      key: "by",
      header: settings.by,
      width: "9rem",
      cell: (one) => (
        <div className={classes.two}>
          <span>{one.changed_by ?? "–"}</span>
          <Instant at={one.changed_at} as="ago" />
        </div>
      ),
    },
    { key: "reason", header: words.reason, width: "24%", cell: (one) => one.reason },
    actsColumn("6.5rem", (one) => (
      <Act
        needs="operator"
        label={one.kind === "pause" ? words.resume : words.forget}
        name={one.key}
        onClick={() => onOpen({ act: "drop", control: one })}
      />
    )),
  ];
}
