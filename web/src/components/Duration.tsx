import { useNowWhile } from "@/lib/now";
import { between, duration } from "@/lib/time";

interface Props {
  /** Seconds; or `since` and `until` (null: it goes on, and counts). */
  seconds?: number | null;
  since?: string | null;
  until?: string | null;
}

/** `1m 04s`; counts up as long as there is no end. */
export function Duration({ seconds, since, until = null }: Props) {
  const counts = seconds == null && since != null && until === null;
  const now = useNowWhile(counts);
  if (seconds == null && since == null) return <span className="sw-soft">–</span>;
  const length = seconds ?? between(since ?? "", until, now);
  const shown = counts ? Math.floor(length) : length;
  return (
    <time className="sw-nowrap" dateTime={`PT${Math.max(0, length).toFixed(3)}S`}>
      {duration(shown)}
    </time>
  );
}
