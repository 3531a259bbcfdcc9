/** What the audit log says of a schedule. */

import { useQuery } from "@tanstack/react-query";
import { FourFaces } from "@/components/FourFaces";
import { Instant } from "@/components/Instant";
import { schedules as words } from "@/strings/schedules";
import classes from "./Drawer.module.css";
import { historyQuery, type Schedule } from "./queries";

export function History({ schedule }: { schedule: Schedule }) {
  const target = `${schedule.group}/${schedule.workflow}/${schedule.name}`;
  const { data, error, isPending, refetch } = useQuery(historyQuery(target));
  return (
    <FourFaces
      loading={isPending}
      error={error}
      onRetry={() => void refetch()}
      empty={data?.items.length === 0}
      never={{ title: words.historyEmpty, text: null }}
    >
      {data?.items.map((one) => (
        <div key={one.id} className={classes.item}>
          <div className="sw-row sw-between">
            <strong>{one.action.replace(/^schedule\./, "").replaceAll("-", " ")}</strong>
            <Instant at={one.at} />
          </div>
          <p>
            {one.reason ?? "–"} <span className="sw-soft">{words.by(one.actor)}</span>
          </p>
        </div>
      ))}
    </FourFaces>
  );
}
