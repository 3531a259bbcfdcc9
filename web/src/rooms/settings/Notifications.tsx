import { IconBell } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import type { Column } from "@/components/DataTable";
import { Instant } from "@/components/Instant";
import { Listing } from "@/components/Listing";
import { duration } from "@/lib/time";
import { settings } from "@/strings/settings";
import { NewMute, NewRule, NewTarget, RenewSecret, TargetAct } from "./NotificationDialogs";
import {
  Act,
  Acts,
  Add,
  actsColumn,
  For,
  nameColumn,
  Once,
  Section,
  type Shown,
  Word,
} from "./Parts";
import {
  type Delivery,
  deliveriesQuery,
  type Mute,
  mutesQuery,
  type Rule,
  rulesQuery,
  type Target,
  targetsQuery,
  usePages,
} from "./queries";
import { kindsOf, placeOf } from "./rules";
import classes from "./Settings.module.css";
import { UndoNote } from "./UndoNote";

const words = settings.notes;

type Open =
  | { act: "target" }
  | { act: "rule" }
  | { act: "mute" }
  | { act: "test"; target: Target }
  | { act: "renew"; target: Target }
  | { act: "remove"; target: Target }
  | { act: "end"; rule: Rule }
  | { act: "unmute"; mute: Mute };
type OnOpen = (open: Open) => void;

export function Notifications() {
  const [open, setOpen] = useState<Open | null>(null);
  const [made, setMade] = useState<Shown | null>(null);
  return (
    <>
      <Section
        title={words.targets}
        actions={
          <Add needs="admin" label={words.addTarget} act={() => setOpen({ act: "target" })} />
        }
      >
        <For needs="operator" part={words.targets}>
          <Targets onOpen={setOpen} />
        </For>
      </Section>
      <Section
        title={words.rules}
        actions={
          <Add needs="operator" label={words.addRule} act={() => setOpen({ act: "rule" })} />
        }
      >
        <Rules onOpen={setOpen} />
      </Section>
      <Section
        title={words.mutes}
        actions={
          <Add needs="operator" label={words.addMute} act={() => setOpen({ act: "mute" })} />
        }
      >
        <Mutes onOpen={setOpen} />
      </Section>
      <Section title={words.deliveries}>
        <Deliveries />
      </Section>
      {open === null ? null : <Dialog open={open} onClose={() => setOpen(null)} onMade={setMade} />}
      <Once shown={made} onClose={() => setMade(null)} />
    </>
  );
}

interface DialogProps {
  open: Open;
  onClose: () => void;
  onMade: (shown: Shown) => void;
}

function Dialog({ open, onClose, onMade }: DialogProps) {
  if (open.act === "target") return <NewTarget onClose={onClose} onMade={onMade} />;
  if (open.act === "rule") return <NewRule onClose={onClose} />;
  if (open.act === "mute") return <NewMute onClose={onClose} />;
  if (open.act === "renew") {
    return <RenewSecret target={open.target} onClose={onClose} onMade={onMade} />;
  }
  if (open.act === "end") return <UndoNote rule={open.rule} onClose={onClose} />;
  if (open.act === "unmute") return <UndoNote mute={open.mute} onClose={onClose} />;
  return <TargetAct act={open.act} target={open.target} onClose={onClose} />;
}

function Targets({ onOpen }: { onOpen: OnOpen }) {
  const found = usePages(targetsQuery);
  const columns = useMemo(() => targetColumns(onOpen), [onOpen]);
  return (
    <Listing
      label={words.targets}
      found={found}
      columns={columns}
      rowId={(one) => one.name}
      keys
      rows={2}
      never={{ title: words.noTargets, text: words.noTargetsText, icon: <IconBell size={28} /> }}
    />
  );
}

function Rules({ onOpen }: { onOpen: OnOpen }) {
  const found = usePages(rulesQuery);
  const columns = useMemo(() => ruleColumns(onOpen), [onOpen]);
  return (
    <Listing
      label={words.rules}
      found={found}
      columns={columns}
      rowId={(one) => one.id}
      rows={2}
      slim
      never={{ title: words.noRules, text: words.noRulesText }}
    />
  );
}

function Mutes({ onOpen }: { onOpen: OnOpen }) {
  const found = usePages(mutesQuery);
  const columns = useMemo(() => muteColumns(onOpen), [onOpen]);
  return (
    <Listing
      label={words.mutes}
      found={found}
      columns={columns}
      rowId={(one) => one.cause}
      rows={2}
      slim
      never={{ title: words.noMutes, text: words.noMutesText }}
    />
  );
}

