import { Tooltip } from "@mantine/core";
import { useNow } from "@/lib/now";
import { exact, instant, relative, zoneMark } from "@/lib/time";
import { useZone } from "@/lib/zone";

interface Props {
  at: string | null | undefined;
  /** `ago`: the distance to now, which is renewed. */
  as?: "clock" | "ago" | "exact";
}

/** An instant in the zone that the person has chosen; hover or focus tells both zones. */
export function Instant({ at, as = "clock" }: Props) {
  const now = useNow();
  const zone = useZone();
  const mark = as === "clock" ? zoneMark(zone) : "";
  if (at == null) return <span className="sw-soft">–</span>;
  const text =
    as === "ago" ? relative(at, now) : as === "exact" ? exact(at, zone) : instant(at, zone, now);
  const other = exact(at, zone === "utc" ? "local" : "utc");
  const label = `${exact(at, zone)} (${other}), ${relative(at, now)}`;
  return (
    <Tooltip label={label}>
      <time className="sw-nowrap" dateTime={at}>
        {text}
        {mark === "" ? null : <span className="sw-soft"> {mark}</span>}
      </time>
    </Tooltip>
  );
}
