import "@mantine/charts/styles.layer.css";
import { BarChart, LineChart } from "@mantine/charts";
import type { Schemas } from "@/api/client";
import { duration, number, onAxis } from "@/lib/time";
import { useZone } from "@/lib/zone";
import { metrics as words } from "@/strings/metrics";
import { ChartFrame } from "./ChartFrame";
import classes from "./MeasuredCharts.module.css";
import { marksOf, pointsOf } from "./measured";

interface Props {
  measured: Schemas["Measured"];
  /** What span it is, in words. */
  window: string;
  /** A point of the outcomes was chosen: from its instant to that of the next. */
  onPoint?: (since: string, until: string) => void;
}

/** Outcomes and durations over time, with a mark where a release was made. */
export function MeasuredCharts({ measured, window, onPoint }: Props) {
  const zone = useZone();
  const points = pointsOf(measured);
  const data = points.map((one) => ({ ...one, at: onAxis(one.at, zone, measured.step) }));
  const isLate = (at: string) => points.findIndex((one) => one.at === at) > points.length / 2;
  const marks = marksOf(points, measured.releases).map(({ at, numbers }) => ({
    x: onAxis(at, zone, measured.step),
    label: words.releasesOf(numbers),
    color: "var(--sw-soft)",
    // On the side of the line where there is room.
    labelPosition: isLate(at) ? ("insideTopRight" as const) : ("insideTopLeft" as const),
  }));
  const choose = (state: { activeTooltipIndex?: unknown }) => {
    const point = points[Number(state.activeTooltipIndex)];
    if (point !== undefined && point.succeeded + point.failed > 0) {
      onPoint?.(point.at, point.until);
    }
  };
  const sample = `${number(measured.total.judged)} ${words.runs}`;
  const shared = {
    window,
    sample,
    asOf: measured.as_of,
  };
  return (
    <div className={classes.charts}>
      <ChartFrame title={words.outcomes} {...shared}>
        <BarChart
          className={classes.chart}
          h={176}
          data={data}
          dataKey="at"
          type="stacked"
          maxBarWidth={22}
          barChartProps={onPoint === undefined ? undefined : { onClick: choose }}
          series={[
            { name: "succeeded", color: "var(--sw-succeeded)" },
            { name: "failed", color: "var(--sw-failed)" },
          ]}
          referenceLines={marks}
          tickLine="none"
          gridAxis="x"
          withLegend
        />
      </ChartFrame>
      <ChartFrame title={words.durations} {...shared}>
        <LineChart
          className={classes.chart}
          h={176}
          data={data}
          dataKey="at"
          series={[
            { name: "p50", color: "var(--sw-running)" },
            { name: "p95", color: "var(--sw-queued)" },
          ]}
          valueFormatter={(value) => duration(value)}
          referenceLines={marks}
          connectNulls={false}
          tickLine="none"
          gridAxis="x"
          withLegend
          dotProps={{ r: 2 }}
        />
      </ChartFrame>
    </div>
  );
}
