/** The last 24 hours: what ended in each, how much of it failed, how long it took. */

import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { ChartFrame } from "@/components/ChartFrame";
import { type Column, DataTable } from "@/components/DataTable";
import { TwinSwitch } from "@/components/TwinSwitch";
import { usePhone } from "@/lib/media";
import { duration, number, percent, type Zone, zoneName } from "@/lib/time";
import { useZone } from "@/lib/zone";
import { home as words } from "@/strings/home";
import classes from "./Day.module.css";
import { type Bar, bars, change, HOUR, paired, points } from "./figures";
import { dayQuery, type Measured, type Summary } from "./queries";

const HEIGHT = 96;

export function Day({ summary, table }: { summary: Summary; table: boolean }) {
  const navigate = useNavigate({ from: "/" });
  const { data } = useQuery(dayQuery);
  const phone = usePhone();
  const found = bars(summary.hours, Date.parse(summary.as_of));
  const total = found.reduce((sum, one) => sum + one.succeeded + one.failed, 0);
  return (
    <section className={classes.day}>
      <ChartFrame
        title={words.day.title}
        window={phone && !table ? words.day.windowOfTwo : words.day.window}
        sample={words.day.runs(total)}
        asOf={summary.as_of}
        actions={
          <TwinSwitch
            table={table}
            onSwitch={() =>
              void navigate({
                search: (old) => ({ ...old, table: table ? undefined : true }),
                replace: true,
              })
            }
          />
        }
      >
        <Numbers data={data} />
        {total === 0 ? (
          <p className="sw-soft">{words.day.nothing}</p>
        ) : table ? (
          <DataTable
            label={words.day.table}
            columns={COLUMNS}
            rows={[...found].reverse()}
            rowId={(bar) => String(bar.at)}
            keys={false}
            rowHeight={28}
          />
        ) : (
          <Picture bars={phone ? paired(found) : found} />
        )}
      </ChartFrame>
    </section>
  );
}

interface Compared {
  now: Measured | null;
  then: Measured | null;
}

/** Error rate and p95, against the same day last week. */
function Numbers({ data }: { data: Compared | undefined }) {
  const [now, then] = [data?.now?.total, data?.then?.total];
  if (now === undefined || now.judged === 0) return null;
  const there = then !== undefined && then.judged > 0;
  const said = (by: string | null) =>
    !there ? words.day.noneThen : by === null ? words.day.same : words.day.against(by);
  return (
    <dl className={classes.numbers}>
      <div>
        <dt>{words.day.errorRate}</dt>
        <dd>
          <strong>{percent(now.error_rate)}</strong>{" "}
          <span className="sw-soft">
            {number(now.failed)} / {number(now.judged)},{" "}
            {said(points(now.error_rate, then?.error_rate ?? null))}
          </span>
        </dd>
      </div>
      <div>
        <dt>{words.day.p95}</dt>
        <dd>
          <strong>{now.duration.p95 === null ? "–" : duration(now.duration.p95)}</strong>{" "}
          <span className="sw-soft">
            {said(change(now.duration.p95, then?.duration.p95 ?? null))}
          </span>
        </dd>
      </div>
    </dl>
  );
}

const clock = (at: number, zone: Zone) =>
  new Intl.DateTimeFormat("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZone: zoneName(zone),
  }).format(at);

function Picture({ bars: found }: { bars: Bar[] }) {
  const zone = useZone();
  const most = Math.max(1, ...found.map((one) => one.succeeded + one.failed));
  const height = (count: number) => (count / most) * (HEIGHT - 6);
  return (
    <div className={classes.bars}>
      <svg
        width="0"
        height="0"
        aria-hidden="true"
        focusable="false"
        style={{ position: "absolute" }}
      >
        <defs>
          <pattern
            id="sw-failed-hatch"
            width="4"
            height="4"
            patternUnits="userSpaceOnUse"
            patternTransform="rotate(45)"
          >
            <line x1="0" y1="0" x2="0" y2="4" className={classes.hatch} />
          </pattern>
        </defs>
      </svg>
      {found.map((one, at) => {
        const end = new Date(one.at + one.hours * HOUR).toISOString();
        const q = `since:${new Date(one.at).toISOString()} until:${end}`;
        const label = words.day.bar(clock(one.at, zone), one.succeeded, one.failed);
        const bad = height(one.failed);
        const good = height(one.succeeded);
        return (
          <Link
            key={one.at}
            to="/runs"
            search={{ q: one.failed > 0 && one.succeeded === 0 ? `${q} state:failed` : q }}
            className={classes.bar}
            aria-label={label}
            title={label}
          >
            <svg width="100%" height={HEIGHT} aria-hidden="true" focusable="false">
              <rect
                className={classes.good}
                x="12%"
                width="76%"
                y={HEIGHT - good}
                height={good}
                rx={1.5}
              />
              {one.failed > 0 ? (
                <rect
                  className={classes.bad}
                  x="12%"
                  width="76%"
                  y={HEIGHT - good - Math.max(3, bad)}
                  height={Math.max(3, bad)}
                  rx={1.5}
                />
              ) : null}
              {one.failed === 0 && one.succeeded === 0 ? (
                <rect className={classes.none} x="12%" width="76%" y={HEIGHT - 1.5} height={1.5} />
              ) : null}
            </svg>
            <span className={classes.clock} aria-hidden="true">
              {(at + 1) % (one.hours === 1 ? 4 : 3) === 0 ? clock(one.at, zone) : ""}
            </span>
          </Link>
        );
      })}
    </div>
  );
}

const rate = (bar: Bar) =>
  bar.succeeded + bar.failed === 0 ? null : bar.failed / (bar.succeeded + bar.failed);

function Hour({ at }: { at: number }) {
  const zone = useZone();
  return <>{clock(at, zone)}</>;
}

const COLUMNS: Column<Bar>[] = [
  { key: "hour", header: words.day.hour, card: "head", cell: (bar) => <Hour at={bar.at} /> },
  {
    key: "succeeded",
    header: words.day.succeeded,
    align: "end",
    cell: (bar) => number(bar.succeeded),
  },
  { key: "failed", header: words.day.failed, align: "end", cell: (bar) => number(bar.failed) },
  { key: "rate", header: words.day.rate, align: "end", cell: (bar) => percent(rate(bar)) },
];
