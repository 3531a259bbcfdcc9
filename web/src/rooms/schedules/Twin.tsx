/** The same as the strips, as a table: for those who would rather read. */

import { type Column, DataTable, type Selection } from "@/components/DataTable";
import { Instant } from "@/components/Instant";
import { duration, number } from "@/lib/time";
import { schedules as words } from "@/strings/schedules";
import { type Lane, latest, nextRun, type Outcome, tally } from "./marks";
import { placeOf } from "./queries";
import { Sample } from "./shapes";

interface Props {
  lanes: readonly Lane[];
  selection: Selection;
  current: string | undefined;
  onOpen: (lane: Lane) => void;
}

function counted(lane: Lane, outcome: Outcome): number {
  const found = tally(lane);
  return [...found.bad, ...found.other].find((one) => one.outcome === outcome)?.count ?? 0;
}

const count = (value: number) => (value === 0 ? <span className="sw-soft">–</span> : number(value));

const COLUMNS: Column<Lane>[] = [
  {
    key: "schedule",
    header: words.table.schedule,
    width: "18%",
    card: "head",
    sort: placeOf,
    cell: (lane) => <strong className="sw-truncate">{placeOf(lane)}</strong>,
  },
  {
    key: "when",
    header: words.table.when,
    sort: (lane) => lane.description,
    cell: (lane) => <span title={lane.description}>{lane.description}</span>,
  },
  {
    key: "next",
    header: words.table.next,
    width: "9rem",
    sort: (lane) => nextRun(lane),
    cell: (lane) => {
      const next = nextRun(lane);
      if (next !== null) return <Instant at={next} />;
      return <span>{lane.paused_at === null ? "–" : words.paused}</span>;
    },
  },
  {
    key: "last",
    header: words.table.last,
    width: "8.5rem",
    sort: (lane) => latest(lane),
    cell: (lane) => {
      const last = latest(lane);
      if (last === null) return <span className="sw-soft">–</span>;
      return (
        <span className="sw-row">
          <Sample item={{ outcome: last }} width={22} />
          {words.outcomes[last]}
        </span>
      );
    },
  },
  {
    key: "succeeded",
    header: words.table.succeeded,
    width: "6.25rem",
    align: "end",
    sort: (lane) => tally(lane).good,
    cell: (lane) => count(tally(lane).good),
  },
  ...(["failed", "missed", "skipped"] as const).map(
    (outcome): Column<Lane> => ({
      key: outcome,
      header: words.table[outcome],
      width: "5rem",
      align: "end",
      sort: (lane) => counted(lane, outcome),
      cell: (lane) => count(counted(lane, outcome)),
    }),
  ),
  {
    key: "late",
    header: words.table.late,
    width: "4rem",
    align: "end",
    sort: (lane) => tally(lane).late,
    cell: (lane) => count(tally(lane).late),
  },
  {
    key: "usual",
    header: words.table.usual,
    width: "7rem",
    align: "end",
    sort: (lane) => lane.observed.p50,
    cell: (lane) => (lane.observed.p50 === null ? "–" : duration(lane.observed.p50)),
  },
];

export function Twin({ lanes, selection, current, onOpen }: Props) {
  return (
    <DataTable
      label={words.table.label}
      columns={COLUMNS}
      rows={lanes}
      rowId={(lane) => lane.schedule_id}
      rowName={placeOf}
      onOpen={onOpen}
      selection={selection}
      current={current}
      rowHeight={48}
    />
  );
}
