import { duration, number, onAxis } from "@/lib/time";
import { useZone } from "@/lib/zone";
import { metrics as words } from "@/strings/metrics";
import { type Column, DataTable } from "./DataTable";
import type { Point } from "./measured";

/** What the charts of measurements draw, in figures: the newest first, without what is empty. */
export function MeasuredTable({ points, step }: { points: Point[]; step: "hour" | "day" }) {
  const zone = useZone();
  const columns: Column<Point>[] = [
    {
      key: "at",
      header: words.table.at,
      card: "head",
      cell: (one) => onAxis(one.at, zone, step),
    },
    ...(["succeeded", "failed"] as const).map((key) => ({
      key,
      header: words.table[key],
      align: "end" as const,
      cell: (one: Point) => number(one[key]),
    })),
    ...(["p50", "p95"] as const).map((key) => ({
      key,
      header: words.figures[key],
      align: "end" as const,
      cell: (one: Point) => {
        const seconds = one[key];
        return seconds === null ? words.none : duration(seconds);
      },
    })),
  ];
  return (
    <DataTable
      label={words.table.label}
      columns={columns}
      rows={points.filter((one) => one.succeeded + one.failed > 0).reverse()}
      rowId={(one) => one.at}
      keys={false}
      rowHeight={28}
    />
  );
}
