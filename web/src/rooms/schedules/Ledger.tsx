/** The book of every due instant, and the proof that none is missing in it. */

import { Button, SegmentedControl } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconHourglass } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, ok, type Schemas } from "@/api/client";
import { FourFaces } from "@/components/FourFaces";
import { useZone } from "@/lib/zone";
import { common } from "@/strings/common";
import { schedules as words } from "@/strings/schedules";
import classes from "./Drawer.module.css";
import { shownZone } from "./MarkCard";
import { type Lane, outcomeOf } from "./marks";
import { auditQuery, type Schedule } from "./queries";
import { Sample } from "./shapes";
import { dayAndClock } from "./zones";

type Entry = Schemas["LedgerEntry"];
type Fate = Entry["fate"];

export function Ledger({ schedule, lane }: { schedule: Schedule; lane: Lane | undefined }) {
  const [fate, setFate] = useState<Fate | "">("");
  const zone = shownZone(useZone());
  const pages = useInfiniteQuery({
    queryKey: ["schedules", "ledger", schedule.id, fate],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) =>
      ok(
        api.GET("/api/v1/schedules/{schedule_id}/ledger", {
          params: {
            path: { schedule_id: schedule.id },
            query: { limit: 50, cursor: pageParam, fate: fate === "" ? undefined : fate },
          },
        }),
      ),
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const entries = pages.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <Proof id={schedule.id} />
      <SegmentedControl
        className={classes.filters}
        aria-label={words.ledger.fate}
        fullWidth
        data={[
          { value: "", label: words.ledger.all },
          ...(["ran", "missed", "skipped", "blocked", "changed"] as const).map((value) => ({
            value,
            label: value,
          })),
        ]}
        value={fate}
        onChange={(value) => setFate(value as Fate | "")}
      />
      <FourFaces
        loading={pages.isPending}
        error={pages.error}
        onRetry={() => void pages.refetch()}
        empty={entries.length === 0}
        never={{ title: words.ledger.empty, text: null }}
      >
        <ul className={classes.entries} aria-label={words.ledger.label}>
          {entries.map((one) => (
            <Line key={one.id} entry={one} lane={lane} zone={zone} />
          ))}
        </ul>
        {pages.hasNextPage ? (
          <Button
            variant="subtle"
            mt="xs"
            loading={pages.isFetchingNextPage}
            onClick={() => void pages.fetchNextPage()}
          >
            {common.loadMore}
          </Button>
        ) : null}
      </FourFaces>
    </>
  );
}

function Line({ entry, lane, zone }: { entry: Entry; lane: Lane | undefined; zone: string }) {
  // The strip knows how the run ended; the ledger only that there was one.
  const mark = lane?.past.find((one) => one.first_due === entry.first_due);
  const outcome = outcomeOf(
    mark?.outcome ?? (entry.why === "paused" ? "paused" : String(entry.fate)),
  );
  const [first, last] = [Date.parse(entry.first_due), Date.parse(entry.last_due)];
  const changed = entry.fate === "changed";
  return (
    <li>
      {changed ? <span /> : <Sample item={{ outcome, late: entry.why === "late" }} />}
      <span>
        {entry.count > 1
          ? words.fromTo(dayAndClock(first, zone), dayAndClock(last, zone))
          : dayAndClock(first, zone)}
        <br />
        <span className="sw-soft">
          {changed ? words.ledger.changed : words.outcomes[outcome]}
          {entry.count > 1 ? `, ${words.ledger.times(entry.count)}` : ""}
          {entry.why && entry.why !== outcome ? `: ${entry.why}` : ""}
          {entry.backfilled > 0 ? `. ${words.madeUpFor(entry.backfilled)}` : ""}
        </span>
      </span>
      {(entry.run_id ?? entry.backfill_run_id) ? (
        <Link to="/runs/$runId" params={{ runId: entry.run_id ?? entry.backfill_run_id ?? "" }}>
          {words.ledger.run}
        </Link>
      ) : (
        <span />
      )}
    </li>
  );
}

function Proof({ id }: { id: string }) {
  const { data } = useQuery(auditQuery(id));
  if (data === undefined) return null;
  const broken = !data.unbroken || data.breaks.length > 0;
  const open = !broken && data.open > 0;
  const Icon = broken ? IconAlertTriangle : open ? IconHourglass : IconCircleCheck;
  const fates = Object.entries(data.by_fate).filter(([, count]) => (count ?? 0) > 0);
  return (
    <div
      className={classes.proof}
      data-broken={broken || undefined}
      data-open={open || undefined}
      role="note"
    >
      <Icon size={16} aria-hidden="true" />
      <div>
        <p>
          {broken
            ? words.audit.broken
            : open
              ? words.audit.open(data.open)
              : words.audit.proven(data.due)}
        </p>
        <p className="sw-soft">
          {fates.map(([fate, count]) => `${count} ${fate}`).join(", ")}
          {data.backfilled > 0 ? `; ${words.audit.backfilled(data.backfilled)}` : ""}
        </p>
        {broken ? (
          <ul>
            {data.breaks.slice(0, 5).map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ul>
        ) : null}
        {data.advice.length > 0 ? (
          <details>
            <summary>{words.audit.advice}</summary>
            <ul>
              {data.advice.slice(0, 5).map((one) => (
                <li key={one}>{one}</li>
              ))}
            </ul>
          </details>
        ) : null}
      </div>
    </div>
  );
}
