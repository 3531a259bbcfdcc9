import "@mantine/charts/styles.layer.css";
import { BarChart, LineChart } from "@mantine/charts";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useRef } from "react";
import { ReferenceArea } from "recharts";
import type { Schemas } from "@/api/client";
import { useDrag } from "@/lib/drag";
import { useKeys } from "@/lib/keys";
import { duration, number, onAxis } from "@/lib/time";
import { useZone } from "@/lib/zone";
import { metrics as words } from "@/strings/metrics";
import { ChartFrame } from "./ChartFrame";
import classes from "./MeasuredCharts.module.css";
import { MeasuredTable } from "./MeasuredTable";
import { marksOf, pointsOf } from "./measured";
import { TwinSwitch } from "./TwinSwitch";

interface Props {
  measured: Schemas["Measured"];
  /** What span it is, in words. */
  window: string;
  /** A point of the outcomes was chosen: from its instant to that of the next. */
  onPoint?: (since: string, until: string) => void;
  /** A part of the axis was dragged over: look closer at it. */
  onZoom?: (since: string, until: string) => void;
}

interface Hit {
  activeTooltipIndex?: unknown;
}

/** Outcomes and durations over time, with a mark where a release was made. */
export function MeasuredCharts({ measured, window, onPoint, onZoom }: Props) {
  const zone = useZone();
  const { table = false } = useSearch({ strict: false });
  const navigate = useNavigate();
  const swap = () =>
    void navigate({
      to: ".",
      search: (old) => ({ ...old, table: table ? undefined : true }),
      replace: true,
    });
  useKeys({ t: swap });
  const pressed = useRef<number | null>(null); // a click alone draws nothing anew
  const { drag, dragged, pull, letGo } = useDrag<[number, number]>();
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
  const choose = (hit: Hit) => {
    const point = points[placeOf(hit) ?? -1];
    if (point !== undefined && point.succeeded + point.failed > 0) {
      onPoint?.(point.at, point.until);
    }
  };
  const begin = (hit: Hit) => {
    if (onZoom !== undefined) pressed.current = placeOf(hit);
  };
  const move = (hit: Hit) => {
    const [from, at] = [pressed.current, placeOf(hit)];
    if (from === null || at === null || at === (dragged.current?.[1] ?? from)) return;
    pull([from, at]);
  };
  const end = () => {
    pressed.current = null;
    const over = letGo();
    if (over === null) return;
    const [from, until] = [points[Math.min(...over)], points[Math.max(...over)]];
    if (over[0] !== over[1] && from && until) onZoom?.(from.at, until.until);
  };
  const mouse = {
    onMouseDown: begin,
    onMouseMove: move,
    onMouseUp: end,
    onMouseLeave: end,
    throttledEvents: [], // else a quick hand is let go before its last moves have been heard
  };
  const chosen =
    drag !== null && drag[0] !== drag[1] ? (
      <ReferenceArea
        x1={data[Math.min(...drag)]?.at}
        x2={data[Math.max(...drag)]?.at}
        fill="var(--sw-running)"
        fillOpacity={0.15}
      />
    ) : null;
  const sample = `${number(measured.total.judged)} ${words.runs}`;
  const shared = {
    window,
    sample,
    asOf: measured.as_of,
  };
  const twin = <TwinSwitch table={table} onSwitch={swap} />;
  if (table) {
    return (
      <div className={classes.charts}>
        <ChartFrame title={words.table.label} {...shared} actions={twin}>
          <MeasuredTable points={points} step={measured.step} />
        </ChartFrame>
      </div>
    );
  }
  return (
    <div className={classes.charts} data-zooms={onZoom !== undefined || undefined}>
      <ChartFrame title={words.outcomes} {...shared} actions={twin}>
        <BarChart
          className={classes.chart}
          h={176}
          data={data}
          dataKey="at"
          type="stacked"
          maxBarWidth={22}
          yAxisProps={{ allowDecimals: false }}
          barChartProps={{
            ...mouse,
            title: words.outcomes,
            ...(onPoint === undefined ? {} : { onClick: choose }),
          }}
          series={[
            { name: "succeeded", color: "var(--sw-succeeded)" },
            { name: "failed", color: "var(--sw-failed)" },
          ]}
          referenceLines={marks}
          tickLine="none"
          gridAxis="x"
          withLegend
        >
          {chosen}
        </BarChart>
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
          lineChartProps={{ ...mouse, title: words.durations }}
        >
          {chosen}
        </LineChart>
      </ChartFrame>
    </div>
  );
}

/** Which point is below the pointer. */
function placeOf(hit: Hit): number | null {
  const at = Number(hit.activeTooltipIndex ?? Number.NaN);
  return Number.isInteger(at) ? at : null;
}
