/** How far the re-runs of a cause have come: started, then passed. */

import { Button, Progress } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { home as words } from "@/strings/home";
import classes from "./Causes.module.css";
import { bulkQuery } from "./queries";

interface Props {
  id: string;
  /** Runs of the cause that nothing has superseded yet. */
  left: number;
  onHide: () => void;
}

export function RerunProgress({ id, left, onHide }: Props) {
  const { data } = useQuery(bulkQuery(id));
  if (data === undefined) return null;
  const started = data.done + data.failed;
  const passed = Math.max(0, data.total - left);
  const going = data.state === "running";
  return (
    <section className={classes.progress} aria-label={words.rerun.begun}>
      <span role="status">
        {going
          ? words.rerun.progress(data.done, data.total)
          : left > 0
            ? `${words.rerun.finished(data.total)} ${words.rerun.left(left)}.`
            : words.rerun.cleared}
        {data.failed > 0 ? ` ${words.rerun.failed(data.failed)}.` : ""}
      </span>
      <Progress.Root size="sm" className={classes.bar}>
        <Progress.Section
          value={data.total === 0 ? 100 : (100 * passed) / data.total}
          color="green"
          aria-label={words.rerun.cleared}
        />
        <Progress.Section
          value={data.total === 0 ? 0 : (100 * Math.max(0, started - passed)) / data.total}
          color="well"
          aria-label={words.rerun.progress(data.done, data.total)}
        />
      </Progress.Root>
      <Button variant="subtle" color="gray" onClick={onHide}>
        {words.rerun.hide}
      </Button>
    </section>
  );
}
