/** All strips below one axis; only rows that are seen are drawn. */

import { Checkbox } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { Link } from "@tanstack/react-router";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { memo, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { toggled } from "@/components/DataTable";
import { useKeys } from "@/lib/keys";
import { usePhone } from "@/lib/media";
import { ScheduleZone, useZone } from "@/lib/zone";
import { common } from "@/strings/common";
import { schedules as words } from "@/strings/schedules";
import type { StripActs } from "./acts";
import { Axis, LimitSelect, LoadLane } from "./LoadLane";
import { shownZone } from "./MarkCard";
import type { Lane } from "./marks";
import { placeOf, type Strip as StripData } from "./queries";
import { RowActs, type ScheduleActs } from "./RowActs";
import { RowName, RowNext } from "./RowName";
import { Strip } from "./Strip";
import classes from "./StripList.module.css";
import { type Scale, ticks as ticksOf } from "./scale";
import { Patterns } from "./shapes";

export interface ListProps extends StripActs {
  strip: StripData;
  lanes: readonly Lane[];
  now: number;
  zone: string;
  limit: string | undefined;
  onLimit: (limit: string | undefined) => void;
  selected: ReadonlySet<string>;
  onSelect: (ids: Set<string>) => void;
  current: string | undefined;
  onOpen: (lane: Lane) => void;
  acts: ScheduleActs;
}

const ROW = 48;
const PHONE_ROW = 92;

export function StripList(props: ListProps) {
  const { strip, lanes, now, zone, selected, onSelect } = props;
  const phone = usePhone();
  const { ref, width } = useElementSize();
  const scale = useMemo<Scale>(
    () => ({ begin: Date.parse(strip.begin), end: Date.parse(strip.end), width }),
    [strip.begin, strip.end, width],
  );
  const ticks = useMemo(() => (width === 0 ? [] : ticksOf(scale, zone)), [scale, zone, width]);
  const list = useRef<HTMLUListElement>(null);
  const rows = useRows(lanes.length, phone ? PHONE_ROW : ROW, list);
  const cursor = useCursor(props, rows.reveal);
  const ids = lanes.map((one) => one.schedule_id);
  const count = ids.filter((id) => selected.has(id)).length;
  return (
    <section className={classes.panel} aria-label={words.list}>
      <div className={classes.head}>
        <span className={classes.check}>
          <Checkbox
            size="xs"
            aria-label={common.selectPage}
            checked={count > 0 && count === ids.length}
            indeterminate={count > 0 && count < ids.length}
            onChange={() => onSelect(new Set(count === ids.length ? [] : ids))}
          />
        </span>
        <span className={classes.what}>
          <LimitSelect strip={strip} value={props.limit} onChange={props.onLimit} />
        </span>
        <div className={classes.scale} ref={ref}>
          {width > 0 ? (
            <>
              <Axis scale={scale} ticks={ticks} now={now} zone={zone} />
              <LoadLane strip={strip} scale={scale} now={now} zone={zone} limit={props.limit} />
            </>
          ) : null}
        </div>
        <span className={classes.next}>{words.table.next}</span>
      </div>
      <Patterns />
      <ul className={classes.rows} ref={list} style={{ height: rows.total }}>
        {rows.items.map(({ index, top }) => {
          const lane = lanes[index];
          return lane === undefined ? null : (
            <Row
              key={lane.schedule_id}
              lane={lane}
              top={top}
              index={index}
              total={lanes.length}
              scale={scale}
              ticks={ticks}
              now={now}
              selected={selected.has(lane.schedule_id)}
              current={props.current === lane.schedule_id}
              cursor={cursor === lane.schedule_id}
              onToggle={() => onSelect(toggled(selected, lane.schedule_id))}
              acts={props.acts}
              onFire={props.onFire}
              onBackfill={props.onBackfill}
              onZoom={props.onZoom}
            />
          );
        })}
      </ul>
    </section>
  );
}

interface RowProps extends StripActs {
  lane: Lane;
  top: number;
  index: number;
  total: number;
  scale: Scale;
  ticks: ReturnType<typeof ticksOf>;
  now: number;
  selected: boolean;
  current: boolean;
  cursor: boolean;
  onToggle: () => void;
  acts: ScheduleActs;
}

const Row = memo(
  function Row(props: RowProps) {
    return (
      <ScheduleZone value={props.lane.timezone}>
        <Content {...props} />
      </ScheduleZone>
    );
  },
  // What it does is the same whoever draws it; only what it shows counts.
  (before, after) =>
    before.lane === after.lane &&
    before.top === after.top &&
    before.scale === after.scale &&
    before.ticks === after.ticks &&
    before.now === after.now &&
    before.selected === after.selected &&
    before.current === after.current &&
    before.cursor === after.cursor &&
    before.total === after.total &&
    before.onToggle === after.onToggle,
);

function Content(props: RowProps) {
  const { lane, scale } = props;
  const zone = shownZone(useZone());
  return (
    <li
      className={classes.row}
      style={{ transform: `translateY(${props.top}px)` }}
      aria-posinset={props.index + 1}
      aria-setsize={props.total}
      data-current={props.current || undefined}
      data-cursor={props.cursor || undefined}
      data-selected={props.selected || undefined}
      data-schedule={lane.schedule_id}
    >
      <span className={classes.check}>
        <Checkbox
          size="xs"
          aria-label={common.selectRow(placeOf(lane))}
          checked={props.selected}
          onChange={props.onToggle}
        />
      </span>
      <RowName
        lane={lane}
        now={props.now}
        link={
          <Link
            to="/schedules"
            search={(old) => ({ ...old, schedule: lane.schedule_id, tab: undefined })}
            className={classes.name}
          />
        }
      />
      <div className={classes.strip}>
        {scale.width > 0 ? (
          <Strip
            lane={lane}
            scale={scale}
            ticks={props.ticks}
            now={props.now}
            zone={zone}
            onFire={props.onFire}
            onBackfill={props.onBackfill}
            onZoom={props.onZoom}
          />
        ) : null}
      </div>
      <span className={classes.next}>
        <RowNext lane={lane} />
        <RowActs lane={lane} acts={props.acts} />
      </span>
    </li>
  );
}

function useRows(count: number, height: number, list: React.RefObject<HTMLUListElement | null>) {
  const [margin, setMargin] = useState(0);
  // Whatever stands above may have grown, so it is measured after each drawing.
  useLayoutEffect(() => {
    const box = list.current?.getBoundingClientRect();
    if (box !== undefined) setMargin(Math.round(box.top + window.scrollY));
  });
  const virtual = useWindowVirtualizer({
    count,
    estimateSize: () => height,
    overscan: 6,
    scrollMargin: margin,
  });
  const { current } = useRef({ virtual });
  current.virtual = virtual;
  useEffect(() => {
    if (height > 0) virtual.measure();
  }, [height, virtual]);
  const reveal = useMemo(
    () => (index: number) => current.virtual.scrollToIndex(index, { align: "auto" }),
    [current],
  );
  return {
    total: virtual.getTotalSize(),
    items: virtual.getVirtualItems().map((one) => ({ index: one.index, top: one.start - margin })),
    reveal,
  };
}

/** The row that j and k have reached. */
function useCursor(props: ListProps, reveal: (index: number) => void): string | null {
  const { lanes, selected, onSelect, onOpen } = props;
  const [id, setId] = useState<string | null>(null);
  const at = id === null ? -1 : lanes.findIndex((one) => one.schedule_id === id);
  const lane = lanes[at];
  const move = (by: number) => {
    const next = Math.min(lanes.length - 1, Math.max(0, at + by));
    const found = lanes[next];
    if (found === undefined) return;
    setId(found.schedule_id);
    reveal(next);
  };
  const open = () => lane && onOpen(lane);
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    ...(lane
      ? {
          x: () => onSelect(toggled(selected, lane.schedule_id)),
          Enter: open,
        }
      : {}),
  });
  return id;
}