function Deliveries() {
  // Those that are under way change in their own time.
  const found = usePages({
    ...deliveriesQuery,
    refetchInterval: (query) =>
      query.state.data?.pages.some((page) => page.items.some((one) => one.state === "waiting"))
        ? 3000
        : false,
  });
  return (
    <Listing
      label={words.deliveries}
      found={found}
      columns={DELIVERIES}
      rowId={(one) => one.id}
      rows={2}
      slim
      never={{ title: words.noDeliveries, text: words.noDeliveriesText }}
    />
  );
}

function targetColumns(onOpen: OnOpen): Column<Target>[] {
  return [
    nameColumn((one) => <span className={classes.name}>{one.name}</span>),
    { key: "kind", header: words.kind, width: "7rem", cell: (one) => words.kinds[one.kind] },
    {
      key: "where",
      header: words.where,
      width: "34%",
      cell: (one) => (
        <div className={classes.two}>
          <span className="sw-truncate">
            {one.url ?? one.url_ref ?? one.to.join(", ")}{" "}
            {one.warning == null ? null : <Word tone="warn">{words.unset}</Word>}
          </span>
          {one.warning == null ? null : <span className={classes.small}>{one.warning}</span>}
        </div>
      ),
    },
    actsColumn("15rem", (one) => (
      <Acts>
        <Act
          needs="operator"
          label={words.test}
          name={one.name}
          onClick={() => onOpen({ act: "test", target: one })}
        />
        {one.kind === "webhook" ? (
          <Act
            needs="admin"
            label={words.renew}
            name={one.name}
            onClick={() => onOpen({ act: "renew", target: one })}
          />
        ) : null}
        <Act
          needs="admin"
          danger
          label={words.remove}
          name={one.name}
          onClick={() => onOpen({ act: "remove", target: one })}
        />
      </Acts>
    )),
  ];
}

function ruleColumns(onOpen: OnOpen): Column<Rule>[] {
  return [
    {
      key: "target",
      header: words.target,
      card: "head",
      sort: (one) => one.target,
      cell: (one) => <span className={classes.name}>{one.target}</span>,
    },
    {
      key: "kinds",
      header: words.of,
      width: "36%",
      cell: kindsOf,
    },
    { key: "about", header: words.about, width: "18%", cell: placeOf },
    { key: "every", header: words.every, width: "8rem", cell: (one) => duration(one.every) },
    actsColumn("8rem", (one) => (
      <Act
        needs="operator"
        danger
        label={words.removeRule}
        name={one.target}
        onClick={() => onOpen({ act: "end", rule: one })}
      />
    )),
  ];
}

function muteColumns(onOpen: OnOpen): Column<Mute>[] {
  return [
    {
      key: "cause",
      header: words.cause,
      card: "head",
      cell: (one) => (
        <div className={classes.two}>
          <span>{one.sentence ?? words.muteUnknown}</span>
          <code className={classes.small}>{one.cause}</code>
        </div>
      ),
    },
    {
      key: "until",
      header: words.until,
      width: "10rem",
      sort: (one) => one.until,
      cell: (one) => <Instant at={one.until} />,
    },
    { key: "by", header: settings.by, width: "8rem", cell: (one) => one.muted_by },
    { key: "reason", header: settings.audit.reason, width: "26%", cell: (one) => one.reason },
    actsColumn("7rem", (one) => (
      <Act
        needs="operator"
        label={words.unmute}
        name={one.sentence ?? one.cause}
        onClick={() => onOpen({ act: "unmute", mute: one })}
      />
    )),
  ];
}

const TONES = { waiting: "warn", sent: "good", failed: "bad" } as const;

const DELIVERIES: Column<Delivery>[] = [
  {
    key: "sentence",
    header: words.message,
    card: "head",
    cell: (one) => <span title={one.sentence}>{one.sentence}</span>,
  },
  { key: "target", header: words.target, width: "10rem", cell: (one) => one.target },
  {
    key: "state",
    header: words.state,
    width: "6rem",
    cell: (one) => <Word tone={TONES[one.state]}>{words.states[one.state]}</Word>,
  },
  {
    key: "attempts",
    header: words.attempts,
    width: "4.5rem",
    align: "end",
    cell: (one) => one.attempts,
  },
  {
    key: "answer",
    header: words.answer,
    width: "34%",
    cell: (one) => <span className="sw-soft">{one.answer}</span>,
  },
  {
    key: "at",
    header: words.at,
    width: "8rem",
    cell: (one) => <Instant at={one.finished_at ?? one.created_at} as="ago" />,
  },
];
