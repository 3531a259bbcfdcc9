import { Duration } from "@/components/Duration";
import { cx } from "@/lib/cx";
import { useNowWhile } from "@/lib/now";
import { between, duration } from "@/lib/time";
import { runs as words } from "@/strings/runs";
import type { Run } from "./queries";
import classes from "./TookBar.module.css";

export type Usual = Map<string, { p50: number | null; p95: number | null }>;

/** How long a run took, beside how long its like usually take: a tick at p50, a band to p95. */
export function TookBar({ run, usual }: { run: Run; usual: Usual }) {
  const now = useNowWhile(run.started_at !== null && run.finished_at === null);
  if (run.started_at === null) return <span className="sw-soft">–</span>;
  const took = between(run.started_at, run.finished_at, now);
  const known = usual.get(`${run.group}/${run.workflow}`);
  const p50 = known?.p50 ?? null;
  const p95 = known?.p95 ?? null;
  const longest = Math.max(took, (p95 ?? 0) * 1.25) || 1;
  const at = (seconds: number) => `${Math.min(100, (100 * seconds) / longest)}%`;
  const title =
    p50 === null || p95 === null ? undefined : words.usual(duration(p50), duration(p95));
  return (
    <span className={classes.took} title={title}>
      <Duration since={run.started_at} until={run.finished_at} />
      <span className={cx("sw-paint", classes.track)} aria-hidden="true">
        {p50 !== null && p95 !== null ? (
          <span
            className={classes.band}
            style={{ left: at(p50), width: `calc(${at(p95)} - ${at(p50)})` }}
          />
        ) : null}
        <span
          className={classes.bar}
          data-state={run.state}
          data-long={(p95 !== null && took > p95 * 1.2) || undefined}
          style={{ width: at(took) }}
        />
        {p50 !== null ? <span className={classes.tick} style={{ left: at(p50) }} /> : null}
      </span>
    </span>
  );
}
